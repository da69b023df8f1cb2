"""Duplicates: pairs that seem to be one person, and making one of two."""

from typing import Any
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.consent import store as lists
from mailer.consent.model import SubscriptionState
from mailer.fields import store as fields
from mailer.fields.values import shown
from mailer.kit import i18n
from mailer.kit.addresses import read_address
from mailer.kit.errors import Invalid
from mailer.kit.i18n import N_, _, in_language, own_name
from mailer.kit.work import Work
from mailer.phones import store as phones
from mailer.records import actions as records
from mailer.records import merging
from mailer.records.merging import Take
from mailer.records.pairs import store as pairs
from mailer.records.store import Person
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import Subscriber
from mailer.tags import store as tags
from web.admin.campaigns import Working
from web.admin.people import at, called
from web.admin.telling import day
from web.kit.forms import attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import gated
from web.kit.sessions import Asked

WHY = {
    "phone": N_("One telephone number"),
    "address": N_("One mailbox, written in two ways"),
    "name": N_("One name in one place"),
}
STATES = {
    SubscriptionState.UNCONFIRMED: N_("not confirmed yet"),
    SubscriptionState.CONFIRMED: N_("confirmed"),
    SubscriptionState.UNSUBSCRIBED: N_("has left"),
}


class NobodyThere(Invalid):
    """Nobody on the roll has this address."""


@get("/duplicates", opt=gated(Power.CHANGE_PEOPLE))
async def show_duplicates(request: Asked, work: Working, below: FromQuery[int] = 0) -> Template:
    """Show pairs that seem to be one person, the newest first."""
    _reach(work)
    found = await pairs.suggest(work, below=below if below > 0 else None)
    nos = {no for pair in found.pairs for no in (pair.newer, pair.older)}
    known = await subscribers.by_nos(work, nos)
    return page(
        request,
        "admin/duplicates/list.html",
        pairs=[
            {
                "one": _card(known[pair.older]),
                "other": _card(known[pair.newer]),
                "why": _(WHY[pair.why]),
                "href": _between(known[pair.older], known[pair.newer]),
            }
            for pair in found.pairs
            if pair.newer in known and pair.older in known
        ],
        further=f"/admin/duplicates?{urlencode({'below': found.below})}" if found.below else "",
        before="/admin/duplicates" if below else "",
    )


def _card(one: Subscriber) -> dict[str, str]:
    return {
        "href": at(one),
        "name": called(one),
        "address": one.address if one.address and one.shown_name else "",
        "place": " ".join(part for part in (one.postcode, one.city) if part),
        "since": _("On the roll since %(day)s.") % {"day": day(one.joined_at)},
    }


def _between(kept: Subscriber, other: Subscriber) -> str:
    return f"/admin/duplicates/{kept.uid}/{other.uid}"


@get("/people/{uid:str}/merging", opt=gated(Power.CHANGE_PEOPLE))
async def ask_whom(
    request: Asked, work: Working, uid: FromPath[str], other: FromQuery[str] = ""
) -> Response[Any]:
    """Ask by which address somebody is known too, and lead on to both side by side."""
    _reach(work)
    person = await records.person(work, uid)
    if not other.strip():
        return _whom_page(request, person)
    async with attempt(work) as tried:
        found = await subscribers.by_address(work, read_address(other))
        if found is None or found.erased_at is not None:
            raise NobodyThere(field="address")
        if found.no == person.subscriber.no:
            raise merging.SamePerson(field="address")
    if tried.refusal:
        return _whom_page(request, person, typed=other, error=tried.words)
    return redirect(_between(person.subscriber, found))


def _whom_page(request: Asked, person: Person, *, typed: str = "", error: str = "") -> Template:
    return page(
        request,
        "admin/duplicates/whom.html",
        status=422 if error else 200,
        name=called(person.subscriber),
        here=at(person.subscriber),
        typed=typed,
        error=error,
    )


