"""How far an ask, or all asks of a demand, have come in each group and each sector.

Small numbers are withheld for others. A sum over asks is withheld with any of its parts: beside the
page of one of them it would tell the other.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from litestar import get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.asks import store as asks
from mailer.asks.by_group.store import OfGroup, of_groups
from mailer.asks.model import AskState
from mailer.groups import store as groups
from mailer.kit.i18n import _, in_language
from mailer.kit.work import Work
from web.admin.asks import AskUnknown, ask_at, at, seen_by
from web.admin.campaigns import Working
from web.admin.demands import DemandUnknown, demand_at, is_seen_by
from web.admin.demands import at as at_demand
from web.admin.sharing import THRESHOLD, Say, is_told, total, withholding
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
    say = withholding if shared else number
    by_group: defaultdict[int, list[OfGroup]] = defaultdict(list)
    for one in await of_groups(work, ask_nos):
        by_group[one.group_no].append(one)
    named = await groups.by_nos(work, list(by_group))
    sectors: defaultdict[str, list[OfGroup]] = defaultdict(list)
    for no, its in by_group.items():
        sectors[named[no].sector].extend(its)
    found = sorted(by_group.items(), key=_yes, reverse=True)
    return {
        "groups": [
            {
                "name": named[no].name,
                "href": f"/admin/people?group={named[no].uid}",
                **_told(its, most=_yes(found[0]), say=say),
            }
            for no, its in found[:MOST_GROUPS]
        ],
        "more": max(len(found) - MOST_GROUPS, 0),
        "sectors": [
            {
                "name": sector or _("No sector said"),
                "href": "",
                **_told(its, most=max(map(_yes, sectors.items())), say=say),
            }
            for sector, its in sorted(sectors.items(), key=_yes, reverse=True)
        ]
        if any(sectors)
        else [],
        "shared": shared,
        "threshold": THRESHOLD,
        "is_scoped": work.scope is not None,
    }


def _yes(of: tuple[Any, list[OfGroup]]) -> int:
    return sum(one.pledged for one in of[1])


def _told(of: Sequence[OfGroup], *, most: int, say: Say) -> dict[str, Any]:
    """Give the numbers of some people, and how long their bar is beside the longest."""
    pledged, done = [one.pledged for one in of], [one.done for one in of]
    has_bar = most > 0 and all(is_told(count, say) for count in (*pledged, *done))
    share_done = 100 * min(sum(done), sum(pledged)) / most if has_bar else 0
    return {
        "pledged": total(pledged, say),
        "done": total(done, say),
        "blocked": total([one.blocked for one in of], say),
        "declined": total([one.declined for one in of], say),
        "share_done": share_done,
        "share_pledged": 100 * sum(pledged) / most - share_done if has_bar else 0,
    }


HANDLERS = [show_by_group, show_demand_by_group]
