"""How far an ask, or all asks of a demand, have come in each group and each sector.

To others the numbers are told to the nearest five, and small ones not at all: there are so many
here, beside those of the ask and of the demand, that exact ones would tell each other.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.asks import store as asks
from mailer.asks.by_group.store import Answers, added, of_groups
from mailer.asks.model import AskState
from mailer.groups import store as groups
from mailer.kit.i18n import _, in_language
from mailer.kit.work import Work
from web.admin.asks import AskUnknown, ask_at, at, seen_by
from web.admin.campaigns import Working
from web.admin.demands import DemandUnknown, demand_at, is_seen_by
from web.admin.demands import at as at_demand
from web.admin.sharing import THRESHOLD, Say, rounded, rounding
from web.admin.telling import number
from web.kit.pages import page
from web.kit.security import account_of, gated
from web.kit.sessions import Asked

MOST_GROUPS = 100


@get("/asks/{uid:str}/groups", opt=gated(Power.SEE_PEOPLE))
async def show_by_group(
    request: Asked, work: Working, uid: FromPath[str], shared: FromQuery[str] = ""
) -> Template:
    """Show the groups whose people said most to an ask, and the sectors they are of."""
    ask = await ask_at(work, uid)
    if not seen_by(account_of(request), [ask]):
        raise AskUnknown
    withheld = shared == "yes" and work.scope is None
    return page(
        request,
        "admin/asks/groups.html",
        here=at(ask),
        title=in_language(ask.title),
        lists=(_("Asks"), "/admin/asks"),
        of_several=False,
        **await _counted(work, [ask.no], shared=withheld),
    )


@get("/demands/{uid:str}/groups", opt=gated(Power.SEE_PEOPLE))
async def show_demand_by_group(
    request: Asked, work: Working, uid: FromPath[str], shared: FromQuery[str] = ""
) -> Template:
    """Show the groups whose people said most to all asks of a demand, and their sectors."""
    demand = await demand_at(work, uid)
    if not is_seen_by(account_of(request), demand):
        raise DemandUnknown
    withheld = shared == "yes" and work.scope is None
    its = await asks.asks_of(work, demand.no)
    begun = [ask.no for ask in its if ask.state is not AskState.DRAFT]
    return page(
        request,
        "admin/asks/groups.html",
        here=at_demand(demand),
        title=in_language(demand.title),
        lists=(_("Demands"), "/admin/demands"),
        of_several=len(begun) > 1,
        **await _counted(work, begun, shared=withheld),
    )


async def _counted(work: Work, ask_nos: Sequence[int], *, shared: bool) -> dict[str, Any]:
    found = await of_groups(work, ask_nos)
    named = await groups.by_nos(work, list(found))
    by_sector: defaultdict[str, list[Answers]] = defaultdict(list)
    for no, its in found.items():
        by_sector[named[no].sector].append(its)
    every = _rows(
        [
            (named[no].name, f"/admin/people?group={named[no].uid}", its)
            for no, its in found.items()
        ],
        shared=shared,
    )
    sectors = [(one or _("No sector said"), "", added(its)) for one, its in by_sector.items()]
    return {
        "groups": every[:MOST_GROUPS],
        "more": max(len(every) - MOST_GROUPS, 0),
        "sectors": _rows(sectors, shared=shared) if any(by_sector) else [],
        "shared": shared,
        "threshold": THRESHOLD,
        "is_scoped": work.scope is not None,
    }


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """What some people made of it, as it is shown; the bar is measured against the longest."""

    name: str
    href: str
    pledged: str
    done: str
    blocked: str
    declined: str
    share_done: float
    share_pledged: float


def _rows(of: Sequence[tuple[str, str, Answers]], *, shared: bool) -> list[_Row]:
    """Write the rows, most yeses first.

    To others, neither the order nor the length of a bar tells more than the numbers do.
    """
    say: Say = rounding if shared else number
    seen = rounded if shared else int
    most = max([seen(one.pledged) for _name, _href, one in of], default=0)
    rows = []
    for name, href, one in sorted(of, key=lambda row: (-seen(row[2].pledged), row[0])):
        share = 100 * seen(one.pledged) / most if most else 0
        share_done = min(100 * seen(one.done) / most if most else 0, share)
        rows.append(
            _Row(
                name=name,
                href=href,
                pledged=say(one.pledged),
                done=say(one.done),
                blocked=say(one.blocked),
                declined=say(one.declined),
                share_done=share_done,
                share_pledged=share - share_done,
            )
        )
    return rows


HANDLERS = [show_by_group, show_demand_by_group]