@get("/duplicates/{uid:str}/{other:str}", opt=gated(Power.CHANGE_PEOPLE))
async def show_pair(
    request: Asked, work: Working, uid: FromPath[str], other: FromPath[str]
) -> Response[Any]:
    """Show two side by side, and what would be kept of each."""
    _reach(work)
    one, second = await records.person(work, uid), await records.person(work, other)
    if one.subscriber.no == second.subscriber.no:
        return redirect(at(one.subscriber), notice=_("They are one already."), kind="info")
    return page(
        request,
        "admin/duplicates/pair.html",
        here=_between(one.subscriber, second.subscriber),
        turned=_between(second.subscriber, one.subscriber),
        names=(called(one.subscriber), called(second.subscriber)),
        rows=await _compared(work, one, second),
        choices=_choices(one, second),
    )


@post("/duplicates/{uid:str}/{other:str}", opt=gated(Power.CHANGE_PEOPLE))
async def decide(
    request: Asked, work: Working, uid: FromPath[str], other: FromPath[str]
) -> Response[Any]:
    """Make one of two, or remember that they are two people."""
    form = await read_form(request)
    one, second = await records.person(work, uid), await records.person(work, other)
    async with attempt(work) as tried:
        match form.raw("answer"):
            case "one":
                take = {what for what in Take if form.raw(f"take-{what.value}") == "other"}
                await merging.merge(work, one.subscriber, second.subscriber, take=take)
                told = _("They are one now. Its page can undo it for 30 days.")
                to = at(one.subscriber)
            case "two":
                await merging.keep_apart(work, one.subscriber, second.subscriber)
                told, to = _("They are two, and are not suggested again."), "/admin/duplicates"
            case _:
                told, to = _("Nothing has changed."), "/admin/duplicates"
    if tried.refusal:
        return redirect(at(one.subscriber), notice=tried.words, kind="warn")
    return redirect(to, notice=told)


def _reach(work: Work) -> None:
    if not merging.may_merge(work):
        raise merging.MergingOutOfReach


# --- two side by side -----------------------------------------------------------------------------


async def _compared(work: Work, one: Person, other: Person) -> list[tuple[str, str, str]]:
    """Say what is known of each, line by line."""
    first, second = await _known(work, one), await _known(work, other)
    names = dict.fromkeys([*first, *second])
    return [(name, first.get(name, ""), second.get(name, "")) for name in names]


async def _known(work: Work, person: Person) -> dict[str, str]:
    subscriber = person.subscriber
    phone = await phones.of(work, subscriber.no)
    values = (await fields.values_of(work, [subscriber.no])).get(subscriber.no, {})
    names = {one.no: in_language(one.name) for one in await lists.all_lists(work)}
    return {
        _("Address"): subscriber.address or "",
        _("Name"): subscriber.shown_name,
        _("Level"): in_language(person.tier.name) if person.tier else "",
        _("On the roll since"): day(subscriber.joined_at),
        _("Lives in"): ", ".join(
            part for part in (subscriber.postcode, subscriber.city, subscriber.region) if part
        ),
        _("Language"): own_name(subscriber.language),
        _("Telephone"): _("Known") if phone is not None and phone.sealed else "",
        _("Groups"): ", ".join(group.name for group in person.groups),
        _("Tags"): ", ".join(tag.name for tag in await tags.of(work, subscriber.no)),
        _("Lists"): ", ".join(
            f"{names[one.list_no]} ({_(STATES[one.state])})"
            for one in await lists.subscriptions_of(work, subscriber.no)
        ),
        **{
            in_language(field.name): shown(field, values[field.no], i18n.language.get())
            for field in await fields.all_fields(work)
            if field.no in values
        },
    }


def _choices(one: Person, other: Person) -> list[dict[str, Any]]:
    """Give what is chosen between, where both have it and it differs."""
    both = {
        Take.ADDRESS: (_("Address"), one.subscriber.address, other.subscriber.address),
        Take.NAME: (_("Name"), one.subscriber.shown_name, other.subscriber.shown_name),
        Take.LEVEL: (
            _("Level"),
            in_language(one.tier.name) if one.tier else "",
            in_language(other.tier.name) if other.tier else "",
        ),
    }
    return [
        {
            "name": f"take-{what.value}",
            "words": words,
            "options": [("kept", first), ("other", second)],
        }
        for what, (words, first, second) in both.items()
        if first and second and first != second
    ]


HANDLERS = [show_duplicates, ask_whom, show_pair, decide]
