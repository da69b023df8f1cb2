"""My data: all that is held of somebody, to read, to take away, and to have erased.

Opened from a fresh private link alone, which goes to the address on the roll when it is asked for.
"""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import Template
from litestar.types import ControllerRouterHandler

from mailer.kit.errors import Invalid
from mailer.kit.tokens import LIVES, Purpose
from mailer.kit.work import Work
from mailer.records import actions as records
from mailer.records import erasing, my_data
from mailer.records.erasing import Ground, Remains
from web.kit.forms import attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import member_link, public
from web.kit.sessions import Asked, visit_of
from web.public.opening import Answer, Opened, at_the_door, minutes, unchanged
from web.public.words import day

PRIVATE_MINUTES = minutes(LIVES[Purpose.PRIVATE])


class RemainsUnknown(Invalid):
    """Please choose what remains."""


@get("/my/{token:str}/data", opt=member_link)
async def show(
    request: Asked, work: NamedDependency[SkipValidation[Work]], token: FromPath[str]
) -> Answer:
    """Show all that is held of somebody, in plain words."""
    return await at_the_door(request, work, token, _all, Purpose.PRIVATE)


async def _all(link: Opened) -> Template:
    parts = await my_data.known(link.work, link.subscriber)
    timeline = await records.timeline(link.work, link.subscriber)
    return link.page(
        "public/my_data/all.html",
        path=f"/my/{link.token}/data",
        parts=my_data.shown(parts, timeline),
        since=day(link.subscriber.joined_at),
        closes_in=_closes_in(link),
    )


def _closes_in(link: Opened) -> int:
    ends = link.claim.expires_at
    return minutes(ends - link.work.now) if ends else PRIVATE_MINUTES


@get("/my/{token:str}/data.json", opt=member_link)
async def take_json(
    request: Asked, work: NamedDependency[SkipValidation[Work]], token: FromPath[str]
) -> Answer:
    """Give all of it as JSON."""

    async def give(link: Opened) -> Answer:
        content = my_data.as_json(
            await my_data.known(link.work, link.subscriber),
            organisation=visit_of(request).organisation.name,
            made_at=work.now,
        )
        return _file(content, "my-data.json", "application/json")

    return await at_the_door(request, work, token, give, Purpose.PRIVATE)


@get("/my/{token:str}/data.csv", opt=member_link)
async def take_csv(
    request: Asked, work: NamedDependency[SkipValidation[Work]], token: FromPath[str]
) -> Answer:
    """Give all of it as a table."""

    async def give(link: Opened) -> Answer:
        content = my_data.as_csv(await my_data.known(link.work, link.subscriber))
        return _file(content, "my-data.csv", "text/csv; charset=utf-8")

    return await at_the_door(request, work, token, give, Purpose.PRIVATE)


def _file(content: bytes, name: str, kind: str) -> Response[Any]:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=kind, headers=headers)


@get("/my/{token:str}/erasure", opt=member_link)
async def ask(
    request: Asked, work: NamedDependency[SkipValidation[Work]], token: FromPath[str]
) -> Answer:
    """Say what erasing does and what can remain, and ask."""

    async def then(link: Opened) -> Answer:
        return _ask(link)

    return await at_the_door(request, work, token, then, Purpose.PRIVATE)


def _ask(link: Opened, errors: dict[str, str] | None = None) -> Template:
    return link.page(
        "public/my_data/erase.html",
        status=422 if errors else 200,
        path=f"/my/{link.token}/erasure",
        address=link.subscriber.address,
        errors=errors or {},
        closes_in=_closes_in(link),
    )


@post("/my/{token:str}/erasure", opt=member_link, status_code=200)
async def erase(
    request: Asked, work: NamedDependency[SkipValidation[Work]], token: FromPath[str]
) -> Answer:
    """Erase somebody who says so by its button; without it do nothing."""

    async def then(link: Opened) -> Answer:
        form = await read_form(request)
        if form.raw("answer") != "yes":
            return unchanged(_ask(link), pressed=form.raw("answer") == "no")
        async with attempt(link.work) as tried:
            await erasing.erase(
                link.work,
                link.subscriber,
                remains=_remains(form.raw("remains")),
                ground=Ground.THEY_DID,
            )
        if tried.refusal is not None:
            return _ask(link, tried.errors)
        return redirect("/my/erased")

    return await at_the_door(request, work, token, then, Purpose.PRIVATE)


def _remains(typed: str) -> Remains:
    try:
        return Remains(typed)
    except ValueError:
        raise RemainsUnknown(field="remains") from None


@get("/my/erased", opt=public)
async def erased(request: Asked) -> Template:
    """Say that it is done."""
    return page(request, "public/my_data/erased.html")


HANDLERS: list[ControllerRouterHandler] = [show, take_json, take_csv, ask, erase, erased]
