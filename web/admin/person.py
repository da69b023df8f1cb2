"""One person: where they stand, all that happened, and what an organiser can do about it.

What is done stands in `person_knowing` and `person_standing`; each leads back here. Whoever is not
in the reader's care is not there: the same 404 as for somebody nobody knows.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from babel import Locale
from babel.dates import format_date, format_time, get_timezone
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.activity.model import DECLARED, Causes, Entry, Undoes
from mailer.asks import actions as asks
from mailer.consent import seldom
from mailer.consent import store as lists
from mailer.consent.model import SubscriberState, SubscriptionState
from mailer.fields import store as field_store
from mailer.fields.model import Field
from mailer.fields.values import shown
from mailer.followups import numbers
from mailer.groups import store as group_store
from mailer.groups.words import ROLES
from mailer.kit import i18n
from mailer.kit.i18n import _, in_language
from mailer.kit.work import Work
from mailer.phones import store as phone_store
from mailer.phones.reading import shown_number
from mailer.records import actions as records
from mailer.records import merging
from mailer.records.pairs import store as pairs
from mailer.records.store import Person
from mailer.subscribers import actions as subscribers
from mailer.subscribers import store as subscriber_store
from mailer.subscribers.details import countries, time_zones
from mailer.subscribers.model import GroupRole, MailForm, Subscriber
from mailer.tags import store as tag_store
from mailer.tiers import actions as tiers
from mailer.tiers import store as ladder
from web.admin import followup_opening, pledges
from web.admin.campaigns import Working
from web.admin.followup_words import told_wrong
from web.admin.looking import note_look
from web.admin.people import at, called, languages, what_there_is
from web.admin.telling import day
from web.kit import answers, writing
from web.kit.errors import status_of
from web.kit.forms import Form, Tried, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import account_of, gated
from web.kit.sessions import Asked

USUAL_BREAK = 30  # days

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
    "group_role": "network",
    "tagged": "tag",
    "untagged": "tag",
    "field_filled": "notebook-pen",
    "field_emptied": "eraser",
    "phone_noted": "phone",
    "phone_forgotten": "phone",
    "call_wishes": "phone",
    "merged": "merge",
    "unmerged": "undo-2",
    "also_me_asked": "mail",
    "asked": "mail",
    "unasked": "undo-2",
    "confirmed": "check",
    "agreed": "check",
    "unsubscribed": "log-out",
    "came_back": "undo-2",
    "only_urgent": "megaphone",
    "all_of_it": "undo-2",
    "at_most": "clock",
    "mail_form": "mail",
    "taken_off": "octagon-x",
    "put_back": "undo-2",
    "tier_chosen": "ladder",
    "tier_changed": "ladder",
    "tier_requested": "hand",
    "tier_request_withdrawn": "undo-2",
    "tier_request_granted": "check",
    "tier_request_refused": "x",
    "pledged": "hand",
    "pledge_later": "clock",
    "pledge_blocked": "life-buoy",
    "pledge_done": "check",
    "pledge_told": "pen-line",
    "pledge_verified": "check-check",
    "pledge_declined": "x",
    "pledge_withdrawn": "undo-2",
    "pledge_undone": "undo-2",
    "follow_up": "life-buoy",
    "follow_up_ended": "check",
    "follow_up_step": "notebook-pen",
    "call_reached": "phone",
    "call_no_answer": "phone",
    "call_call_back": "phone",
    "call_left_message": "phone",
    "call_not_now": "phone",
    "call_wrong_number": "phone",
    "call_never_call": "user-x",
    "letter": "mail",
    "delivery": "send",
}
MOVES = frozenset({"joined", "tier_chosen", "tier_changed"})


EMAILS = frozenset({"letter", "delivery"})


@get("/people/{uid:str}", opt=gated(Power.SEE_PEOPLE), before_request=note_look)
async def show_person(
    request: Asked, work: Working, uid: FromPath[str], show: FromQuery[str] = ""
) -> Response[Any]:
    """Show one person: where they stand, all that happened, and what can be done.

    The page of one who was merged is the page of whom they turned out to be.
    """
    person = await records.person(work, uid)
    if person.subscriber.uid != uid:
        return redirect(at(person.subscriber))
    return await person_page(request, work, person, show=show)


@post("/people/{uid:str}/undo", opt=gated(Power.CHANGE_PEOPLE))
async def undo(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Take back a move, an answer or a change of address. A leaving only they take back."""
    form = await read_form(request)

    async def change(person: Person) -> str:
        no = form.whole("no") or 0
        match form.raw("what"):
            case Undoes.TIER:
                await tiers.undo(work, person.subscriber, no)
            case Undoes.ADDRESS:
                changes = await subscriber_store.address_changes_of(work, person.subscriber.no)
                if no not in {change.no for change in changes}:
                    raise subscribers.AddressChangeUnknown
                await subscribers.undo_address_change(work, no)
            case Undoes.PLEDGE:
                await asks.undo(work, no, subscriber=person.subscriber)
            case Undoes.MERGING:
                mine = await pairs.mergings_of(work, person.subscriber.no)
                if no not in {one.no for one in mine if one.kept_no == person.subscriber.no}:
                    raise merging.MergingUnknown
                await merging.undo(work, no)
            case _:
                return _("Nothing has changed.")
        return _("Undone.")

    return await changed(request, work, uid, form, change)


