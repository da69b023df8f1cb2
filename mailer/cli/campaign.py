"""`campaign`: how campaigns stand, and the brake, for when the pages cannot be reached."""

from typing import Annotated

import typer
from rich.table import Table

from mailer.bootstrap import House
from mailer.campaigns import sending, store
from mailer.campaigns.model import Campaign
from mailer.cli.kit import out, run
from mailer.deliveries import store as deliveries
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
    """Say how far one has come: how many in which state, and why it stands still if it does."""

    async def command(house: House) -> None:
        async with house.work(reading=True, door=Door.CLI) as work:
            campaign = await _campaign(work, number)
            progress = await deliveries.progress(work, campaign)
        out.print(
            f"{campaign.name}: {campaign.state.value} {campaign.reason}".rstrip(), markup=False
        )
        for state, count in sorted(progress.counts.items()):
            out.print(f"  {count:8,}  {state.name.lower()}")

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


async def _campaign(work: Work, number: int) -> Campaign:
    found = await store.by_no(work, number)
    if found is None:
        raise NoSuchCampaign
    return found
