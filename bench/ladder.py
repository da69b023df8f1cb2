"""How fast ladder and asks answer. Run: `python -m bench.ladder [--db …] [--size …] [--pledges …]`.

A million people with three million answers to asks on each database. Whole pages are asked for as
somebody asks who is signed in, and links are followed as members follow them; what is given is the
time that the database took of it, as the driver saw it, beside the whole. Then a newsletter that
asks each reader their best ask chooses it for everybody.
"""

import argparse
import contextlib
import dataclasses
import time
from collections.abc import Generator, Iterator
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import delete, event, select

from bench.kit import roll
from bench.kit.figures import Report, median, times
from bench.kit.ground import Ground, ground
from bench.roll import a_client
from mailer.accounts import store as accounts
from mailer.asks import choosing
from mailer.asks.model import Offer, OfferTally, Pledge
from mailer.bootstrap import House
from mailer.consent.model import Subscription, SubscriptionState
from mailer.kit.links import Links
from mailer.kit.tokens import Purpose, Signer
from mailer.kit.work import clock
from mailer.subscribers.model import Subscriber
from mailer.tiers.census.counting import keep_census
from tests.support.signing_in import signed_in

KINDS = ("sqlite", "postgres")
PAGE_BAR, POST_BAR = 0.300, 0.020  # seconds of the database
CHOOSING_BAR = 30.0  # seconds: ours, no more than the freezing of a review may wait

PAGES = {
    "home": "/admin",
    "ladder": "/admin/levels",
    "movement, this month": "/admin/movement",
    "movement, a year": "/admin/movement?span=12",
    "asks": "/admin/asks",
    "report of an ask": "/admin/asks/ask-1",
    "its people who did it": "/admin/asks/ask-1?answer=done",
    "its groups": "/admin/asks/ask-1/groups",
    "who goes quiet": "/admin/quiet",
    "follow-ups": "/admin/followups",
}


@dataclasses.dataclass
class Clock:
    """What the database took: from a statement's handing over to its first row."""

    seconds: float = 0.0
    statements: int = 0
    _began: float = 0.0

    @contextlib.contextmanager
    def watching(self, house: House) -> Generator[None]:
        """Count what the house asks its database in the meantime."""
        engine = house.engine.sync_engine

        def before(*_of: Any) -> None:
            self._began = time.perf_counter()

        def after(*_of: Any) -> None:
            self.seconds += time.perf_counter() - self._began
            self.statements += 1

        event.listen(engine, "before_cursor_execute", before)
        event.listen(engine, "after_cursor_execute", after)
        try:
            yield
        finally:
            event.remove(engine, "before_cursor_execute", before)
            event.remove(engine, "after_cursor_execute", after)


Figures = tuple[float, float, int]
"""Seconds of the database, seconds of the whole, statements."""


def row(name: str, figures: list[Figures], bar: float) -> list[str]:
    """Write the medians of some rounds."""
    database = median([one[0] for one in figures])
    whole = median([one[1] for one in figures])
    return [
        name,
        f"{database * 1000:.1f}",
        f"{whole * 1000:.1f}",
        str(figures[-1][2]),
        times(database, bar),
    ]


HEAD = ["what", "ms of the database", "ms in all", "statements", "ratio"]


def pages(made: Ground, report: Report, how: argparse.Namespace) -> None:
    """Ask for pages of the admin area."""

    async def asked(house: House) -> list[list[str]]:
        rows = []
        async with house.work(reading=True) as work:
            amina = await accounts.by_address(work, "amina@war.example.org")
        assert amina
        # As a worker does once a minute.
        counting = Clock()
        with counting.watching(house):
            began = time.perf_counter()
            await keep_census(house)
            took = time.perf_counter() - began
        report.say(
            f"{made.kind}: counting everybody on the ladder, once a minute by a worker: "
            f"{counting.seconds * 1000:.0f} ms of the database, {took * 1000:.0f} in all"
        )
        async with a_client(house) as client:
            await signed_in(client, house, amina)
            for name, path in PAGES.items():
                figures: list[Figures] = []
                for _ in range(how.rounds + 1):
                    clock_ = Clock()
                    with clock_.watching(house):
                        began = time.perf_counter()
                        answer = await client.get(path)
                        took = time.perf_counter() - began
                    assert answer.status_code == 200, (path, answer.status_code)
                    figures.append((clock_.seconds, took, clock_.statements))
                rows.append(row(name, figures[1:], PAGE_BAR))
        return rows

    report.table(
        HEAD,
        made.do(asked),
        f"{made.kind}: pages, warm, medians of {how.rounds}; the bar is {PAGE_BAR * 1000:.0f} ms:",
    )


