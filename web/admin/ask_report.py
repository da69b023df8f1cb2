"""The report of an ask: how far it has come, who said what, and what people read.

Whoever looks after some groups sees the numbers of their own people. Where a report is shown to
others it names nobody, and small numbers are withheld.
"""

from datetime import tzinfo
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from mailer.accounts.model import Account, Power
from mailer.asks import composing, reporting, undoing
from mailer.asks import store as asks
from mailer.asks.counting import store as counting
from mailer.asks.counting.store import Counts
from mailer.asks.model import Ask, AskState, Evidence, Pledge, PledgeState
from mailer.kit.errors import NotFound
from mailer.kit.i18n import _, in_language, ngettext
from mailer.kit.work import Work
from mailer.relays import store as sending_rules
from mailer.segments import saving
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import Subscriber
from mailer.tiers import store as tiers
from web.admin import ask_numbers, ask_words
from web.admin.ask_numbers import in_each_state, is_done_told, is_yes_told
from web.admin.ask_words import lines_of
from web.admin.asks import AskUnknown, ask_at, at, may_change, progress, seen_by, shares, unfit
from web.admin.campaigns import Working
from web.admin.people import at as person_at
from web.admin.people import called
from web.admin.sharing import NOT_TOLD, THRESHOLD, Say, is_told, withholding
from web.admin.telling import day, number
from web.kit.forms import attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import account_of, gated
from web.kit.sessions import Asked


class AnswerUnknown(NotFound):
    """There is no such answer."""


@get("/asks/{uid:str}", opt=gated())
async def show_ask(
    request: Asked,
    work: Working,
    uid: FromPath[str],
    answer: FromQuery[str] = "",
    after: FromQuery[int] = 0,
    confirmed: FromQuery[int] = 0,
    shared: FromQuery[str] = "",
) -> Template:
    """Show how far an ask has come, and who gave one of the answers; `shared`: without names."""
    ask = await ask_at(work, uid)
    account = account_of(request)
    if not seen_by(account, [ask]):
        raise AskUnknown
    counted = (await counting.counts(work, [ask.no]))[ask.no]
    demand = await asks.demand_by_no(work, ask.demand_no) if ask.demand_no else None
    withheld = shared == "yes" and work.scope is None
    may_see = account.may(Power.SEE_PEOPLE) and not withheld
    return page(
        request,
        "admin/asks/show.html",
        here=at(ask),
        title=in_language(ask.title),
        demand={"uid": demand.uid, "title": in_language(demand.title)} if demand else None,
        state=ask.state.value,
        told=_how_it_stands(ask),
        unfit=await unfit(work, ask) if ask.state is not AskState.CLOSED and not withheld else "",
        may_write=may_change(account, ask) and not withheld,
        may_open=account.may(Power.SEND) and not withheld,
        may_see=may_see,
        may_count=account.may(Power.SEE_PEOPLE) and ask.state is not AskState.DRAFT,
        shared=withheld,
        threshold=THRESHOLD,
        is_scoped=work.scope is not None,
        **_figures(ask, counted, withholding if withheld else number, has_goal=work.scope is None),
        **await _words(work, ask),
        **(
            await _people(work, account, ask, counted, answer=answer, after=max(after, 0))
            if may_see
            else {}
        ),
        confirmed=await _just_confirmed(work, account, ask, confirmed) if confirmed else None,
        segments=[
            (one.name, f"/admin/segments/{one.uid}")
            for one in (await saving.users_of(work, ("ask", ask.no)) if may_see else ())
        ],
    )


def _how_it_stands(ask: Ask) -> str:
    if ask.closed_at is not None:
        return _("Closed on %(day)s.") % {"day": day(ask.closed_at)}
    if ask.opened_at is not None:
        return _("Open since %(day)s.") % {"day": day(ask.opened_at)}
    return _("A draft. Nobody sees it until it is opened.")


