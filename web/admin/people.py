"""People: the question that says who is looked for, those who answer, and somebody new by hand.

Whoever is not in the reader's care is not there: the same 404 as for somebody nobody knows.
"""

from typing import Any

import msgspec
from babel.dates import format_date
from litestar import Response, get, post
from litestar.params import FromQuery
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.consent import store as lists
from mailer.groups import store as group_store
from mailer.imports import entering
from mailer.imports.model import Basis
from mailer.kit import i18n
from mailer.kit.errors import Refusal
from mailer.kit.i18n import LANGUAGES, N_, _, in_language, ngettext, own_name
from mailer.kit.pages import Page
from mailer.kit.work import Door, Work
from mailer.records import store as people
from mailer.records.store import MOST_COUNTED, Matching, Person
from mailer.segments import asking, telling
from mailer.segments import store as segments
from mailer.segments.asking import Tree
from mailer.segments.model import Segment
from mailer.subscribers.model import Subscriber
from mailer.tags import store as tags
from mailer.tiers import store as ladder
from web.admin import building
from web.admin.campaigns import Working
from web.admin.telling import number
from web.kit.errors import status_of
from web.kit.forms import Tried, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import account_of, gated
from web.kit.sessions import Asked, visit_of

LONGEST_SEARCH = 200

NOBODY: Tree = {"is": "nothing"}
"""A filter that names what is not there: nobody, and never everybody."""


def at(subscriber: Subscriber, more: str = "") -> str:
    """Give the address of a person's page, or of one of its forms."""
    return f"/admin/people/{subscriber.uid}{more}"


# --- finding ------------------------------------------------------------------------------------


@get("/people", opt=gated(Power.SEE_PEOPLE))
async def show_people(
    request: Asked,
    work: Working,
    q: FromQuery[str] = "",
    tree: FromQuery[str] = "",
    segment: FromQuery[str] = "",
    after: FromQuery[int] = 0,
) -> Template:
    """Show the people who match, a page at a time. `segment` names the one that is changed."""
    asked = building.read_asked(tree) or await _filtered(work, request)
    return await _people_page(
        request, work, asked, q=q[:LONGEST_SEARCH], after=max(after, 0), segment_uid=segment
    )


@post("/people/question", opt=gated(Power.SEE_PEOPLE), status_code=200)
async def ask(request: Asked) -> Response[Any]:
    """Take the question as it is being built, do what a button says, and show who answers now.

    Nothing is kept: the question goes on in the address.
    """
    form = await read_form(request)
    visit = visit_of(request)
    async with visit.house.work(
        reading=True, scope=visit.scope, account=account_of(request).no, door=Door.ADMIN
    ) as work:
        tree = await building.done(work, building.tree_of(form), form.raw("do")[:80])
        asked = None if building.is_nothing(tree) else tree
        q, uid = form.raw("q")[:LONGEST_SEARCH].strip(), form.raw("segment")[:40]
        here = "/admin/people" + building.query(asked, q=q, segment=uid)
        if not _is_htmx(request):
            return redirect(here)
        answer = await _people_page(request, work, asked, q=q, after=0, segment_uid=uid)
    answer.headers["HX-Push-Url"] = here
    return answer


def _is_htmx(request: Asked) -> bool:
    return request.headers.get("hx-request") == "true"


async def _filtered(work: Work, request: Asked) -> Tree | None:
    """Give the question that an address asks in plain words: `?group=…&tier=…&list=…&tag=…`."""
    said = request.query_params
    wanted: list[Tree] = []
    if slug := said.get("tier", ""):
        tier = await ladder.by_slug(work, slug)
        wanted.append({"is": "tier", "how": "is", "tier": str(tier.no)} if tier else NOBODY)
    if uid := said.get("group", ""):
        group = await group_store.by_uid(work, uid)
        wanted.append({"is": "group", "group": str(group.no)} if group else NOBODY)
    if slug := said.get("list", ""):
        one = await lists.list_by_slug(work, slug)
        on_it = {"is": "list", "list": str(one.no), "state": "confirmed"} if one else NOBODY
        wanted.append(on_it)
    if uid := said.get("tag", ""):
        tag = await tags.by_uid(work, uid)
        wanted.append({"is": "tag", "tag": str(tag.no)} if tag else NOBODY)
    return {"all": wanted} if wanted else None


async def _people_page(
    request: Asked, work: Work, asked: Tree | None, *, q: str, after: int, segment_uid: str
) -> Template:
    account = account_of(request)
    changing = await _changing(work, segment_uid)
    answer = await _answer(work, asked, q, after)
    found = answer.found
    names = {"q": q, "segment": changing.uid if changing else ""}
    everybody = await people.how_many_match(work) if asked or q else answer.matching
    return page(
        request,
        "admin/people/_found.html" if _is_htmx(request) else "admin/people/list.html",
        fragment=_is_htmx(request),
        q=q,
        tree=building.written(asked),
        builder=await building.shown(work, asked),
        is_asked=asked is not None,
        told=await telling.sentence(work, asked) if asked is not None else "",
        changing=changing,
        problem=answer.problem,
        people=[_row(work, person) for person in found.rows],
        everybody=everybody.number,
        on_the_roll=_on_the_roll(everybody),
        matching=_matching(answer.matching),
        unreachable=building.unreachable(answer.matching.number, answer.without),
        next="/admin/people" + building.query(asked, **names, after=found.next_after)
        if found.next_after
        else "",
        before="/admin/people" + building.query(asked, **names) if after else "",
        export="/admin/export" + building.query(asked or asking.EVERYBODY),
        save="/admin/segments/new" + building.query(asked),
        may_change=account.may(Power.CHANGE_PEOPLE),
        may_import=account.may(Power.IMPORT),
        may_write=account.may(Power.WRITE),
        may_export=account.may(Power.EXPORT),
    )


