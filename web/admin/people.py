"""People: finding them, putting one on the roll by hand, and one person whole.

Whoever is not in the reader's care is not there: the same 404 as for somebody nobody knows.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
from babel.dates import format_date
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.activity.model import Entry, Undoes
from mailer.consent import actions as consent
from mailer.consent import store as lists
from mailer.consent.model import MailingList, SubscriberState, SubscriptionState
from mailer.groups import actions as groups
from mailer.groups import store as group_store
from mailer.groups.model import Group
from mailer.imports import entering
from mailer.imports.model import Basis
from mailer.kit import i18n
from mailer.kit.i18n import LANGUAGES, _, in_language, ngettext, own_name
from mailer.kit.work import Work
from mailer.records import actions as records
from mailer.records import store as people
from mailer.records.store import Person
from mailer.subscribers import actions as subscribers
from mailer.subscribers import store as subscriber_store
from mailer.subscribers.model import Subscriber
from mailer.tiers import actions as tiers
from mailer.tiers import store as ladder
from mailer.tiers.model import Tier
from web.admin.campaigns import Working
from web.admin.telling import day, number
from web.kit.errors import status_of
from web.kit.forms import Form, Tried, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import account_of, gated
from web.kit.sessions import Asked

USUAL_BREAK = 30  # days
NOBODY = -1  # a filter that names what is not there: nobody, and never everybody


def at(subscriber: Subscriber, more: str = "") -> str:
    """Give the address of a person's page, or of one of its forms."""
    return f"/admin/people/{subscriber.uid}{more}"


