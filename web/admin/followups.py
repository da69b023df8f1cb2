"""Follow-ups: who to help and who to call next, and one case whole.

What is done about a case stands in `followup_calls` (calling) and `followup_care` (whose it is,
notes, emails); each leads back here.
"""

from collections.abc import Mapping
from urllib.parse import urlencode

from litestar import get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from mailer.accounts.model import Account, Power
from mailer.followups import store
from mailer.followups.holding import CaseUnknown
from mailer.followups.model import FollowUp, Rank
from mailer.followups.queue import store as queues
from mailer.followups.queue.store import View, Whose
from mailer.followups.rounds import digest
from mailer.groups import store as groups
from mailer.kit.i18n import _, ngettext
from mailer.kit.work import Work
from mailer.records import looking
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import Subscriber
from web.admin.campaigns import Working
from web.admin.followup_words import at, counted, listed, whole
from web.admin.people import called
from web.admin.telling import number
from web.kit.errors import status_of
from web.kit.forms import Tried
from web.kit.pages import page
from web.kit.security import account_of, gated
from web.kit.sessions import Asked, visit_of

AT_ONCE = 25
HERE = "/admin/followups"


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
    visit, account = visit_of(request), account_of(request)
    asked = request.query_params
    async with visit.house.work(reading=True, scope=visit.scope, account=account.no) as work:
        view = await _view(work, account, asked.get("show", ""), asked.get("group", ""))
        found = (await queues.queue(work, view, after=asked.get("after", ""), limit=1)).rows
        person = found[0].person if found else None
        is_new = person is not None and await looking.is_new(work, person)
    if person is not None and is_new:
        await _note(request, account, person)


async def _note(request: Asked, account: Account, person: Subscriber) -> None:
    """Note a look: an observation, which has a unit of work of its own."""
    visit = visit_of(request)
    async with visit.house.work(scope=visit.scope, account=account.no) as work:
        await looking.note(work, person, account)


# --- the queue ------------------------------------------------------------------------------------


@get("/followups", opt=gated(Power.CHANGE_PEOPLE), before_request=note_look_at_first)
async def show_queue(
    request: Asked,
    work: Working,
    show: FromQuery[str] = "",
    group: FromQuery[str] = "",
    after: FromQuery[str] = "",
) -> Template:
    """Show who waits, in the order in which to call, and the first of them whole."""
    account = account_of(request)
    view = await _view(work, account, show, group)
    found = await queues.queue(work, view, after=after, limit=AT_ONCE)
    first, rest = (found.rows[0] if found.rows else None), found.rows[1:]
    count = await queues.counts(work, view)
    return page(
        request,
        "admin/followups/queue.html",
        told=_told(count, await queues.later(work, view)),
        whose=view.whose.value,
        tabs=_tabs(work, group),
        group=group,
        groups=[(one.uid, one.name) for one in await groups.open_groups(work)],
        case=await whole(work, account, first.case, first.person) if first else None,
        rest=await listed(work, account, rest),
        sheet_link=_query(HERE + "/sheet", show=show, group=group),
        next=_query(HERE, show=show, group=group, after=found.rows[-1].case.uid)
        if found.next_after is not None
        else "",
        before=_query(HERE, show=show, group=group) if after else "",
        wants_digest=await digest.wants(work, account),
        values=_empty(),
        errors={},
    )


async def _view(work: Work, account: Account, show: str, group: str) -> View:
    """Read which part of the queue is asked for; a group that is not the account's is none."""
    whose = Whose(show) if show in set(Whose) else Whose.NEXT
    found = await groups.by_uid(work, group) if group else None
    if found is not None and work.scope is not None and found.no not in work.scope:
        found = None
    return View(account_no=account.no, whose=whose, group_no=found.no if found else None)


def _told(count: queues.Count, later: int) -> str:
    """Say how many wait, for how many it is late, and how many come back later."""
    helps = count.by_rank.get(Rank.HELP, 0)
    parts = [counted(count.all)] if count.all else [_("Nobody waits.")]
    if helps:
        asked = ngettext("One counts on us.", "%(count)s count on us.", helps)
        parts.append(asked % {"count": number(helps)})
    if count.overdue:
        late = ngettext("One waits for too long.", "%(count)s wait for too long.", count.overdue)
        parts.append(late % {"count": number(count.overdue)})
    if later:
        back = ngettext("One comes back later.", "%(count)s come back later.", later)
        parts.append(back % {"count": number(later)})
    return " ".join(parts)


def _tabs(work: Work, group: str) -> list[tuple[str, str, str]]:
    words = {
        Whose.NEXT: _("Mine, and nobody’s"),
        Whose.MINE: _("Mine"),
        Whose.ALL: _("Everybody’s") if work.scope is None else _("My groups’"),
    }
    return [
        (whose.value, said, _query(HERE, show=whose.value, group=group))
        for whose, said in words.items()
    ]


def _query(path: str, **asked: str) -> str:
    said = {name: value for name, value in asked.items() if value}
    return f"{path}?{urlencode(said)}" if said else path


@get("/followups/sheet", opt=gated(Power.CHANGE_PEOPLE))
async def show_sheet(
    request: Asked, work: Working, show: FromQuery[str] = "", group: FromQuery[str] = ""
) -> Template:
    """Show the queue as a sheet to print: names and why, and no numbers."""
    account = account_of(request)
    view = await _view(work, account, show, group)
    found = await queues.queue(work, view, limit=AT_ONCE)
    people = [row.person.no for row in found.rows]
    theirs = await groups.of_many(work, people)
    return page(
        request,
        "admin/followups/sheet.html",
        back=_query(HERE, show=show, group=group),
        rows=[
            {**said, "groups": ", ".join(one.name for one in theirs.get(row.person.no, []))}
            for said, row in zip(await listed(work, account, found.rows), found.rows, strict=True)
        ],
    )


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
    labels = {
        "call_at": _("When to call again"),
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
        back=HERE,
        here=at(case),
        case=await whole(work, account_of(request), case, person),
        values=_empty() | dict(typed or {}),
        errors=errors,
        refusal="" if set(errors) & set(labels) else tried.words,
        summary=[(name, label, errors.get(name)) for name, label in labels.items()],
    )


def _empty() -> dict[str, str]:
    return dict.fromkeys(("day", "hour", "words", "letter", "to"), "")


HANDLERS = [show_queue, show_sheet, show_case]