async def _changing(work: Work, uid: str) -> Segment | None:
    found = await segments.by_uid(work, uid) if uid else None
    return found if found is not None and found.closed_at is None else None


class Answer(msgspec.Struct, frozen=True):
    """How many match, and a page of them; `problem` says what is in the way, where something is."""

    found: Page[Person]
    matching: Matching
    without: int | None = None  # who would get no email today; None: nobody looked
    problem: str = ""


async def _answer(work: Work, asked: Tree | None, q: str, after: int) -> Answer:
    """Find who matches. A question has its time, and the page says if it takes longer."""
    if asked is None:
        matching = await people.how_many_match(work, search=q)
        return Answer(await people.people(work, search=q, after=after), matching)
    try:
        without = None
        numbers = await asking.numbers(work, asked)
        if q:
            async with asking.limited(work):
                matching = await people.how_many_match(work, search=q, among=numbers)
        else:
            many, without = await building.how_many(work, asked)
            matching = Matching(many)
        async with asking.limited(work):
            found = await people.people(work, search=q, among=numbers, after=after)
    except Refusal as refusal:
        return Answer(Page([], None), Matching(0), problem=refusal.said())
    return Answer(found, matching, without)


def _on_the_roll(everybody: Matching) -> str:
    if everybody.is_more:
        return _("More than %(count)s on the roll. Say who you are looking for.") % {
            "count": number(MOST_COUNTED)
        }
    return ngettext(
        "One person on the roll.",
        "%(count)s on the roll. Say who you are looking for.",
        everybody.number,
    ) % {"count": number(everybody.number)}


def _matching(matching: Matching) -> tuple[str, str]:
    """Say how many match: a figure, and the words after it."""
    words = ngettext("person matches", "people match", matching.number)
    if matching.is_more:
        return _("More than %(count)s") % {"count": number(matching.number)}, words
    return number(matching.number), words


def _row(work: Work, person: Person) -> dict[str, Any]:
    subscriber = person.subscriber
    until = subscriber.paused_until if person.state.value == "paused" else None
    return {
        "uid": subscriber.uid,
        "name": called(subscriber),
        "address": subscriber.address if subscriber.shown_name else "",
        "level": in_language(person.tier.name) if person.tier else "",
        "groups": ", ".join(group.name for group in person.groups),
        "sign": _last_sign(work, person),
        "language": own_name(subscriber.language),
        "state": person.state.value,
        "until": format_date(until, "d MMMM", locale=i18n.language.get()) if until else "",
    }


_SIGNS = {
    "joined": N_("Signed up"),
    "confirmed": N_("Said yes to a list"),
    "agreed": N_("Said yes to a list"),
    "tier_chosen": N_("Chose a level"),
    "tier_changed": N_("Changed level"),
    "tier_requested": N_("Asked for a level"),
    "unsubscribed": N_("Left a list"),
    "came_back": N_("Came back to a list"),
    "paused": N_("Took a break"),
    "resumed": N_("Ended a break"),
    "pledged": N_("Pledged"),
    "pledge_done": N_("Did what they pledged"),
}


def _last_sign(work: Work, person: Person) -> str:
    """Say what somebody last did themselves, and when."""
    sign = person.last_sign
    if sign is None:
        return ""
    of_this_year = sign.at.year == work.now.year
    day = format_date(sign.at, "d MMMM" if of_this_year else "d MMMM y", i18n.language.get())
    return _("%(what)s, %(day)s") % {
        "what": _(_SIGNS.get(sign.kind, N_("Was active"))),
        "day": day,
    }


async def what_there_is(work: Work) -> dict[str, Any]:
    """Give what people can be put into: levels, groups and lists."""
    return {
        "levels": [(one.slug, in_language(one.name)) for one in await ladder.ladder(work)],
        "groups": [(one.uid, one.name) for one in await group_store.open_groups(work)],
        "lists": [(one.slug, in_language(one.name)) for one in await lists.lists(work)],
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
            language=known_language(form.text("language")),
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
    choices = await what_there_is(work)
    return page(
        request,
        "admin/people/new.html",
        status=status_of(tried.refusal) if tried.refusal else 200,
        values={name: values.get(name, "") for name in _NEW},
        errors=tried.errors,
        languages_of_people=languages(""),
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


def languages(current: str) -> list[tuple[str, str]]:
    """Give the languages to choose from, with the one that somebody has."""
    codes = [*LANGUAGES, *([current] if current and current not in LANGUAGES else [])]
    return [(code, own_name(code)) for code in codes]


def known_language(typed: str, current: str = "") -> str:
    """Give the language that was chosen, or the first there is where the form says another."""
    return typed if typed in {code for code, _name in languages(current)} else LANGUAGES[0]


HANDLERS = [
    show_people,
    ask,
    show_new,
    enter,
]
