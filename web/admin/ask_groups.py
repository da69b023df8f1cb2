"""How far an ask has come in each group and each sector; small numbers are withheld for others."""

from collections import defaultdict
from collections.abc import Sequence

from litestar import get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.asks.by_group.store import OfGroup, of_groups
from mailer.groups import store as groups
from mailer.kit.i18n import _, in_language
from web.admin.asks import AskUnknown, ask_at, at, seen_by
from web.admin.campaigns import Working
from web.admin.sharing import THRESHOLD, Say, total, withholding
from web.admin.telling import number
from web.kit.pages import page
from web.kit.security import account_of, gated
from web.kit.sessions import Asked

MOST_GROUPS = 100


@get("/asks/{uid:str}/groups", opt=gated(Power.SEE_PEOPLE))
async def show_by_group(
    request: Asked, work: Working, uid: FromPath[str], shared: FromQuery[str] = ""
) -> Template:
    """Show the groups whose people said most, and the sectors they are of."""
    ask = await ask_at(work, uid)
    if not seen_by(account_of(request), [ask]):
        raise AskUnknown
    withheld = shared == "yes" and work.scope is None
    say = withholding if withheld else number
    found = await of_groups(work, ask.no)
    named = await groups.by_nos(work, [one.group_no for one in found])
    sectors: defaultdict[str, list[OfGroup]] = defaultdict(list)
    for one in found:
        sectors[named[one.group_no].sector].append(one)
    return page(
        request,
        "admin/asks/groups.html",
        here=at(ask),
        title=in_language(ask.title),
        groups=[
            {
                "name": named[one.group_no].name,
                "href": f"/admin/people?group={named[one.group_no].uid}",
                **_told([one], say),
            }
            for one in found[:MOST_GROUPS]
        ],
        more=max(len(found) - MOST_GROUPS, 0),
        sectors=[
            {"name": sector or _("No sector said"), **_told(its, say)}
            for sector, its in sorted(
                sectors.items(), key=lambda one: -sum(its.pledged for its in one[1])
            )
        ]
        if any(sectors)
        else [],
        shared=withheld,
        threshold=THRESHOLD,
        is_scoped=work.scope is not None,
    )


def _told(of: Sequence[OfGroup], say: Say) -> dict[str, str]:
    return {
        "pledged": total([one.pledged for one in of], say),
        "done": total([one.done for one in of], say),
        "blocked": total([one.blocked for one in of], say),
        "declined": total([one.declined for one in of], say),
    }


HANDLERS = [show_by_group]
