"""Follow-ups: who to help and who to call next, and one case whole.

What is done about a case stands in `followup_calls` (calling) and `followup_care` (whose it is,
notes, emails); each leads back here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from litestar import get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from mailer.accounts.model import Account, Power
from mailer.followups import store
from mailer.followups.holding import CaseUnknown
from mailer.followups.model import FollowUp, Rank
from mailer.followups.queue import store as queues
from mailer.followups.queue.store import Waiting, Whose
from mailer.followups.rounds import digest
from mailer.followups.rounds import looking as opening
from mailer.followups.words import KINDS
from mailer.groups import store as groups
from mailer.kit.i18n import _, ngettext
from mailer.kit.work import Work
from mailer.records import looking
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import Subscriber
from web.admin.campaigns import Working
from web.admin.followup_places import HERE, Place, place_of, view_of
from web.admin.followup_words import at, counted, just_done, listed, whole
from web.admin.people import called
from web.admin.telling import day, number
from web.kit.errors import status_of
from web.kit.forms import Tried
from web.kit.pages import page
from web.kit.security import account_of, gated
from web.kit.sessions import Asked, visit_of

AT_ONCE = 25
ON_A_SHEET = 100


# --- who looked -----------------------------------------------------------------------------------


async def note_look_at_case(request: Asked) -> None:
    """Write down that the account opens the case of a person, before the page is made."""
    visit, account = visit_of(request), account_of(request)
    async with visit.house.work(reading=True, scope=visit.scope, account=account.no) as work:
        case = await store.by_uid(work, request.path_params["uid"])
        person = await subscribers.by_no(work, case.subscriber_no) if case is not None else None
        is_new = person is not None and await looking.is_new(work, person)
    if person is not None and is_new:
        await _note(request, account, person)


async def note_look_at_first(request: Asked) -> None:
    """Write down that the account is shown the first in the queue, before the page is made."""
    await _note_looks(request, after=request.query_params.get("after", ""), limit=1)


async def note_looks_at_sheet(request: Asked) -> None:
    """Write down that the account is shown all of a sheet, before it is made."""
    await _note_looks(request, limit=ON_A_SHEET)


async def _note_looks(request: Asked, *, after: str = "", limit: int) -> None:
    visit, account = visit_of(request), account_of(request)
    async with visit.house.work(reading=True, scope=visit.scope, account=account.no) as work:
        view = await view_of(work, account, place_of(request.query_params))
        found = await queues.queue(work, view, after=after, limit=limit)
        seen = {row.person.no: row.person for row in found.rows}
        new = [one for one in seen.values() if await looking.is_new(work, one)]
    if new:
        await _note(request, account, *new)


async def _note(request: Asked, account: Account, *people: Subscriber) -> None:
    """Note looks: observations, which have a unit of work of their own."""
    visit = visit_of(request)
    async with visit.house.work(scope=visit.scope, account=account.no) as work:
        for person in people:
            await looking.note(work, person, account)


# --- the queue ------------------------------------------------------------------------------------


@get("/followups", opt=gated(Power.CHANGE_PEOPLE), before_request=note_look_at_first)
async def show_queue(
    request: Asked, work: Working, after: FromQuery[str] = "", done: FromQuery[str] = ""
) -> Template:
    """Show who waits, in the order in which to call, and the first of them whole."""
    account, place = account_of(request), place_of(request.query_params)
    view = await view_of(work, account, place)
    found = await queues.queue(work, view, after=after, limit=AT_ONCE)
    first, rest = (found.rows[0] if found.rows else None), found.rows[1:]
    count = await queues.counts(work, view)
    return page(
        request,
        "admin/followups/queue.html",
        told=_told(count, await queues.later(work, view)),
        bound=_bound(count),
        whose=view.whose.value,
        tabs=_tabs(work, place),
        place=place.fields,
        groups=[(one.uid, one.name) for one in await groups.open_groups(work)],
        reasons=[(kind.value, _(words)) for kind, words in KINDS.items()],
        case=await whole(work, account, first.case, first.person, place) if first else None,
        rest=await listed(work, account, rest, place),
        done=await _just_done(work, account, done, place),
        sheet_link=place.query(HERE + "/sheet"),
        next=place.queue(after=found.rows[-1].case.uid) if found.next_after is not None else "",
        before=place.queue() if after else "",
        wants_digest=await digest.wants(work, account),
        values=_empty(),
        errors={},
    )


async def _just_done(work: Work, account: Account, uid: str, place: Place) -> dict[str, Any] | None:
    """Say what the account has just done about a case, with a button that takes it back."""
    case = await store.by_uid(work, uid) if uid else None
    person = await subscribers.by_no(work, case.subscriber_no) if case is not None else None
    if case is None or person is None:
        return None
    return await just_done(work, account, case, person, place)


def _told(count: queues.Count, later: int) -> str:
    """Say how many wait, for how many it is late, and how many come back later."""
    helps = count.by_rank.get(Rank.HELP, 0)
    parts = [counted(count.all)] if count.all else [_("Nobody waits.")]
    if helps:
        asked = ngettext(
            "One was promised help or a call.",
            "%(count)s were promised help or a call.",
            helps,
        )
        parts.append(asked % {"count": number(helps)})
    if count.overdue:
        late = ngettext("One waits for too long.", "%(count)s wait for too long.", count.overdue)
        parts.append(late % {"count": number(count.overdue)})
    if later:
        back = ngettext("One comes back later.", "%(count)s come back later.", later)
        parts.append(back % {"count": number(later)})
    return " ".join(parts)


def _bound(count: queues.Count) -> str:
    """Say how many are put into the queue who did not ask for it, where there are any."""
    unasked = {Rank.PAST_DUE, Rank.READY, Rank.QUIET}
    if not unasked & set(count.by_rank):
        return ""
    return _(
        "Of those who did not ask to be called at most %(day)s a day are put into the queue for"
        " each ask, and never more than %(most)s for one reason. The others follow."
    ) % {"day": number(opening.A_DAY), "most": number(opening.AT_MOST)}


def _tabs(work: Work, place: Place) -> list[tuple[str, str, str]]:
    return [
        (whose.value, said, msgspec.structs.replace(place, show=whose.value).queue())
        for whose, said in _whose(work).items()
    ]


def _whose(work: Work) -> dict[Whose, str]:
    return {
        Whose.NEXT: _("Mine, and nobody’s"),
        Whose.MINE: _("Mine"),
        Whose.ALL: _("Everybody’s") if work.scope is None else _("My groups’"),
    }


@get("/followups/sheet", opt=gated(Power.CHANGE_PEOPLE), before_request=note_looks_at_sheet)
async def show_sheet(request: Asked, work: Working) -> Template:
    """Show the queue as a sheet to print: names and why, and no numbers."""
    account, place = account_of(request), place_of(request.query_params)
    view = await view_of(work, account, place)
    found = await queues.queue(work, view, limit=ON_A_SHEET)
    count = (await queues.counts(work, view)).all
    return page(
        request,
        "admin/followups/sheet.html",
        back=place.queue(),
        of=_("%(name)s, %(day)s. %(whose)s.")
        % {"name": account.name, "day": day(work.now), "whose": _whose(work)[view.whose]},
        cut=_cut(len(found.rows), count),
        rows=await _sheet(work, account, found.rows, place),
    )


def _cut(shown: int, count: int) -> str:
    if shown >= count:
        return ""
    return _("The first %(shown)s of %(count)s who wait.") % {
        "shown": number(shown),
        "count": number(count),
    }


async def _sheet(
    work: Work, account: Account, rows: Sequence[Waiting], place: Place
) -> list[dict[str, Any]]:
    theirs = await groups.of_many(work, [row.person.no for row in rows])
    return [
        {**said, "groups": ", ".join(one.name for one in theirs.get(row.person.no, []))}
        for said, row in zip(await listed(work, account, rows, place), rows, strict=True)
    ]


# --- one case -------------------------------------------------------------------------------------


@get("/followups/{uid:str}", opt=gated(Power.CHANGE_PEOPLE), before_request=note_look_at_case)
async def show_case(request: Asked, work: Working, uid: FromPath[str]) -> Template:
    """Show one case: who waits and why, what was done, and what can be done now."""
    case, person = await case_of(work, uid)
    return await case_page(request, work, case, person)


async def case_of(work: Work, uid: str) -> tuple[FollowUp, Subscriber]:
    """Give a case and who waits; refuses what is not in the reader's care."""
    case = await store.by_uid(work, uid)
    person = await subscribers.by_no(work, case.subscriber_no) if case is not None else None
    if case is None or person is None:
        raise CaseUnknown
    return case, person


