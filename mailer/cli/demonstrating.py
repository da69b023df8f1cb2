"""`demo`: the main job, done before your eyes on real input, in a temporary place.

A file of people is imported, a newsletter is written, its audience frozen, and it is sent in real
SMTP conversations to a catcher (or to the server you name). Then everything stays up: the pages,
the admin area, the worker, and an inbox in which the mails can be read and their links followed.
"""

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Annotated

import msgspec
import pyotp
import typer
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from mailer.accounts import actions as accounts
from mailer.accounts import signing_in
from mailer.accounts.model import Role
from mailer.asks import actions as asks
from mailer.bootstrap import House, furnish, open_house
from mailer.campaigns import composing, sending
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import CampaignState
from mailer.cli.catcher import Catcher
from mailer.cli.importing import apply, rehearse, tell
from mailer.cli.kit import out, read_settings, refusing
from mailer.cli.serving import WEB, WORKER, supervise
from mailer.consent import store as consent
from mailer.deliveries import freezing
from mailer.deliveries import store as deliveries
from mailer.imports.model import Basis
from mailer.kit.logs import keep_records
from mailer.kit.work import Door
from mailer.migrations import migrate
from mailer.organisation import actions as organisation
from mailer.outbox.model import DeliveryState
from mailer.settings import PREFIX, Settings

INPUT = Path(__file__).parent / "demo_input"
ADDRESS = "amara@example.org"
EVIDENCE = "Signed the sheets at the launch, and ticked the box for the Bulletin."
WORDS = {
    "en": {
        "subject": "{{ first_name|Friend }}, who has a hall, a van and a printer?",
        "headline": "We asked each other four questions",
        "preheader": "What fifty of us said on Saturday, and what your branch can take from it.",
    },
    "fr": {
        "subject": "{{ first_name|Bonjour }}, qui a une salle, une camionnette, une imprimante ?",
        "headline": "Nous nous sommes posé quatre questions",
        "preheader": "Ce que nous avons dit samedi, et ce que votre section peut en tirer.",
    },
}
ASKS = ("share-resources", "write-to-representative")
"""Of the library: the newsletter asks for the first, and its page then offers the second."""
DEMAND = {
    "en": "The right to work for people seeking asylum",
    "fr": "Le droit au travail pour les personnes qui demandent l’asile",
}
MEANS = {
    "en": "Nobody should wait for years without being allowed to earn a living beside us.",
    "fr": "Personne ne devrait attendre des années sans pouvoir gagner sa vie à nos côtés.",
}
"""What both asks serve."""

_SETTLED = (
    DeliveryState.SENT,
    DeliveryState.REFUSED,
    DeliveryState.FAILED,
    DeliveryState.SKIPPED,
    DeliveryState.IN_DOUBT,
)


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """Where the demo plays."""

    settings: Settings
    folder: Path
    catcher: Catcher | None

    def environment(self) -> Mapping[str, str]:
        """Say the settings in the words of the environment, for the processes."""
        return {
            f"{PREFIX}{name.upper()}": str(getattr(self.settings, name))
            for name in self.settings.__struct_fields__
        }


def demo(
    smtp: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Send to this server, not to the catcher.")
    ] = "",
    port: Annotated[int, typer.Option(help="Where the pages are; another if it is taken.")] = 8000,
    then: Annotated[
        str, typer.Option(help="`stay` up until Ctrl-C, or `leave` when the mails are out.")
    ] = "stay",
) -> None:
    """Show the main job on real input: a roll of 500, a newsletter sent, received and answered."""
    given = read_settings()
    keep_records(least=logging.WARNING)
    with refusing(), tempfile.TemporaryDirectory(prefix="rollcall-demo-") as folder:
        asyncio.run(_play(given, Path(folder), smtp, port, stay=then == "stay"))


