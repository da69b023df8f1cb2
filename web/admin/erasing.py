"""Erasing somebody for good, as an organiser does it: with a reason, and their address typed."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.kit.errors import Invalid
from mailer.kit.i18n import _
from mailer.kit.work import Work
from mailer.records import actions as records
from mailer.records import erasing
from mailer.records.erasing import CHOICES, GROUNDS, Ground, Remains
from mailer.records.store import Person
from web.admin.campaigns import Working
from web.admin.people import at, called
from web.kit.errors import status_of
from web.kit.forms import Form, Tried, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import gated
from web.kit.sessions import Asked


class ReasonNeeded(Invalid):
    """Please say why."""


class RemainsNeeded(Invalid):
    """Please choose what remains."""


class TypedOtherwise(Invalid):
    """This is not what stands above. Please type it as it stands there."""


@get("/people/{uid:str}/erasure", opt=gated(Power.CHANGE_PEOPLE))
async def ask_to_erase(request: Asked, work: Working, uid: FromPath[str]) -> Template:
    """Say what erasing somebody does, and ask."""
    return _ask(request, await _person(work, uid))


@post("/people/{uid:str}/erasure", opt=gated(Power.CHANGE_PEOPLE))
async def erase(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Erase somebody, if that is the answer and it is they who are meant."""
    person = await _person(work, uid)
    form = await read_form(request)
    if form.raw("answer") != "yes":
        return redirect(at(person.subscriber), notice=_("Nothing has changed."), kind="info")
    async with attempt(work) as tried:
        ground = _ground(form)
        remains = _remains(form)
        if form.text("typed").casefold() != _to_type(person).casefold():
            raise TypedOtherwise(field="typed")
        await erasing.erase(work, person.subscriber, remains=remains, ground=ground)
    if tried.refusal is not None:
        return _ask(request, person, form, tried)
    return redirect("/admin/people", notice=_("Erased. Nothing that says who they were is left."))


async def _person(work: Work, uid: str) -> Person:
    """Find whom it is about; who sees some groups alone is told so before they type anything."""
    person = await records.person(work, uid)
    erasing.ask_for_all(work)
    return person


def _to_type(person: Person) -> str:
    """Give what must be typed: what only this one has."""
    return person.subscriber.address or called(person.subscriber)


def _ground(form: Form) -> Ground:
    typed = form.raw("ground")
    if typed not in CHOICES:
        raise ReasonNeeded(field="ground")
    return Ground(typed)


def _remains(form: Form) -> Remains:
    typed = form.raw("remains")
    if typed not in set(Remains):
        raise RemainsNeeded(field="remains")
    return Remains(typed)


def _ask(
    request: Asked, person: Person, form: Form | None = None, tried: Tried | None = None
) -> Template:
    typed = form.values if form else {}
    errors = tried.errors if tried else {}
    return page(
        request,
        "admin/people/erase.html",
        status=status_of(tried.refusal) if tried and tried.refusal else 200,
        here=at(person.subscriber),
        name=called(person.subscriber),
        to_type=_to_type(person),
        has_address=person.subscriber.address is not None,
        grounds=[(ground.value, _(GROUNDS[ground])) for ground in CHOICES],
        values={
            "ground": typed.get("ground", ""),
            "remains": typed.get("remains", Remains.MARK.value),
            "typed": typed.get("typed", ""),
        },
        errors=errors,
    )


HANDLERS = [ask_to_erase, erase]