async def changed(
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
    if set(tried.errors) & set(_labels()):
        return await person_page(request, work, person, form=form, tried=tried)
    if tried.refusal:
        return redirect(at(person.subscriber), notice=tried.words, kind="warn")
    # Who was taken out of the last group that the reader cares for is out of their sight.
    seen = await subscriber_store.by_uid(work, uid)
    return redirect(at(seen) if seen else "/admin/people", notice=notice)


def _labels() -> dict[str, str]:
    """Give the controls of a person's page that can be wrong, by what they are called."""
    return {
        "first_name": _("First name"),
        "last_name": _("Last name"),
        "city": _("City"),
        "postcode": _("Postcode"),
        "region": _("Region"),
        "country": _("Country"),
        "time_zone": _("Time zone"),
        "source": _("Where they come from"),
        "address": _("New address"),
        "phone": _("Telephone"),
        "wording": _("When and how they agreed to be called"),
        "best_time": _("When to call"),
        "tag": _("Tag"),
        "tier": _("Level"),
        "reason": _("Why"),
        "group": _("Group"),
        "days": _("Days"),
        "ask": _("Ask"),
    }


async def person_page(
    request: Asked,
    work: Work,
    person: Person,
    *,
    form: Form | None = None,
    tried: Tried | None = None,
    errors: Mapping[str, str] | None = None,
    said: Mapping[Field, str] | None = None,
    show: str = "",
) -> Template:
    """Show the page; `said` is what was typed into fields of ours and has to be mended."""
    tried = tried or Tried()
    wrong = {**tried.errors, **(errors or {})}
    subscriber = person.subscriber
    may_change = account_of(request).may(Power.CHANGE_PEOPLE)
    level = in_language(person.tier.name) if person.tier else ""
    phone = await _phone(work, subscriber, may_change=may_change)
    known = await _fields(work, subscriber, said or {})
    labels = _labels() | {one["name"]: one["label"] for one in known}
    status = status_of(tried.refusal) if tried.refusal else 422 if wrong else 200
    return page(
        request,
        "admin/people/person.html",
        status=status,
        here=at(subscriber),
        name=called(subscriber),
        person=subscriber,
        state=person.state.value,
        told=_told(person, level),
        level=level,
        seems=await _seems(work, person),
        level_slug=person.tier.slug if person.tier else "",
        subscriptions=await _subscriptions(work, subscriber),
        languages_of_people=languages(subscriber.language),
        **await _writing(work, subscriber),
        countries=countries(),
        country=Locale(i18n.language.get()).territories.get(subscriber.country, ""),
        time_zones=sorted(time_zones()),
        their_hour=_their_hour(work, subscriber),
        request_=await ladder.standing_request(work, subscriber.no),
        paused_until=day(subscriber.paused_until)
        if subscriber.paused_until and subscriber.is_paused(work.now)
        else "",
        may_mail=person.state not in {SubscriberState.SUPPRESSED, SubscriberState.STOPPED},
        may_change=may_change,
        may_merge=may_change and merging.may_merge(work),
        may_erase=may_change and work.scope is None,
        phone=phone,
        fields=known,
        show=show,
        entries=await _entries(
            work, subscriber, show, may_write=account_of(request).may(Power.WRITE)
        ),
        values=_values(subscriber, phone) | (form.values if form else {}),
        errors=wrong,
        summary=[(name, label, wrong.get(name)) for name, label in labels.items()],
        **await _where_they_belong(work, person),
        **await _tags(work, subscriber),
        **await pledges.theirs(work, subscriber),
        **await followup_opening.of_person(work, subscriber),
    )


async def _writing(work: Work, subscriber: Subscriber) -> dict[str, Any]:
    """Say how often at most somebody wants to hear from us, and how their emails are written."""
    asked = await lists.at_most_of(work, subscriber.no)
    return {
        "pace": asked.pace.value if asked else seldom.AS_THE_LEVEL_SAYS,
        "pace_words": _(writing.PACES[asked.pace]) if asked else "",
        "paces": [choice[:2] for choice in writing.paces("")],
        "mail_form": subscriber.mail_form.value,
        "form_words": _(writing.FORMS[subscriber.mail_form])
        if subscriber.mail_form is not MailForm.USUAL
        else "",
        "forms": [choice[:2] for choice in writing.forms()],
    }


def _values(subscriber: Subscriber, phone: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "first_name": subscriber.first_name,
        "last_name": subscriber.last_name,
        "city": subscriber.city,
        "postcode": subscriber.postcode,
        "region": subscriber.region,
        "country": subscriber.country,
        "time_zone": subscriber.time_zone,
        "source": subscriber.source,
        "language": subscriber.language,
        "phone": phone["number"],
        "wording": "",
        "best_time": phone["best_time"],
        "never_call": "yes" if phone["never_call"] else "",
        **dict.fromkeys(("address", "tier", "reason", "group", "role", "tag", "ask"), ""),
        "days": str(USUAL_BREAK),
    }


async def _where_they_belong(work: Work, person: Person) -> dict[str, Any]:
    choices = await what_there_is(work)
    mine = [
        {"uid": group.uid, "name": group.name, "role": one.role.value, "as": _(ROLES[one.role])}
        for group, one in await group_store.belonging(work, person.subscriber.no)
    ]
    at_them = {one["uid"] for one in mine}
    standing = person.tier.slug if person.tier else ""
    return {
        "mine": mine,
        "roles": [(role.value, _(words)) for role, words in ROLES.items()],
        "plain_role": GroupRole.MEMBER.value,
        "other_groups": [one for one in choices["groups"] if one[0] not in at_them],
        "other_levels": [one for one in choices["levels"] if one[0] != standing],
    }


async def _phone(work: Work, subscriber: Subscriber, *, may_change: bool) -> dict[str, Any]:
    """Say how somebody is called. The number is opened only for those who may change it."""
    phone = await phone_store.of(work, subscriber.no)
    number = phone_store.opened(work, phone) if phone and may_change else ""
    return {
        "is_known": phone is not None and phone.sealed is not None,
        "number": number,
        "shown": shown_number(number) if number else "",
        "best_time": phone.best_time if phone else "",
        "never_call": phone is not None and phone.never_call,
        "wrong": told_wrong(await numbers.wrong_since(work, subscriber.no)) if number else "",
    }


async def _fields(
    work: Work, subscriber: Subscriber, said: Mapping[Field, str]
) -> list[dict[str, Any]]:
    values = (await field_store.values_of(work, [subscriber.no])).get(subscriber.no, {})
    return [
        {
            **answers.asked(field, values.get(field.no, []), typed=said.get(field)),
            "shown": shown(field, values.get(field.no, []), i18n.language.get()),
            "is_public": field.is_public,
        }
        for field in await field_store.all_fields(work)
    ]


async def _tags(work: Work, subscriber: Subscriber) -> dict[str, Any]:
    mine = await tag_store.of(work, subscriber.no)
    has = {tag.no for tag in mine}
    return {
        "tags": [(tag.uid, tag.name) for tag in mine],
        "other_tags": [tag.name for tag in await tag_store.open_tags(work) if tag.no not in has],
    }


async def tags_part(
    request: Asked, work: Work, person: Person, *, typed: str, tried: Tried
) -> Template:
    """Show somebody's tags alone, as htmx puts them in the place of those before."""
    return page(
        request,
        "admin/people/_tags.html",
        here=at(person.subscriber),
        may_change=True,
        values={"tag": typed if tried.refusal else ""},
        errors={"tag": tried.words} if tried.refusal else {},
        is_swapped=True,
        **await _tags(work, person.subscriber),
    )


def _their_hour(work: Work, subscriber: Subscriber) -> str:
    """Say what hour it is where somebody lives, for who is about to call."""
    if not subscriber.time_zone:
        return ""
    return format_time(
        work.now, "short", tzinfo=get_timezone(subscriber.time_zone), locale=i18n.language.get()
    )


async def _seems(work: Work, person: Person) -> str:
    """Name the level that somebody's deeds reach, above or below the one they chose."""
    return in_language((await tiers.observed_tier(work, person.subscriber.no)).name)


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


async def _entries(
    work: Work, subscriber: Subscriber, show: str, *, may_write: bool
) -> list[dict[str, Any]]:
    """Tell what happened: all of it, emails alone, or what they did themselves."""
    told = await records.timeline(work, subscriber)
    if show == "emails":
        told = [entry for entry in told if entry.kind in EMAILS]
    elif show == "theirs":
        told = [entry for entry in told if entry.door in DECLARED]
    return [{**_entry(work, entry), "cause": _cause(entry, may_write=may_write)} for entry in told]


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


def _cause(entry: Entry, *, may_write: bool) -> tuple[str, str] | None:
    """Give the page of what led to something, in words and where it is, to those who may see it."""
    cause = entry.cause
    if cause is None or not cause.uid:
        return None
    if cause.what is Causes.ASK:
        return _("See the ask"), f"/admin/asks/{cause.uid}"
    return (_("See the campaign"), f"/admin/campaigns/{cause.uid}") if may_write else None


HANDLERS = [show_person, undo]
