"""What the organisation demands, as anybody may read it: what was reached, and what can be done.

Nothing here is about anybody, and there is no link of anybody's. How many said yes to an ask is
told where they are too many to be guessed.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, SkipValidation
from litestar.response import Template
from litestar.types import ControllerRouterHandler
from markupsafe import Markup

from mailer.asks import store as asks
from mailer.asks.model import Ask, Demand, DemandState
from mailer.content.markdown import literal
from mailer.kit import i18n
from mailer.kit.errors import NotFound
from mailer.kit.i18n import _, in_language, ngettext
from mailer.kit.work import Work
from mailer.relays import store as sending_rules
from web.kit.pages import page
from web.kit.security import public
from web.kit.sessions import Asked
from web.public.asks import AS_OF, FEW, takes
from web.public.words import day, prose


class DemandUnknown(NotFound):
    """There is no such demand to read here."""


class ToDo(msgspec.Struct, frozen=True):
    """Something that can be done for a demand."""

    title: str
    about: list[str]  # how long it takes, by when, and how many said yes


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A demand in one language."""

    uid: str
    language: str
    dir: str
    title: str
    text: Markup
    progress: Markup
    won_on: str
    others: list[tuple[str, str]]  # the other languages that it was written in


@get("/demands", opt=public)
async def demands(request: Asked, work: NamedDependency[SkipValidation[Work]]) -> Template:
    """List what is demanded, and what was won, newest first."""
    found = [
        (in_language(one.title), f"/demands/{one.uid}", _standing(one))
        for one in await asks.open_demands(work)
    ]
    return page(request, "public/demands/list.html", demands=found)


@get("/demands/{uid:str}", opt=public)
async def demand(
    request: Asked,
    work: NamedDependency[SkipValidation[Work]],
    uid: FromPath[str],
    language: FromQuery[str] = "",
) -> Template:
    """Show one demand, in the reader's language if it was written in it."""
    found = await asks.demand_by_uid(work, uid)
    if found is None or found.state not in {DemandState.OPEN, DemandState.WON}:
        raise DemandUnknown
    told = _told(found, language)
    its = [one for one in await asks.asks_of(work, found.no) if one.is_open(work.now)]
    return page(
        request,
        "public/demands/demand.html",
        demand=told,
        asks=await _to_do(request, work, its, told.language),
    )


def _told(one: Demand, wanted: str) -> Told:
    spoken = i18n.language.get()
    language = next((code for code in (wanted, spoken) if code in one.title), next(iter(one.title)))
    return Told(
        uid=one.uid,
        language=language,
        dir=i18n.direction(language),
        title=in_language(one.title, language),
        text=_prose(one.text, language),
        progress=_prose(one.progress, language),
        won_on=_won_on(one),
        others=[(code, i18n.own_name(code)) for code in one.title if code != language],
    )


def _prose(text: dict[str, str], language: str) -> Markup:
    return prose(literal(in_language(text, language)), language)


def _won_on(one: Demand) -> str:
    return day(one.closed_at) if one.state is DemandState.WON and one.closed_at else ""


def _standing(one: Demand) -> str:
    won_on = _won_on(one)
    return _("Won on %(day)s") % {"day": won_on} if won_on else ""


async def _to_do(request: Asked, work: Work, its: Sequence[Ask], language: str) -> list[ToDo]:
    zone = await sending_rules.zone(work)
    return [
        ToDo(
            in_language(one.title, language),
            [
                *([takes(one.minutes)] if one.minutes is not None else []),
                *(
                    [_("until %(day)s") % {"day": day(one.deadline.astimezone(zone))}]
                    if one.deadline
                    else []
                ),
                *_people(await _yeses(request, work, one)),
            ],
        )
        for one in its
    ]


async def _yeses(request: Asked, work: Work, ask: Ask) -> int:
    """Count those who said yes, anew each minute: anybody may load this page as often as they like.

    The numbers are those that the pages of the asks show.
    """
    counted: dict[int, tuple[datetime, int]] = request.app.state.setdefault("yeses", {})
    at, number = counted.get(ask.no, (None, 0))
    if at is None or work.now - at > AS_OF:
        number = await asks.standing(work, ask.no)
        counted[ask.no] = work.now, number
    return number


def _people(number: int) -> list[str]:
    if number < FEW:
        return []
    words = ngettext("%(num)s person said yes", "%(num)s people said yes", number)
    return [words % {"num": number}]


HANDLERS: list[ControllerRouterHandler] = [
    demands,
    demand,
]