async def _play(given: Settings, folder: Path, smtp: str, port: int, *, stay: bool) -> None:
    began = time.monotonic()
    async with _stage(given, folder, smtp, port) as stage:
        out.rule("1. A roll of people")
        await asyncio.to_thread(migrate, stage.settings.database_url)
        house = open_house(stage.settings)
        running: asyncio.Task[int] | None = None
        try:
            seed, password = await _describe(house)
            rehearsed = await rehearse(house, INPUT / "roll.csv", "bulletin")
            await tell(house, rehearsed)
            await apply(house, rehearsed, Basis.AGREED, EVIDENCE)
            out.rule("2. A newsletter, its audience frozen")
            campaign_no = await _compose(house)
            out.rule("3. Sent, in real SMTP conversations")
            running = asyncio.create_task(_run(stage))
            await _watch(house, stage, campaign_no)
            out.print(f"  {time.monotonic() - began:.1f} s from the start of the demo.")
            _say_what_next(stage, password)
            if stay:
                await _stay(running, seed)
        finally:
            if running is not None and not running.done():
                signal.raise_signal(signal.SIGTERM)
                await running
            await house.engine.dispose()


@contextlib.asynccontextmanager
async def _stage(given: Settings, folder: Path, smtp: str, port: int) -> AsyncGenerator[Stage]:
    """Make the place: settings of its own, and the catcher unless another server was named."""
    inbox = folder / "inbox"
    inbox.mkdir()
    port = _free(port)
    async with contextlib.AsyncExitStack() as stack:
        catcher = None if smtp else await stack.enter_async_context(Catcher(inbox))
        host, _, number = smtp.rpartition(":")
        settings = msgspec.structs.replace(
            given,
            data=str(folder),
            database=f"sqlite+aiosqlite:///{folder / 'rollcall.db'}",
            secret=secrets.token_hex(32),
            public_url=f"http://127.0.0.1:{port}",
            host="127.0.0.1",
            port=port,
            smtp_host=host or "127.0.0.1",
            smtp_port=catcher.port if catcher else int(number),
            smtp_security="none" if catcher else given.smtp_security,
            undo_seconds=15,
            pause=0.25,
            demo=True,
            demo_inbox=str(inbox) if catcher else "",
        )
        yield Stage(settings=settings, folder=folder, catcher=catcher)


def _free(wanted: int) -> int:
    """Take the wanted port, or any if something listens there already."""
    for port in (wanted, 0):
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            found: int = one.getsockname()[1]
            return found
    raise OSError("no port is free")


async def _describe(house: House) -> tuple[str, str]:
    """Furnish the house, describe the organisation, and open an account with its second factor."""
    await furnish(house)
    password = "-".join(secrets.token_hex(3) for _ in range(3))
    hashed = await accounts.hash_password(password, address=ADDRESS)
    async with house.work(door=Door.CLI) as work:
        await organisation.describe(
            work,
            name="Solidarity Network",
            postal_address="The Weavers’ Hall, 14 Mill Lane, Northgate",
            sender_name="Solidarity Network",
            sender_address="news@roll.example.org",
            reply_to="",
            colour="#ffc233",
            language="en",
            headline={
                "en": "Racism divides us. We organise.",
                "fr": "Le racisme nous divise. Nous nous organisons.",
            },
            lede={
                "en": "Join trade unionists, workplace organisers and community groups who do one "
                "concrete thing at a time, and tell each other how it went.",
                "fr": "Rejoignez des syndicalistes, des militants d’entreprise et des groupes de "
                "quartier qui font une chose concrète à la fois, et se racontent la suite.",
            },
        )
        account = await accounts.open_account(
            work, address=ADDRESS, name="Amara", role=Role.OWNER, password_hash=hashed
        )
        seed = await signing_in.begin_factor(work, account)
        # The code before this one: it still counts, and the one of now is left for signing in.
        await signing_in.confirm_factor(work, account, pyotp.TOTP(seed).at(int(time.time()) - 30))
    return seed, password