def _figures(ask: Ask, counted: Counts, say: Say, *, has_goal: bool) -> dict[str, Any]:
    """Give the numbers of a report; a sum is withheld with any of its parts, for it would tell."""
    each = in_each_state(counted)
    most = max([*each.values(), 1])
    figures = [
        (_("Offered"), number(counted.offered), _("in newsletters")),
        (_("Said yes"), ask_numbers.said_yes(counted, say), ""),
        (_("Done"), ask_numbers.done(counted, say), _("once at least")),
    ]
    if ask.is_counted:
        amount = number(counted.amount) if is_done_told(counted, say) else NOT_TOLD
        figures.append((_("In all"), amount, in_language(ask.unit)))
    share, share_to_do = shares(ask, counted, has_goal=has_goal)
    goal = {
        "share": share,
        "share_pledged": share_to_do,
        "said": progress(ask, counted, say, has_goal=has_goal),
    }
    return {
        "figures": figures,
        "goal": goal if is_yes_told(counted, say) and ask.target is not None and has_goal else None,
        "answers": [
            {
                "words": _(ask_words.COUNTED[state]),
                "share": 100 * count / most if is_told(count, say) else 0,
                "kind": "brand" if state in ask_numbers.DONE else "ink",
                "shown": say(count),
            }
            for state, count in each.items()
            if count or state is not PledgeState.VERIFIED
        ],
    }


async def _words(work: Work, ask: Ask) -> dict[str, Any]:
    """Give what people read, and for whom it is."""
    level = await tiers.by_no(work, ask.minimum_tier_no) if ask.minimum_tier_no else None
    ready = await tiers.by_no(work, ask.suggested_tier_no) if ask.suggested_tier_no else None
    often = _(ask_words.TURNS[ask.turn][0])
    if ask.repeat_days is not None:
        again = ngettext("every %(count)s day", "every %(count)s days", ask.repeat_days)
        often = _("%(what)s: %(more)s") % {
            "what": often,
            "more": again % {"count": number(ask.repeat_days)},
        }
    terms = [
        (_("For"), ask_words.for_whom(ask.audience)),
        (_("Effort"), ask_words.effort(ask.minutes)),
        (_("By"), ask_words.by(ask.deadline, work.now, await sending_rules.zone(work))),
        (_("From level"), in_language(level.name) if level else ""),
        (_("Shows somebody ready for"), in_language(ready.name) if ready else ""),
        (_("How often"), often),
        (_("Goal"), ask_words.amount(ask.target, ask.unit) if ask.target is not None else ""),
        (_("Room for"), number(ask.capacity) if ask.capacity is not None else ""),
        (_("When it is done"), _(ask_words.EVIDENCES[ask.evidence][0])),
        (_("Whoever says yes"), _("hears from one of us") if ask.needs_support else ""),
        (_("When it goes wrong"), ask.support_contact),
    ]
    return {
        "why": in_language(ask.why),
        "steps": lines_of(ask.text),
        "risk": in_language(ask.risk),
        "rights": lines_of(ask.rights),
        "terms": [(term, words) for term, words in terms if words],
    }


async def _people(
    work: Work, account: Account, ask: Ask, counted: Counts, *, answer: str, after: int
) -> dict[str, Any]:
    """Give those who gave one answer, a page at a time: those who need help before the others."""
    each = in_each_state(counted)
    first = next((one for one in _MOST_URGENT if each[one]), PledgeState.PLEDGED)
    state = next((one for one in each if one.value == answer), first)
    found = await counting.people_of(work, ask, state, after)
    zone = await sending_rules.zone(work)
    may_change = account.may(Power.CHANGE_PEOPLE)
    here = at(ask, f"?answer={state.value}")
    return {
        "state_tabs": [
            (
                one.value,
                _("%(answer)s %(count)s")
                % {"answer": _(ask_words.COUNTED[one]), "count": number(count)},
                at(ask, f"?answer={one.value}"),
            )
            for one, count in each.items()
            if count or one is state or one is PledgeState.PLEDGED
        ],
        "shown": state.value,
        "people": [
            _person(work, ask, pledge, person, zone, may_change=may_change)
            for pledge, person in found.rows
        ],
        "nobody": _("Nobody gave this answer.")
        if ask.state is not AskState.DRAFT
        else _("Nobody has been asked."),
        "to_verify": may_change and ask.evidence is Evidence.VERIFIED and state is PledgeState.DONE,
        "verified": may_change and state is PledgeState.VERIFIED,
        "after": after,
        "next": f"{here}&after={found.next_after}" if found.next_after else "",
        "before": here if after else "",
    }


