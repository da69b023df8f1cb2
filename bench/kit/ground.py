"""What a campaign is sent from: a database that keeps its promises, and people in it.

The first person comes by the verbs, as anybody does. The others are rows copied from theirs in one
statement a table, with names, addresses and marks of their own: a million in about a minute.
"""

import asyncio
import contextlib
import dataclasses
import itertools
import os
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Table, make_url

from mailer.bootstrap import House, open_house
from mailer.campaigns import composing, sending
from mailer.campaigns.model import Campaign, OnDoubt
from mailer.consent import actions as consent
from mailer.consent import store as consents
from mailer.consent.model import Subscription
from mailer.deliveries import freezing
from mailer.kit.ids import new_uid
from mailer.kit.secrets import Keys
from mailer.kit.work import Door
from mailer.migrations import migrate
from mailer.settings import Settings
from mailer.subscribers.model import Subscriber, mark_of
from mailer.tiers import store as ladder
from mailer.tiers.model import ChosenTier
from tests import makers as make
from tests.cast import gather
from tests.support import postgres
from tests.support.rooms import ROOT_KEY

BASE = "https://roll.example.org"
KEYS = Keys(bytes.fromhex(ROOT_KEY))
FIRST_NAMES = ("Amina", "Bo", "Chidi", "Dana", "Esra", "Farid", "Zoë", "Léa", "Émile", "O’Brien")

Result = TypeVar("Result")


@dataclasses.dataclass
class Ground:
    """A database of our own, durable: fsync on PostgreSQL, synchronous=FULL on SQLite."""

    kind: str
    url: str
    folder: Path
    records: Path  # what the processes say; never on the disk that a fault fills
    cluster: postgres.Cluster | None

    @property
    def settings(self) -> Settings:
        return Settings(data=str(self.folder), database=self.url, secret=ROOT_KEY, public_url=BASE)

    @property
    def environment(self) -> dict[str, str]:
        """What a process of ours is told."""
        return {
            "ROLLCALL_DATA": str(self.folder),
            "ROLLCALL_DATABASE": self.url,
            "ROLLCALL_SECRET": ROOT_KEY,
            "ROLLCALL_PUBLIC_URL": BASE,
            "ROLLCALL_SMTP_SECURITY": "none",
        }

    def do(self, what: Callable[[House], Awaitable[Result]]) -> Result:
        """Do something in the house, in a loop of its own."""

        async def inside() -> Result:
            house = open_house(self.settings)
            try:
                return await what(house)
            finally:
                await house.engine.dispose()

        return asyncio.run(inside())

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement at the driver, in a transaction of its own; give its rows."""
        if self.kind == "sqlite":
            with contextlib.closing(self.sqlite()) as file:
                return file.execute(statement).fetchall()
        with psycopg.connect(self.libpq, autocommit=True) as session:
            found = session.execute(statement.encode())
            return found.fetchall() if found.description else []

    def sqlite(self) -> sqlite3.Connection:
        file = make_url(self.url).database
        assert file
        connection = sqlite3.connect(file, isolation_level=None, timeout=30)
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    @property
    def libpq(self) -> str:
        assert self.cluster
        return postgres.libpq(self.cluster.folder, "rollcall")

    def tidy(self) -> None:
        """Do what a quiet night does, so that a measurement does not pay for the preparing."""
        if self.kind == "sqlite":
            self.ask("ANALYZE")
            self.ask("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            self.ask("VACUUM ANALYZE")
            self.ask("CHECKPOINT")

    def server_cpu(self) -> float:
        """Give the processor seconds of PostgreSQL so far: its own, and of all who served us."""
        if self.cluster is None:
            return 0.0
        ticks = 0
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                words = (folder / "stat").read_text().rpartition(")")[2].split()
                if int(folder.name) == self.cluster.server.pid:
                    ticks += sum(map(int, words[11:15]))  # with the children it has buried
                elif int(words[1]) == self.cluster.server.pid:
                    ticks += int(words[11]) + int(words[12])
        return ticks / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def ground(kind: str, people: int, *, under: Path | None = None) -> Generator[Ground]:
    """Make a database with an organisation and so many people on its list; it goes at the end."""
    with contextlib.ExitStack() as stack:
        folder, records = (
            Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rollcall-bench-", dir=at)))
            for at in (under, None)
        )
        cluster = None
        if kind == "sqlite":
            url = f"sqlite+aiosqlite:///{folder / 'rollcall.db'}"
        else:
            # On a disk that is to be filled the log ahead is kept small.
            settings = postgres.DURABLE | ({"max_wal_size": "64MB"} if under else {})
            cluster = stack.enter_context(postgres.Cluster.start(settings, under=under))
            with psycopg.connect(
                postgres.libpq(cluster.folder, "postgres"), autocommit=True
            ) as admin:
                admin.execute("CREATE DATABASE rollcall")
            url = postgres.url(cluster.folder, "rollcall")
        made = Ground(kind, url, folder, records, cluster)
        migrate(url)
        first = made.do(_first)
        _fill(made, first, people)
        made.tidy()
        yield made


async def _first(house: House) -> int:
    """Gather the cast, whose people leave again, and somebody whom the others are copied from."""
    async with house.work(door=Door.CLI) as work:
        cast = await gather(work)
        for person in (cast.bo, cast.gil):
            await consent.unsubscribe(work, person, list_no=None)
        first = await make.person(
            work, address_of(1), first_name=FIRST_NAMES[1], tier=cast.supporter
        )
    return first.no


def address_of(number: int) -> str:
    """Give an address that nobody has (RFC 2606)."""
    return f"member{number}@d{number % 50}.example.org"


def _people(numbers: Sequence[int]) -> Iterator[tuple[str | None, ...]]:
    for number in numbers:
        name = FIRST_NAMES[number % len(FIRST_NAMES)]
        last = f"Member{number}"
        address = address_of(number)
        named = Subscriber.keys_of(name, last)
        yield (
            new_uid(),
            address,
            address,
            mark_of(KEYS, address),
            name,
            last,
            named["name_key"],
            named["called_key"],
        )


_OWN = "uid address address_key mark first_name last_name name_key called_key".split()


def _fill(made: Ground, first: int, people: int) -> None:
    """Copy the first person's rows for everybody else."""
    own = ", ".join(_OWN)
    others = [column.name for column in _columns(Subscriber) if column.name not in {"no", *_OWN}]
    shared = ", ".join(others)
    statements = [
        (
            f"INSERT INTO subscriber ({own}, {shared}) SELECT {', '.join('n.' + o for o in _OWN)},"
            f" {', '.join('p.' + o for o in others)} FROM newcomer n, subscriber p"
            f" WHERE p.no = {first} ORDER BY n.number"
        ),
        *[_alike(model, first) for model in (Subscription, ChosenTier)],
        "DELETE FROM letter",  # the welcome of the first
    ]
    make_table = (
        "CREATE TEMPORARY TABLE newcomer (number INTEGER PRIMARY KEY, "
        + ", ".join(f"{name} TEXT" for name in _OWN)
        + ")"
    )
    rows = ((number, *row) for number, row in enumerate(_people(range(2, people + 1))))
    if made.kind == "sqlite":
        with contextlib.closing(made.sqlite()) as file:
            file.execute("BEGIN")
            file.execute(make_table)
            marks = ", ".join("?" * (len(_OWN) + 1))
            file.executemany(f"INSERT INTO newcomer VALUES ({marks})", rows)
            for statement in statements:
                file.execute(statement)
            file.execute("COMMIT")
        return
    with psycopg.connect(made.libpq) as session:
        session.execute(make_table.encode())
        with session.cursor().copy("COPY newcomer FROM STDIN") as into:
            for row in rows:
                into.write_row(row)
        for statement in statements:
            session.execute(statement.encode())