async def _compose(house: House) -> int:
    """Write the newsletter, freeze who gets it, and confirm the exact number."""
    base = house.settings.public_url
    async with house.work(door=Door.CLI) as work:
        bulletin = await consent.list_by_slug(work, "bulletin")
        assert bulletin
        campaign = await composing.begin(work, name="Who has a hall, a van and a printer?")
        words = {
            language: {**said, "markdown": _read(f"newsletter.{language}.md")}
            for language, said in WORDS.items()
        }
        await composing.revise(work, campaign, words=words)
        await composing.choose_audience(
            work,
            campaign,
            list_no=bulletin.no,
            to_everybody=True,
            tier_nos=[],
        )
        taken = {key: await asks.take_from_library(work, key) for key in ASKS}
        demand = await asks.raise_demand(work, title=DEMAND, text=MEANS)
        await asks.open_demand(work, demand)
        for ask in taken.values():
            serving = await asks.revise(
                work, ask, version=ask.version, title=ask.title, demand_no=demand.no
            )
            await asks.open_ask(work, serving)
        await composing.choose_ask(work, campaign, ask_no=taken[ASKS[0]].no)
    async with house.work(door=Door.CLI) as work:
        campaign = await work.session.merge(campaign)
        await freezing.review(work, campaign, base=base)
        out.print(f"  “{campaign.name}”, in English and French")
        out.print(
            f"  {campaign.recipients:,} people get it; left out: {campaign.left_out or 'none'}"
        )
        await sending.schedule(work, campaign, typed=str(campaign.recipients), undo_seconds=0)
        return campaign.no


def _read(name: str) -> str:
    return (INPUT / name).read_text(encoding="utf-8")


async def _watch(house: House, stage: Stage, campaign_no: int) -> None:
    """Follow the ledger until the campaign is done; then say what was accepted, by whom."""
    columns = (TextColumn("  handing over"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out) as bar:
        task = bar.add_task("", total=None)
        while True:
            async with house.work(reading=True, door=Door.CLI) as work:
                campaign = await campaigns.by_no(work, campaign_no)
                assert campaign
                counts = (await deliveries.progress(work, campaign)).counts
            settled = sum(counts.get(state, 0) for state in _SETTLED)
            bar.update(task, total=campaign.recipients, completed=settled)
            if campaign.state in {CampaignState.SENT, CampaignState.PAUSED, CampaignState.HELD}:
                break
            await asyncio.sleep(0.1)
    for state, count in sorted(counts.items()):
        out.print(f"  {count:6,}  {state.name.lower().replace('_', ' ')}")
    if campaign.reason:
        out.print(f"  {campaign.reason}", markup=False)
    if stage.catcher:
        out.print(f"  {stage.catcher.accepted:6,}  mails are in the catcher’s folder")


def _say_what_next(stage: Stage, password: str) -> None:
    base = stage.settings.public_url
    out.rule("What to do next")
    if stage.catcher:
        out.print(f"  Read the mails and follow their links   [bold]{base}/demo/inbox[/bold]")
    out.print(f"  Sign up as somebody new                 [bold]{base}/join[/bold]")
    out.print(f"  See what is demanded, and what helps    [bold]{base}/demands[/bold]")
    out.print(f"  Sign in to the admin area               [bold]{base}/admin[/bold]")
    out.print(f"      address    {ADDRESS}")
    out.print(f"      password   {password}")
    out.print("      code       the six digits below, or an app with the key beside them")
    out.print("  Everything is in a temporary place and goes when you press Ctrl-C.\n")


async def _run(stage: Stage) -> int:
    """Run the web server and the worker; their records go to a file, not between these lines."""
    descriptor = os.open(stage.folder / "records.log", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    try:
        return await supervise([WEB, WORKER], stage.environment(), records=descriptor)
    finally:
        os.close(descriptor)


async def _stay(running: asyncio.Task[int], seed: str) -> None:
    """Stay up, and show the code of the moment: each counts once, for half a minute."""
    totp = pyotp.TOTP(seed)
    out.print(f"  key  [bold]{seed}[/bold]")
    if not out.is_terminal:
        out.print(f"  code [bold]{totp.now()}[/bold] at the time of writing")
        await running
        return
    with Live(console=out, transient=True, auto_refresh=False) as line:
        while not running.done():
            left = 30 - int(time.time()) % 30
            line.update(f"  code [bold]{totp.now()}[/bold] for {left:2} more seconds", refresh=True)
            await asyncio.wait({running}, timeout=1)