async def case_page(
    request: Asked,
    work: Work,
    case: FollowUp,
    person: Subscriber,
    *,
    typed: Mapping[str, str] | None = None,
    tried: Tried | None = None,
) -> Template:
    """Show a case; what was typed wrongly is shown again where it was typed."""
    tried = tried or Tried()
    account, place = account_of(request), place_of(typed or request.query_params)
    labels = {
        "call_at": _("Call again on"),
        "hour": _("At"),
        "due": _("Should hear from us by"),
        "words": _("A note for the next person"),
        "letter": _("Your words"),
        "to": _("Who looks after it"),
    }
    errors = tried.errors
    return page(
        request,
        "admin/followups/case.html",
        status=status_of(tried.refusal) if tried.refusal else 200,
        name=called(person),
        back=place.queue(),
        next=await _next(work, account, case, place),
        here=at(case),
        place=place.fields,
        case=await whole(work, account, case, person, place),
        values=_empty() | dict(typed or {}),
        errors=errors,
        refusal="" if set(errors) & set(labels) else tried.words,
        summary=[(name, label, errors.get(name)) for name, label in labels.items()],
    )


async def _next(work: Work, account: Account, case: FollowUp, place: Place) -> str:
    """Give the way to whoever comes after a case; the first of all where it is over."""
    after = case.uid if case.is_open else ""
    found = await queues.queue(work, await view_of(work, account, place), after=after, limit=1)
    return place.case(found.rows[0].case) if found.rows else ""


def _empty() -> dict[str, str]:
    return dict.fromkeys(("day", "hour", "due", "words", "letter", "to"), "")


HANDLERS = [show_queue, show_sheet, show_case]