def _alike(model: type[Any], first: int) -> str:
    """Give everybody the row of the first."""
    others = [column.name for column in _columns(model) if column.name != "subscriber_no"]
    return (
        f"INSERT INTO {model.__tablename__} (subscriber_no, {', '.join(others)})"
        f" SELECT s.no, {', '.join('p.' + name for name in others)}"
        f" FROM subscriber s, {model.__tablename__} p"
        f" WHERE p.subscriber_no = {first} AND s.no > {first} ORDER BY s.no"
    )


def _columns(model: type[Any]) -> list[Any]:
    table: Table = model.__table__
    return list(table.columns)


# --- campaigns ------------------------------------------------------------------------------------

_PARAGRAPH = (
    "{number}. Since the meeting in spring {{{{ first_name|friend }}}}, nine branches have asked"
    " for the same thing: that nobody is let go for speaking up."
    " [What they wrote](https://letters.example.org/{number}) is worth a quarter of an hour."
    " **It is short, it names names, and it worked in Harbour.**"
)


def newsletter(octets: int) -> dict[str, dict[str, str]]:
    """Write a newsletter whose message has about so many octets (both parts, encoded)."""
    # The frame has 20,100; a paragraph stands in both parts: 677.
    paragraphs = max(1, round((octets - 20_100) / 677))
    return {
        "en": {
            "subject": "A hall for four hundred, {{ first_name|friend }}?",
            "headline": "968 letters, and what they moved",
            "preheader": "And one thing to do before the 18th",
            "markdown": "\n\n".join(
                [
                    "Dear {{ first_name|friend }},",
                    *[_PARAGRAPH.format(number=number) for number in range(1, paragraphs + 1)],
                ]
            ),
        }
    }


_NUMBERS = itertools.count(1)


async def drafted(
    house: House, *, octets: int = 30_000, on_doubt: OnDoubt = OnDoubt.HOLD
) -> Campaign:
    """Write a campaign to everybody on the list who chose a level."""
    async with house.work(door=Door.ADMIN) as work:
        [bulletin, *_] = await consents.lists(work)
        campaign = await composing.begin(work, name=f"Measured {next(_NUMBERS)}")
        await composing.revise(work, campaign, words=newsletter(octets))
        rungs = await ladder.ladder(work)
        for rung in rungs:  # one bench sends many, and no promise is to hold them back
            rung.most_mails, rung.most_in_days = 100, 1
        return await composing.choose_audience(
            work,
            campaign,
            list_no=bulletin.no,
            to_everybody=False,
            tier_nos=[rung.no for rung in rungs],
            on_doubt=on_doubt,
        )


async def reviewed(house: House, campaign: Campaign) -> Campaign:
    """Freeze it, as the page for review does."""
    async with house.work(door=Door.ADMIN) as work:
        work.session.add(campaign)
        return await freezing.review(work, campaign, base=BASE)


async def confirmed(house: House, *, octets: int = 30_000, on_doubt: OnDoubt = OnDoubt.HOLD) -> int:
    """Write a campaign, freeze it, confirm it, to go at once; give its number."""
    campaign = await reviewed(house, await drafted(house, octets=octets, on_doubt=on_doubt))
    async with house.work(door=Door.ADMIN) as work:
        work.session.add(campaign)
        await sending.schedule(work, campaign, typed=str(campaign.recipients), undo_seconds=0)
    return campaign.no
