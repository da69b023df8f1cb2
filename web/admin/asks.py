"""Asks: all of them, by the demand they serve, with how far each has come.

Drafts are seen by those who write. Whoever looks after some groups sees the numbers of their own
people, and no goal beside them: that is everybody's.
"""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any

from litestar import get
from litestar.params import FromQuery
from litestar.response import Template

from mailer.accounts.model import Account, Power
from mailer.asks import choosing
from mailer.asks import store as asks
from mailer.asks.counting import store as counting
from mailer.asks.counting.store import Counts
from mailer.asks.model import Ask, AskState, Demand
from mailer.kit.errors import NotFound
from mailer.kit.i18n import _, in_language, ngettext
from mailer.kit.work import Work
from mailer.relays import store as sending_rules
from web.admin import ask_numbers, ask_words
from web.admin.campaigns import Working
from web.admin.sharing import THRESHOLD, Say, withholding
from web.admin.telling import number
from web.kit.pages import page
from web.kit.security import account_of, gated
from web.kit.sessions import Asked

SHOWN: Mapping[str, AskState] = {
    "open": AskState.OPEN,
    "drafts": AskState.DRAFT,
    "closed": AskState.CLOSED,
}


class AskUnknown(NotFound):
    """There is no such ask."""


async def ask_at(work: Work, uid: str) -> Ask:
    """Find the ask that an address names."""
    found = await asks.by_uid(work, uid)
    if found is None:
        raise AskUnknown
    return found


def at(ask: Ask, more: str = "") -> str:
    """Give the address of an ask's page, or of one of its forms."""
    return f"/admin/asks/{ask.uid}{more}"


# --- all of them --------------------------------------------------------------------------------


@get("/asks", opt=gated())
async def show_asks(
    request: Asked, work: Working, show: FromQuery[str] = "", shared: FromQuery[str] = ""
) -> Template:
    """Show the asks in one state, each under the demand it serves; `shared`: for others' eyes."""
    account = account_of(request)
    every = seen_by(account, await asks.all_asks(work))
    tabs = _tabs(every, may_write=account.may(Power.WRITE))
    show = show if show in {name for name, _words, _href in tabs} else "open"
    shown = [ask for ask in every if ask.state is SHOWN[show]]
    counts = await counting.counts(work, [ask.no for ask in shown])
    withheld = shared == "yes" and work.scope is None
    say = withholding if withheld else number
    blocked = 0 if withheld else sum(one.blocked for one in counts.values())
    return page(
        request,
        "admin/asks/list.html",
        told=_told(show, shown, counts, say),
        helped=ngettext("One person asked for help.", "%(count)s people asked for help.", blocked)
        % {"count": number(blocked)}
        if blocked
        else "",
        tabs_of=tabs,
        show=show,
        demands=await _by_demand(work, shown, counts, say),
        shared=withheld,
        threshold=THRESHOLD,
        may_write=account.may(Power.WRITE) and not withheld,
        may_help=account.may(Power.CHANGE_PEOPLE),
        is_scoped=work.scope is not None,
    )


def _told(show: str, shown: Sequence[Ask], counts: Mapping[int, Counts], say: Say) -> str:
    if show == "drafts" or not shown:
        return _("Concrete things to do, and how far each has come.")
    total = ask_numbers.told_of_all(list(counts.values()), say)
    asks_ = (
        ngettext("One open ask.", "%(count)s open asks.", len(shown))
        if show == "open"
        else ngettext("One closed ask.", "%(count)s closed asks.", len(shown))
    )
    yes = sum(one.pledged for one in counts.values())
    done = sum(one.done for one in counts.values())
    return " ".join(
        [
            asks_ % {"count": number(len(shown))},
            ngettext("%(count)s said yes.", "%(count)s said yes.", yes)
            % {"count": total["pledged"]},
            ngettext("%(count)s done.", "%(count)s done.", done) % {"count": total["done"]},
        ]
    )


def seen_by(account: Account, every: Sequence[Ask]) -> list[Ask]:
    """Leave drafts out for those who do not write."""
    may_write = account.may(Power.WRITE)
    return [ask for ask in every if may_write or ask.state is not AskState.DRAFT]


def may_change(account: Account, ask: Ask) -> bool:
    """Say whether somebody may change an ask: what people have seen, only who may send."""
    return account.may(Power.SEND if ask.state is not AskState.DRAFT else Power.WRITE)