# --- finding ------------------------------------------------------------------------------------


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Who is looked for, as it stands in the address of the page."""

    q: str = ""
    tier: str = ""
    group: str = ""
    list: str = ""

    @property
    def is_anybody(self) -> bool:
        """Say whether nothing narrows the search."""
        return not (self.q.strip() or self.tier or self.group or self.list)

    def query(self, **more: int) -> str:
        """Write it as the query of an address, without what is not said."""
        said = {name: value for name, value in msgspec.structs.asdict(self).items() if value}
        return "?" + urlencode({**said, **more})


@get("/people", opt=gated(Power.SEE_PEOPLE))
async def show_people(
    request: Asked,
    work: Working,
    q: FromQuery[str] = "",
    tier: FromQuery[str] = "",
    group: FromQuery[str] = "",
    after: FromQuery[int] = 0,
) -> Template:
    """Show the people who match, a page at a time. htmx asks for the rows alone."""
    wanted = Wanted(q=q[:200], tier=tier, group=group, list=request.query_params.get("list", ""))
    choices = await _choices(work)
    tier_no = _number_of(wanted.tier, await ladder.by_slug(work, wanted.tier))
    group_no = _number_of(wanted.group, await group_store.by_uid(work, wanted.group))
    list_no = _number_of(wanted.list, await lists.list_by_slug(work, wanted.list))
    found = await people.people(
        work,
        search=wanted.q,
        tier_no=tier_no,
        group_no=group_no,
        list_no=list_no,
        after=max(after, 0),
    )
    matching = await people.how_many_match(
        work, search=wanted.q, tier_no=tier_no, group_no=group_no, list_no=list_no
    )
    everybody = matching if wanted.is_anybody else await subscriber_store.how_many(work)
    fragment = request.headers.get("hx-request") == "true"
    return page(
        request,
        "admin/people/_rows.html" if fragment else "admin/people/list.html",
        wanted=wanted,
        people=[_row(person) for person in found.rows],
        everybody=everybody,
        on_the_roll=ngettext("One person on the roll.", "%(count)s on the roll.", everybody)
        % {"count": number(everybody)},
        matching=ngettext("One person matches", "%(count)s people match", matching)
        % {"count": number(matching)},
        next=wanted.query(after=found.next_after) if found.next_after else "",
        before=wanted.query() if after else "",
        may_change=account_of(request).may(Power.CHANGE_PEOPLE),
        may_import=account_of(request).may(Power.IMPORT),
        **choices,
    )


def _number_of(said: str, found: Tier | Group | MailingList | None) -> int | None:
    """Give the number to filter by; None where nothing is said, nobody where it is unknown."""
    if not said:
        return None
    return NOBODY if found is None else found.no


async def _choices(work: Work) -> dict[str, Any]:
    """Give what people can be filtered by, and put into."""
    return {
        "levels": [(one.slug, in_language(one.name)) for one in await ladder.ladder(work)],
        "groups": [(one.uid, one.name) for one, _count in await group_store.all_groups(work)],
        "lists": [(one.slug, in_language(one.name)) for one in await lists.lists(work)],
    }


def _row(person: Person) -> dict[str, Any]:
    subscriber = person.subscriber
    return {
        "uid": subscriber.uid,
        "name": called(subscriber),
        "address": subscriber.address if subscriber.shown_name else "",
        "level": in_language(person.tier.name) if person.tier else "",
        "groups": ", ".join(group.name for group in person.groups),
        "language": own_name(subscriber.language),
        "state": person.state.value,
    }


def called(subscriber: Subscriber) -> str:
    """Give what somebody is called on a page for accounts: their name, else their address."""
    return subscriber.shown_name or subscriber.address or _("Somebody without a name")


# --- somebody new -------------------------------------------------------------------------------


@get("/people/new", opt=gated(Power.CHANGE_PEOPLE))
async def show_new(request: Asked, work: Working) -> Template:
    """Ask for what is known of somebody."""
    return await _new_page(request, work, Tried(), {})


@post("/people/new", opt=gated(Power.CHANGE_PEOPLE))
async def enter(request: Asked, work: Working) -> Response[Any]:
    """Put somebody on the roll, and lead on to their page."""
    form = await read_form(request)
    basis = form.raw("basis")
    async with attempt(work) as tried:
        level = await ladder.by_slug(work, form.text("tier"))
        group = await group_store.by_uid(work, form.text("group"))
        mailing_list = await lists.list_by_slug(work, form.text("list"))
        subscriber = await entering.enter(
            work,
            address=form.text("address", limit=320),
            first_name=form.text("first_name"),
            last_name=form.text("last_name"),
            city=form.text("city"),
            language=_known_language(form.text("language")),
            tier_no=level.no if level else None,
            group_no=group.no if group else None,
            list_no=mailing_list.no if mailing_list else None,
            basis=Basis(basis) if basis in set(Basis) else None,
            evidence=form.text("evidence", limit=2000),
        )
    if tried.refusal:
        return await _new_page(request, work, tried, form.values)
    told = _("%(name)s is on the roll.") % {"name": called(subscriber)}
    return redirect(at(subscriber), notice=told)


async def _new_page(request: Asked, work: Work, tried: Tried, values: dict[str, str]) -> Template:
    choices = await _choices(work)
    return page(
        request,
        "admin/people/new.html",
        status=status_of(tried.refusal) if tried.refusal else 200,
        values={name: values.get(name, "") for name in _NEW},
        errors=tried.errors,
        languages_of_people=_languages(""),
        bases=[
            (Basis.ASK.value, _("Ask them by email"), _("They are on the list when they say yes.")),
            (
                Basis.AGREED.value,
                _("They have agreed, and here is the evidence"),
                _("They are on the list at once."),
            ),
        ],
        **choices,
    )


_NEW = (
    "address",
    "first_name",
    "last_name",
    "city",
    "language",
    "tier",
    "group",
    "list",
    "basis",
    "evidence",
)


def _languages(current: str) -> list[tuple[str, str]]:
    """Give the languages to choose from, with the one that somebody has."""
    codes = [*LANGUAGES, *([current] if current and current not in LANGUAGES else [])]
    return [(code, own_name(code)) for code in codes]


def _known_language(typed: str, current: str = "") -> str:
    return typed if typed in {code for code, _name in _languages(current)} else LANGUAGES[0]


# --- one person ---------------------------------------------------------------------------------

SIGNS = {
    "joined": "log-in",
    "details_changed": "pen-line",
    "paused": "pause",
    "resumed": "play",
    "stopped": "user-minus",
    "started_again": "play",
    "group_joined": "network",
    "group_left": "network",
    "group_named": "network",
    "asked": "mail",
    "confirmed": "check",
    "agreed": "check",
    "unsubscribed": "log-out",
    "came_back": "undo-2",
    "taken_off": "octagon-x",
    "put_back": "undo-2",
    "tier_chosen": "ladder",
    "tier_changed": "ladder",
    "tier_requested": "hand",
    "tier_request_withdrawn": "undo-2",
    "tier_request_granted": "check",
    "tier_request_refused": "x",
    "letter": "mail",
    "delivery": "send",
}
MOVES = frozenset({"joined", "tier_chosen", "tier_changed"})


@get("/people/{uid:str}", opt=gated(Power.SEE_PEOPLE))
async def show_person(request: Asked, work: Working, uid: FromPath[str]) -> Template:
    """Show one person: where they stand, all that happened, and what can be done."""
    return await _person_page(request, work, await records.person(work, uid))


@post("/people/{uid:str}/details", opt=gated(Power.CHANGE_PEOPLE))
async def change_details(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Change what somebody is called, where they live and which language they read."""
    form = await read_form(request)

    async def change(person: Person) -> str:
        await subscribers.change_details(
            work,
            person.subscriber,
            first_name=form.text("first_name"),
            last_name=form.text("last_name"),
            city=form.text("city"),
            language=_known_language(form.text("language"), person.subscriber.language),
        )
        return _("The details are changed.")

    return await _changed(request, work, uid, form, change)


