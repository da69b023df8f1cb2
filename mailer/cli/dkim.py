"""`dkim`: keys that sign our emails, where the mail server does not sign them itself."""

from typing import Annotated

import typer

from mailer.bootstrap import House
from mailer.cli.kit import out, run
from mailer.kit.errors import NotFound
from mailer.kit.work import Door, Work
from mailer.signing import actions, dkim, store
from mailer.signing.dkim import Algorithm
from mailer.signing.model import SigningKey, Stage

app = typer.Typer(
    help="Keys that sign our emails, where the mail server does not.", no_args_is_help=True
)

_STAGES = {
    Stage.MADE: "made, to be published and switched on",
    Stage.SIGNING: "signing",
    Stage.RETIRED: "retired",
}

Selector = Annotated[str, typer.Argument(help="As `dkim show` gives it.")]


class NoSuchKey(NotFound):
    """There is no such key. `rollcall dkim show` lists them."""


@app.command("new")
def new(
    algorithm: Annotated[
        Algorithm, typer.Option(help="Every mail server reads rsa; ed25519 only beside it.")
    ] = Algorithm.RSA,
) -> None:
    """Make a key for the domain that emails come from, and print the DNS record to publish."""

    async def command(house: House) -> None:
        key = await actions.generate(algorithm)
        async with house.work(door=Door.CLI) as work:
            made = await actions.new_key(work, key)
        _print(made)
        out.print(f"When it can be found: rollcall dkim switch-on {made.selector} --published")

    run(command)


@app.command("show")
def show() -> None:
    """List the keys, the newest first, each with its DNS record."""

    async def command(house: House) -> None:
        async with house.work(reading=True, door=Door.CLI) as work:
            found = await store.all_keys(work)
        for key in found:
            _print(key)
        if not found:
            out.print("No key yet: the mail server signs, or nobody does. rollcall dkim new")

    run(command)


@app.command("switch-on")
def switch_on(
    selector: Selector,
    published: Annotated[
        bool, typer.Option("--published", help="Its record stands in DNS; you have looked.")
    ] = False,
) -> None:
    """Sign with a key from now on. The one of its kind before it retires."""

    async def command(house: House) -> None:
        async with house.work(door=Door.CLI) as work:
            key = await _key(work, selector)
            retired = await actions.switch_on(work, key, is_published=published)
        out.print(f"{key.selector} signs what is sent from {key.domain}.", markup=False)
        for old in retired:
            _print_end(old)

    run(command)


@app.command("retire")
def retire(selector: Selector) -> None:
    """Sign with a key no more. Its secret half is destroyed; its record has to stay for a while."""

    async def command(house: House) -> None:
        async with house.work(door=Door.CLI) as work:
            key = await _key(work, selector)
            await actions.retire(work, key)
        _print_end(key)

    run(command)


def _print(key: SigningKey) -> None:
    out.print(f"{key.selector} ({key.domain}): {_STAGES[key.stage]}", markup=False)
    if key.stage is Stage.RETIRED:
        _print_end(key)
    else:
        out.print(f"{key.record_name}. IN TXT {dkim.in_strings(key.record)}", markup=False)


def _print_end(key: SigningKey) -> None:
    out.print(
        f"{key.selector} is retired. Leave {key.record_name} in DNS until"
        f" {key.published_until:%Y-%m-%d}.",
        markup=False,
    )


async def _key(work: Work, selector: str) -> SigningKey:
    found = await store.by_selector(work, selector)
    if found is None:
        raise NoSuchKey
    return found