def _tabs(every: Sequence[Ask], *, may_write: bool) -> list[tuple[str, str, str]]:
    words = {
        "open": _("Open %(count)s"),
        "drafts": _("Drafts %(count)s"),
        "closed": _("Closed %(count)s"),
    }
    return [
        (
            name,
            words[name] % {"count": number(sum(ask.state is state for ask in every))},
            "/admin/asks" if name == "open" else f"/admin/asks?show={name}",
        )
        for name, state in SHOWN.items()
        if may_write or state is not AskState.DRAFT
    ]


async def _by_demand(
    work: Work, shown: Sequence[Ask], counts: Mapping[int, Counts], say: Say
) -> list[dict[str, Any]]:
    """Put asks under their demands, the newest demand first; those that serve none come last."""
    of: dict[int | None, list[Ask]] = {}
    for ask in shown:
        of.setdefault(ask.demand_no, []).append(ask)
    demands = [one for one in await asks.demands(work) if one.no in of]
    parts: list[tuple[Demand | None, list[Ask]]] = [(one, of[one.no]) for one in demands]
    if None in of:
        parts.append((None, of[None]))
    return [
        {
            "uid": demand.uid if demand else "",
            "title": in_language(demand.title)
            if demand
            else _("Other asks")
            if len(parts) > 1
            else "",
            "asks": await rows(work, its, counts, say),
        }
        for demand, its in parts
    ]


async def rows(
    work: Work, of: Sequence[Ask], counts: Mapping[int, Counts], say: Say = number
) -> list[dict[str, Any]]:
    """Give the rows of a table of asks, with how far each has come."""
    zone = await sending_rules.zone(work)
    return [_row(work, ask, counts[ask.no], zone, say) for ask in of]


def _row(work: Work, ask: Ask, counted: Counts, zone: tzinfo, say: Say) -> dict[str, Any]:
    share, share_to_do = shares(ask, counted, has_goal=work.scope is None)
    if not ask_numbers.is_yes_told(counted, say):
        share, share_to_do = 0, 0
    waiting = ngettext("%(count)s waits", "%(count)s wait", counted.blocked)
    return {
        "title": in_language(ask.title),
        "href": at(ask),
        "effort": ask_words.effort(ask.minutes),
        "for_whom": ask_words.for_whom(ask.audience),
        "by": ask_words.by(ask.deadline, work.now, zone),
        "progress": progress(ask, counted, say, has_goal=work.scope is None),
        "share_done": share,
        "share_pledged": share_to_do,
        "blocked": waiting % {"count": say(counted.blocked)} if counted.blocked else "",
    }


def progress(ask: Ask, counted: Counts, say: Say, *, has_goal: bool) -> str:
    """Say how far an ask has come: 344 done, 812 said yes, goal 1,000."""
    done, yes = (
        ngettext("%(count)s done", "%(count)s done", counted.done),
        ngettext("%(count)s said yes", "%(count)s said yes", counted.pledged),
    )
    is_counted = ask.is_counted and ask_numbers.is_done_told(counted, say)
    parts = [ask_words.amount(counted.amount, ask.unit)] if is_counted else []
    parts += [
        done % {"count": ask_numbers.done(counted, say)},
        yes % {"count": ask_numbers.said_yes(counted, say)},
    ]
    if ask.target is not None and has_goal:
        parts.append(_("goal %(goal)s") % {"goal": ask_words.amount(ask.target, ask.unit)})
    return ", ".join(parts)


async def unfit(work: Work, ask: Ask) -> str:
    """Say that few are offered an ask as their best one, and why; empty where it is as usual."""
    if ask.minutes is None or not await choosing.takes_too_long(work, ask):
        return ""
    told = _(
        "No level gives %(effort)s a month: as the best for them only people on the highest are "
        "offered it. Make it shorter, or choose it yourself in a newsletter."
    )
    return told % {"effort": ask_words.effort(ask.minutes)}


def shares(ask: Ask, counted: Counts, *, has_goal: bool) -> tuple[float, float]:
    """Give in 100 how much of the goal is reached, and how much more was promised.

    Of what is counted in a unit nobody knows how much more will come. Without a goal, all who said
    yes are the whole.
    """
    reached = counted.amount if ask.is_counted else counted.done
    if ask.target is not None and has_goal:
        share = min(100 * reached / ask.target, 100)
        promised = 0 if ask.is_counted else 100 * counted.to_do / ask.target
    else:
        everybody = max(counted.done + counted.to_do, 1)
        share, promised = 100 * counted.done / everybody, 100 * counted.to_do / everybody
    return share, min(promised, 100 - share)


HANDLERS = [show_asks]