@post("/people/{uid:str}/address", opt=gated(Power.CHANGE_PEOPLE))
async def change_address(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Change an address at once; the old one is told."""
    form = await read_form(request)

    async def change(person: Person) -> str:
        await subscribers.change_address(work, person.subscriber, form.text("address", limit=320))
        if person.subscriber.address is None:
            return _("The address is kept.")
        return _("The address is changed. The old one was told, with a way to undo it.")

    return await _changed(request, work, uid, form, change)


@post("/people/{uid:str}/tier", opt=gated(Power.CHANGE_PEOPLE))
async def assign_tier(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Move somebody to another level, with a reason that they are told."""
    form = await read_form(request)

    async def change(person: Person) -> str:
        tier = await ladder.by_slug(work, form.text("tier"))
        if tier is None:
            raise entering.LevelNeeded(field="tier")
        moved = await tiers.assign(
            work, person.subscriber, tier, reason=form.text("reason", limit=300)
        )
        if isinstance(moved, tiers.Unchanged):
            return _("They are on that level already.")
        return _("Moved. They are told why, and can undo it for 30 days.")

    return await _changed(request, work, uid, form, change)


@post("/people/{uid:str}/groups", opt=gated(Power.CHANGE_PEOPLE))
async def change_groups(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Put somebody into a group, or end their membership of one."""
    form = await read_form(request)

    async def change(person: Person) -> str:
        group = await group_store.by_uid(work, form.text("leave") or form.text("group"))
        if group is None:
            raise subscribers.GroupNeeded(field="group")
        if form.text("leave"):
            await groups.leave(work, person.subscriber, group)
            return _("No longer in %(group)s.") % {"group": group.name}
        await groups.join(work, person.subscriber, group)
        return _("Now in %(group)s.") % {"group": group.name}

    return await _changed(request, work, uid, form, change)


@post("/people/{uid:str}/lists", opt=gated(Power.CHANGE_PEOPLE))
async def change_lists(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Ask somebody by email whether they want a list, or take them off one."""
    form = await read_form(request)

    async def change(person: Person) -> str:
        mailing_list = await lists.list_by_slug(work, form.text("leave") or form.text("ask"))
        if mailing_list is None:
            return _("Nothing has changed.")
        named = {"list": in_language(mailing_list.name)}
        if form.text("leave"):
            await consent.unsubscribe(work, person.subscriber, list_no=mailing_list.no)
            return _("Off the list: %(list)s. They get one email that says so.") % named
        spoken = person.subscriber.language
        await consent.ask(
            work,
            person.subscriber,
            mailing_list,
            wording=await consent.wording_of(work, mailing_list, spoken),
            language=spoken,
        )
        return _("Asked by email: %(list)s. They are on it when they say yes.") % named

    return await _changed(request, work, uid, form, change)


@post("/people/{uid:str}/pause", opt=gated(Power.CHANGE_PEOPLE))
async def pause(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Write nothing to somebody for some days."""
    form = await read_form(request)

    async def change(person: Person) -> str:
        days = form.whole("days")
        until = await subscribers.pause(
            work, person.subscriber, days=USUAL_BREAK if days is None else days
        )
        return _("Paused until %(day)s.") % {"day": day(until)}

    return await _changed(request, work, uid, form, change)


@post("/people/{uid:str}/pause/lifting", opt=gated(Power.CHANGE_PEOPLE))
async def resume(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """End a pause before its time."""

    async def change(person: Person) -> str:
        await subscribers.resume(work, person.subscriber)
        return _("The pause is over.")

    return await _changed(request, work, uid, await read_form(request), change)


@post("/people/{uid:str}/stop", opt=gated(Power.CHANGE_PEOPLE))
async def stop(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Never write to somebody again, and tell nobody."""

    async def change(person: Person) -> str:
        await subscribers.stop_silently(work, person.subscriber)
        return _("Stopped. Nothing more is sent, and nobody is told.")

    return await _changed(request, work, uid, await read_form(request), change)


@post("/people/{uid:str}/stop/lifting", opt=gated(Power.CHANGE_PEOPLE))
async def start_again(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Take a silent stop back."""

    async def change(person: Person) -> str:
        await subscribers.start_again(work, person.subscriber)
        return _("No longer stopped.")

    return await _changed(request, work, uid, await read_form(request), change)


@get("/people/{uid:str}/suppression", opt=gated(Power.CHANGE_PEOPLE))
async def ask_to_take_off(request: Asked, work: Working, uid: FromPath[str]) -> Template:
    """Say what taking somebody off all emails does, and ask."""
    person = await records.person(work, uid)
    return page(
        request,
        "admin/people/take_off.html",
        here=at(person.subscriber),
        name=called(person.subscriber),
    )


@post("/people/{uid:str}/suppression", opt=gated(Power.CHANGE_PEOPLE))
async def take_off(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Take somebody off all emails, if that is the answer. They get no letter about it."""
    form = await read_form(request)

    async def change(person: Person) -> str:
        if form.raw("answer") != "yes":
            return _("Nothing has changed.")
        await consent.take_off(work, person.subscriber)
        return _("Off all emails, for good. No file and no form can add this address again.")

    return await _changed(request, work, uid, form, change)


@post("/people/{uid:str}/suppression/lifting", opt=gated(Power.CHANGE_PEOPLE))
async def put_back(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Take back that somebody is never written to, because they asked or it was a mistake."""

    async def change(person: Person) -> str:
        await consent.put_back(work, person.subscriber)
        return _("May be written to again, on the lists they had agreed to.")

    return await _changed(request, work, uid, await read_form(request), change)


@post("/people/{uid:str}/undo", opt=gated(Power.CHANGE_PEOPLE))
async def undo(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Take back a move or a change of address. A leaving only they themselves take back."""
    form = await read_form(request)

    async def change(person: Person) -> str:
        no = form.whole("no") or 0
        match form.raw("what"):
            case Undoes.TIER:
                await tiers.undo(work, person.subscriber, no)
            case Undoes.ADDRESS:
                mine = await subscriber_store.address_changes_of(work, person.subscriber.no)
                if no not in {change.no for change in mine}:
                    raise subscribers.AddressChangeUnknown
                await subscribers.undo_address_change(work, no)
            case _:
                return _("Nothing has changed.")
        return _("Undone.")

    return await _changed(request, work, uid, form, change)


async def _changed(
    request: Asked,
    work: Work,
    uid: str,
    form: Form,
    change: Callable[[Person], Awaitable[str]],
) -> Response[Any]:
    """Change something about somebody, and lead back to their page, which says what was done.

    What was typed wrongly is shown again where it was typed.
    """
    person = await records.person(work, uid)
    async with attempt(work) as tried:
        notice = await change(person)
    if set(tried.errors) & set(FORMS):
        return await _person_page(request, work, person, form=form, tried=tried)
    if tried.refusal:
        return redirect(at(person.subscriber), notice=tried.words, kind="warn")
    # Who was taken out of the last group that the reader cares for is out of their sight.
    seen = await subscriber_store.by_uid(work, uid)
    return redirect(at(seen) if seen else "/admin/people", notice=notice)


FORMS = ("first_name", "last_name", "city", "address", "tier", "reason", "group", "days")
"""The fields of a person's page that can be wrong."""


async def _person_page(
    request: Asked,
    work: Work,
    person: Person,
    *,
    form: Form | None = None,
    tried: Tried | None = None,
) -> Template:
    tried = tried or Tried()
    subscriber = person.subscriber
    typed = form.values if form else {}
    asked = await ladder.standing_request(work, subscriber.no)
    choices = await _choices(work)
    mine = {group.uid for group in person.groups}
    values = {
        "first_name": subscriber.first_name,
        "last_name": subscriber.last_name,
        "city": subscriber.city,
        "language": subscriber.language,
        "address": "",
        "tier": "",
        "reason": "",
        "group": "",
        "days": str(USUAL_BREAK),
    }
    labels = {
        "first_name": _("First name"),
        "last_name": _("Last name"),
        "city": _("City"),
        "address": _("New address"),
        "tier": _("Level"),
        "reason": _("Why"),
        "group": _("Group"),
        "days": _("Days"),
    }
    level = in_language(person.tier.name) if person.tier else ""
    return page(
        request,
        "admin/people/person.html",
        status=status_of(tried.refusal) if tried.refusal else 200,
        here=at(subscriber),
        name=called(subscriber),
        person=subscriber,
        state=person.state.value,
        told=_told(person, level),
        level=level,
        level_slug=person.tier.slug if person.tier else "",
        mine=[(group.uid, group.name) for group in person.groups],
        other_groups=[one for one in choices["groups"] if one[0] not in mine],
        other_levels=[
            one for one in choices["levels"] if not person.tier or one[0] != person.tier.slug
        ],
        subscriptions=await _subscriptions(work, subscriber),
        languages_of_people=_languages(subscriber.language),
        request_=asked,
        paused_until=day(subscriber.paused_until)
        if subscriber.paused_until and subscriber.is_paused(work.now)
        else "",
        may_mail=person.state not in {SubscriberState.SUPPRESSED, SubscriberState.STOPPED},
        may_change=account_of(request).may(Power.CHANGE_PEOPLE),
        entries=[_entry(work, entry) for entry in await records.timeline(work, subscriber)],
        values={name: typed.get(name, value) for name, value in values.items()},
        errors=tried.errors,
        summary=[(name, label, tried.errors.get(name)) for name, label in labels.items()],
    )


def _told(person: Person, level: str) -> str:
    parts = [
        person.subscriber.address if person.subscriber.shown_name else "",
        level,
        *(group.name for group in person.groups),
    ]
    since = _("On the roll since %(day)s.") % {"day": _date(person.subscriber.joined_at)}
    said = ", ".join(part for part in parts if part)
    return f"{said}. {since}" if said else since


def _date(at: datetime) -> str:
    """Write a day that may be years ago: 12 March 2025."""
    return format_date(at, "d MMMM y", locale=i18n.language.get())


async def _subscriptions(work: Work, subscriber: Subscriber) -> list[dict[str, str]]:
    """Give every open list with how far somebody's subscription to it has come."""
    states = {one.list_no: one.state for one in await lists.subscriptions_of(work, subscriber.no)}
    return [
        {
            "slug": one.slug,
            "name": in_language(one.name),
            "state": states[one.no].value if one.no in states else "",
            "may_leave": "yes" if states.get(one.no) is SubscriptionState.CONFIRMED else "",
        }
        for one in await lists.lists(work)
    ]


def _entry(work: Work, entry: Entry) -> dict[str, Any]:
    by = _("By %(name)s.") % {"name": entry.account_name} if entry.account_name else ""
    details = entry.details + ("." if entry.details and entry.details[-1] not in ".…" else "")
    undo = entry.undo if entry.undo and entry.undo.what is not Undoes.LEAVING else None
    this_year = entry.at.year == work.now.year
    return {
        "when": format_date(entry.at, "d MMMM", locale=i18n.language.get())
        if this_year
        else _date(entry.at),
        "iso": entry.at.date().isoformat(),
        "sign": SIGNS.get(entry.kind, "info"),
        "kind": "move" if entry.kind in MOVES else "",
        "title": entry.words,
        "said": entry.said,
        "words": " ".join(part for part in (details, by) if part),
        "undo": {"what": undo.what.value, "no": str(undo.no)} if undo else {},
    }


HANDLERS = [
    show_people,
    show_new,
    enter,
    show_person,
    change_details,
    change_address,
    assign_tier,
    change_groups,
    change_lists,
    pause,
    resume,
    stop,
    start_again,
    ask_to_take_off,
    take_off,
    put_back,
    undo,
]
