"""`campaign`: how campaigns stand, the brake, and what is sent once more, without the pages."""

from typing import Annotated

import typer
from rich.table import Table

from mailer.bootstrap import House
from mailer.campaigns import correcting, sending, store
from mailer.campaigns.model import Campaign
from mailer.cli.kit import out, run
from mailer.deliveries import store as deliveries
from mailer.deliveries import trying_again, watching
from mailer.deliveries.model import last_word
from mailer.kit.errors import NotFound
from mailer.kit.work import Door, Work

app = typer.Typer(help="How campaigns stand, and the brake.", no_args_is_help=True)


class NoSuchCampaign(NotFound):
    """There is no such campaign."""


@app.command("list")
def list_campaigns() -> None:
    """List the newest campaigns."""

    async def command(house: House) -> None:
        async with house.work(reading=True, door=Door.CLI) as work:
            page = await store.all_campaigns(work)
        table = Table("campaign", "state", "people", "name", box=None)
        for one in page.rows:
            people = "" if one.recipients is None else f"{one.recipients:,}"
            table.add_row(str(one.no), one.state.value, people, one.name)
        out.print(table if page.rows else "No campaign yet.")

    run(command)


@app.command("show")
def show(number: Annotated[int, typer.Argument(help="As `campaign list` gives it.")]) -> None:
    """Say how far one has come: how many in which state, how fast, and what keeps it."""

    async def command(house: House) -> None:
        async with house.work(reading=True, door=Door.CLI) as work:
            campaign = await _campaign(work, number)
            look = await watching.look_at(work, campaign)
            skipped = await deliveries.why_skipped(work, campaign)
        out.print(
            f"{campaign.name}: {campaign.state.value} {campaign.reason}".rstrip(), markup=False
        )
        for state, count in sorted(look.progress.counts.items()):
            out.print(f"  {count:8,}  {state.name.lower()}")
        for reason, count in skipped.items():
            out.print(f"  {count:8,}  skipped: {last_word(reason)}", markup=False)
        if look.progress.finish_at:
            done_at = f"{look.progress.finish_at:%d %B, %H:%M}"
            out.print(f"Done at about {done_at} UTC, at {look.progress.rate:,} a minute.")
        for one in look.held_back:
            more = "at least " if one.or_more else ""
            slow = f"{one.domain} has {one.per_minute:.0f} a minute: {more}{one.waiting:,} wait."
            out.print(f"{slow} {one.words}".rstrip(), markup=False)

    run(command)


@app.command("pause")
def pause(number: Annotated[int, typer.Argument(help="Which.")]) -> None:
    """Hold a campaign that is being sent. It can go on later."""

    async def command(house: House) -> None:
        async with house.work(door=Door.CLI) as work:
            await sending.pause(work, await _campaign(work, number))
        out.print("Paused. What has been handed over cannot be taken back.")

    run(command)


@app.command("resume")
def resume(number: Annotated[int, typer.Argument(help="Which.")]) -> None:
    """Let a paused campaign go on, with those who have not had it."""

    async def command(house: House) -> None:
        async with house.work(door=Door.CLI) as work:
            await sending.resume(work, await _campaign(work, number))
        out.print("It goes on.")

    run(command)


@app.command("release")
def release(number: Annotated[int, typer.Argument(help="Which.")]) -> None:
    """Let a campaign go that is held, after a restore or when its time had passed."""

    async def command(house: House) -> None:
        async with house.work(door=Door.CLI) as work:
            undo_seconds = house.settings.undo_seconds
            await sending.release(work, await _campaign(work, number), undo_seconds=undo_seconds)
        out.print("Released.")

    run(command)


@app.command("stop")
def stop(
    number: Annotated[int, typer.Argument(help="Which.")],
    sure: Annotated[bool, typer.Option("--for-good", help="It cannot be taken up again.")] = False,
) -> None:
    """Stop a campaign for good: who waits never gets it."""
    if not sure:
        out.print("This cannot be undone. Say --for-good, or use `campaign pause`.")
        raise typer.Exit(1)

    async def command(house: House) -> None:
        async with house.work(door=Door.CLI) as work:
            await sending.cancel(work, await _campaign(work, number))
        out.print("Stopped. What has been handed over cannot be taken back.")

    run(command)


@app.command("again")
def again(
    number: Annotated[int, typer.Argument(help="Which.")],
    refused: Annotated[
        bool, typer.Option("--refused", help="Those whom servers refused for good, too.")
    ] = False,
) -> None:
    """Try those again whom a campaign has not reached after five days of trying."""

    async def command(house: House) -> None:
        async with house.work(door=Door.CLI) as work:
            campaign = await _campaign(work, number)
            count = await trying_again.try_failed(work, campaign)
            if refused:
                count += await trying_again.try_refused(work, campaign)
        out.print(f"{count:,} tried again.")

    run(command)


@app.command("correct")
def correct(number: Annotated[int, typer.Argument(help="The one that was wrong.")]) -> None:
    """Begin the draft of a correction for those who got a campaign, and nobody else."""

    async def command(house: House) -> None:
        async with house.work(door=Door.CLI) as work:
            correction = await correcting.correct(work, await _campaign(work, number))
        out.print(f"{correction.no}: {correction.name}. Write and review it on the pages.")

    run(command)


async def _campaign(work: Work, number: int) -> Campaign:
    found = await store.by_no(work, number)
    if found is None:
        raise NoSuchCampaign
    return found
