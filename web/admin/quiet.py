"""Who goes quiet: on each level, in each group and in each sector. To be read and printed.

Where it is shown to others, and to whoever looks after some groups, small numbers are withheld.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from litestar import get
from litestar.params import FromQuery
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.groups import store as groups
from mailer.kit.i18n import N_, _, in_language, ngettext
from mailer.kit.work import Work
from mailer.tiers import store as tiers
from mailer.tiers.quiet import store
from mailer.tiers.quiet.store import Quiet
from web.admin import building
from web.admin.campaigns import Working
from web.admin.sharing import NOT_TOLD, THRESHOLD, Say, is_told, total, withholding
from web.admin.telling import number
from web.kit.pages import page
from web.kit.security import gated
from web.kit.sessions import Asked

DAYS = (30, 90, 180)
MOST_GROUPS = 50

BY: Mapping[str, str] = {
    "level": N_("Level"),
    "group": N_("Group"),
    "sector": N_("Sector"),
}


@get("/quiet", opt=gated(Power.SEE_PEOPLE))
async def show_quiet(
    request: Asked,
    work: Working,
    by: FromQuery[str] = "",
    days: FromQuery[str] = "",
    shared: FromQuery[str] = "",
) -> Template:
    """Show how many do nothing, and what came of asking them, by level, group or sector."""
    by = by if by in BY else "level"
    span = int(days) if days in {str(one) for one in DAYS} else DAYS[1]
    withheld = work.scope is not None or shared == "yes"
    say = withholding if withheld else number
    rows = await _ROWS[by](work, span, say)
    kept = f"&shared={shared}" if shared == "yes" else ""
    return page(
        request,
        "admin/quiet/show.html",
        told=ngettext(
            "Who did nothing by their own hand for %(count)s day.",
            "Who did nothing by their own hand for %(count)s days.",
            span,
        )
        % {"count": number(span)},
        by=by,
        head=_(BY[by]),
        tabs_of=[(one, _(words), f"?by={one}&days={span}{kept}") for one, words in BY.items()],
        days=str(span),
        spans=[
            (str(one), ngettext("%(count)s day", "%(count)s days", one) % {"count": number(one)})
            for one in DAYS
        ],
        rows=rows,
        withheld=withheld,
        threshold=THRESHOLD,
        is_scoped=work.scope is not None,
    )


async def _levels(work: Work, days: int, say: Say) -> list[dict[str, Any]]:
    found = await store.of_tiers(work, work.now - timedelta(days=days))
    return [
        _row(
            in_language(tier.name),
            [found.get(tier.no, Quiet())],
            say,
            href="/admin/people"
            + building.query(
                {
                    "all": [
                        {"is": "tier", "how": "is", "tier": str(tier.no)},
                        {"not": "declared", "days": days},
                    ]
                }
            ),
        )
        for tier in reversed(await tiers.ladder(work))
    ]


async def _groups(work: Work, days: int, say: Say) -> list[dict[str, Any]]:
    """Give the groups in which most are quiet, those first."""
    found = await store.of_groups(work, work.now - timedelta(days=days))
    most = sorted(found, key=lambda no: (-found[no].quiet, no))[:MOST_GROUPS]
    named = await groups.by_nos(work, most)
    return [
        _row(named[no].name, [found[no]], say, href=f"/admin/groups/{named[no].uid}")
        for no in most
        if no in named
    ]


async def _sectors(work: Work, days: int, say: Say) -> list[dict[str, Any]]:
    found = await store.of_groups(work, work.now - timedelta(days=days))
    named = await groups.by_nos(work, found)
    sectors: defaultdict[str, list[Quiet]] = defaultdict(list)
    for no, quiet in found.items():
        sectors[named[no].sector if no in named else ""].append(quiet)
    most = sorted(sectors.items(), key=lambda one: -sum(its.quiet for its in one[1]))
    return [_row(sector or _("No sector said"), its, say) for sector, its in most]


_ROWS = {"level": _levels, "group": _groups, "sector": _sectors}


def _row(name: str, of: Sequence[Quiet], say: Say, *, href: str = "") -> dict[str, Any]:
    """Write the numbers of a level, a group, or of a sector with all its groups."""
    people, quiet = sum(one.people for one in of), sum(one.quiet for one in of)
    # How many are not quiet is what is left: told with the others, it would be told as well.
    told = all(is_told(one.people - one.quiet, say) for one in of)
    shown = total([one.quiet for one in of], say) if told else NOT_TOLD
    is_whole = told and all(is_told(one.quiet, say) for one in of)
    of_asked = [(one.answered, one.lapsed, one.waiting, one.gone_on) for one in of]
    is_sum_told = all(is_told(count, say) for each in of_asked for count in each)
    return {
        "words": name,
        "href": href,
        "kind": "ink",
        "share": 100 * quiet / people if people and is_whole else 0,
        "shown": shown,
        "people": total([one.people for one in of], say),
        "asked": number(sum(one.asked for one in of)) if is_sum_told else NOT_TOLD,
        "answered": total([one.answered for one in of], say),
        "lapsed": total([one.lapsed for one in of], say),
        "waiting": total([one.waiting for one in of], say),
    }


HANDLERS = [show_quiet]