def posts(made: Ground, report: Report, how: argparse.Namespace) -> None:
    """Follow the links of mails: look at an ask, say yes to it, and say that it is done."""
    ask = roll.ASKS

    async def followed(house: House) -> list[list[str]]:
        async with house.work(reading=True) as work:
            links = Links("", Signer(house.keys), clock() - timedelta(hours=1))
            free = (
                select(Subscription.subscriber_no)
                .where(
                    Subscription.list_no == 1,
                    Subscription.state == SubscriptionState.CONFIRMED,
                    ~select(Pledge.no)
                    .where(Pledge.subscriber_no == Subscription.subscriber_no, Pledge.ask_no == ask)
                    .exists(),
                )
                .order_by(Subscription.subscriber_no.desc())
                .limit(how.posts + 1)
            )
            nos = (
                await work.session.scalars(
                    free, execution_options={"unscoped": "people for a measurement"}
                )
            ).all()
        figures: dict[str, list[Figures]] = {"look at an ask": [], "say yes": [], "it is done": []}
        async with a_client(house) as client:
            for no in nos:
                path = links.to(Purpose.ASK, no, subject=ask, cause=1)
                done = links.to(Purpose.ASK_DONE, no, subject=ask, cause=1)
                for name, data in (
                    ("look at an ask", None),
                    ("say yes", (path, {"answer": "yes"})),
                    ("it is done", (done, {"answer": "yes"})),
                ):
                    clock_ = Clock()
                    with clock_.watching(house):
                        began = time.perf_counter()
                        if data is None:
                            answer = await client.get(path)
                        else:
                            answer = await client.post(data[0], data=data[1])
                        took = time.perf_counter() - began
                    expected = 200 if data is None else 303
                    assert answer.status_code == expected, (name, answer.status_code, answer.text)
                    figures[name].append((clock_.seconds, took, clock_.statements))
        return [row(name, of[1:], POST_BAR) for name, of in figures.items()]

    report.table(
        HEAD,
        made.do(followed),
        f"{made.kind}: links, medians of {how.posts}; the bar is {POST_BAR * 1000:.0f} ms:",
    )


def choose(made: Ground, report: Report, how: argparse.Namespace) -> None:
    """Choose everybody's best ask, as the freezing of a newsletter does."""

    async def chosen(house: House) -> tuple[float, int]:
        campaign = roll.CAMPAIGNS + 1
        async with house.work() as work:
            among = await choosing.candidates(work)
            people = (
                select(Subscription.subscriber_no)
                .join(Subscriber, Subscriber.no == Subscription.subscriber_no)
                .where(Subscription.list_no == 1, Subscription.state == SubscriptionState.CONFIRMED)
            )
            began = time.perf_counter()
            await choosing.choose(work, campaign, people, among)
            await work.session.flush()
            took = time.perf_counter() - began
            count = sum((await _offered(work.session, campaign)).values())
            for table in (Offer, OfferTally):
                await work.session.execute(delete(table).where(table.campaign_no == campaign))
        return took, count

    took, count = made.do(chosen)
    bar = CHOOSING_BAR * how.size / 1_000_000
    report.table(
        ["what", "people", "seconds", "ratio"],
        [[f"best among {choosing.AT_MOST} asks", f"{count:,}", f"{took:.1f}", times(took, bar)]],
        f"{made.kind}: everybody’s best ask; the bar is {bar:.1f} s:",
    )


async def _offered(session: Any, campaign: int) -> dict[int, int]:
    found = await session.execute(
        select(OfferTally.ask_no, OfferTally.count).where(OfferTally.campaign_no == campaign)
    )
    return dict(found.all())


def measure(how: argparse.Namespace, report: Report) -> Iterator[str]:
    """Do all of it on each database that was asked for."""
    for kind in KINDS if how.db == "both" else [how.db]:
        with ground(kind, 1) as made:
            began = time.perf_counter()
            roll.fill(made, how.size, pledges=how.pledges / how.size)
            report.say(
                f"\n{kind}: {how.size:,} people with"
                f" {made.ask('SELECT count(*) FROM pledge')[0][0]:,} answers made in"
                f" {time.perf_counter() - began:.0f} s"
            )
            for part in (pages, posts, choose):
                part(made, report, how)
            yield kind


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", choices=[*KINDS, "both"], default="both")
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--pledges", type=int, default=3_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--posts", type=int, default=50)
    how = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    report = Report("ladder")
    for _kind in measure(how, report):
        pass
    report.save()


if __name__ == "__main__":
    main()