async def _just_confirmed(work: Work, account: Account, ask: Ask, no: int) -> dict[str, Any] | None:
    """Name whose deed was confirmed a moment ago, so that it can be taken back."""
    pledge = await asks.pledge_in_sight(work, no)
    if not account.may(Power.CHANGE_PEOPLE) or pledge is None or pledge.ask_no != ask.no:
        return None
    person = await subscribers.by_no(work, pledge.subscriber_no)
    if pledge.state is not PledgeState.VERIFIED or person is None:
        return None
    return {"pledge": pledge.no, "name": called(person)}


_MOST_URGENT = (PledgeState.BLOCKED, PledgeState.PLEDGED, PledgeState.DONE)


def _person(
    work: Work, ask: Ask, pledge: Pledge, person: Subscriber, zone: tzinfo, *, may_change: bool
) -> dict[str, Any]:
    """Say who answered. What they wrote is read on their own page, where it is noted who looked."""
    since = pledge.verified_at or pledge.done_at or pledge.made_at
    return {
        "pledge": pledge.no,
        "name": called(person),
        "href": person_at(person, f"/asks/{ask.uid}" if may_change else ""),
        "since": ask_words.on(since, work.now, zone),
        "amount": "" if pledge.amount is None else ask_words.amount(pledge.amount, ask.unit),
        "note": may_change and pledge.note is not None,
        "link": reporting.link_of(work, pledge) if may_change else "",
    }


# --- opening, closing, confirming ---------------------------------------------------------------


@post("/asks/{uid:str}/state", opt=gated(Power.SEND))
async def change_state(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Open an ask, close it, or open it again."""
    ask = await ask_at(work, uid)
    form = await read_form(request)
    told = ""
    async with attempt(work) as tried:
        told = await _stepped(work, ask, form.raw("do"))
    if isinstance(tried.refusal, composing.DeadlineGone):
        return redirect(at(ask, "/edit#deadline"), notice=tried.words, kind="warn")
    if tried.refusal:
        return redirect(at(ask), notice=tried.words, kind="warn")
    if not told:
        return redirect(at(ask), notice=_("Nothing has changed."), kind="info")
    return redirect(at(ask), notice=told)


async def _stepped(work: Work, ask: Ask, do: str) -> str:
    """Do what a button says, and say what was done; nothing where none is named."""
    match do:
        case "open":
            await composing.open_ask(work, ask)
            return _("It is open. Put it into a newsletter, and people are asked.")
        case "close":
            await composing.close_ask(work, ask)
            return _("It is closed. What people said yes to stays.")
        case "reopen":
            await composing.reopen_ask(work, ask)
            return _("It is open again.")
        case _:
            return ""


@post("/asks/{uid:str}/verification", opt=gated(Power.CHANGE_PEOPLE))
async def verify(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Confirm that what somebody reported is done, or take that back.

    Somebody out of sight is nobody.
    """
    ask = await ask_at(work, uid)
    form = await read_form(request)
    takes_back = form.raw("do") == "undo"
    state = PledgeState.VERIFIED if takes_back else PledgeState.DONE
    back = at(ask, f"?answer={state.value}&after={form.whole('after') or 0}")
    pledge = await asks.pledge_in_sight(work, form.whole("pledge") or 0)
    if pledge is None or pledge.ask_no != ask.no:
        raise AnswerUnknown
    async with attempt(work) as tried:
        if takes_back:
            await undoing.unverify(work, pledge)
        else:
            await reporting.verify(work, pledge)
    if tried.refusal:
        return redirect(back, notice=tried.words, kind="warn")
    if takes_back:
        return redirect(back, notice=_("No longer confirmed. It is done all the same."))
    return redirect(f"{back}&confirmed={pledge.no}", notice=_("Confirmed."))


HANDLERS = [show_ask, change_state, verify]
