"""Movement: who stepped up and down on the ladder in a time, and how. To be read and printed.

Where it is shown to others, small numbers are withheld: "two people of the branch stepped down"
names them. A group organiser never sees them.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from babel.dates import format_date
from litestar import get
from litestar.params import FromQuery
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.asks import store as asks
from mailer.campaigns import store as campaigns
from mailer.groups import store as groups
from mailer.kit.i18n import N_, _, in_language, language
from mailer.kit.work import Work
from mailer.tiers import store as tiers
from mailer.tiers.census.counting import census
from mailer.tiers.model import Source, Tier
from mailer.tiers.movement import store
from mailer.tiers.movement.store import Cause, Moves
from web.admin.campaigns import Working
from web.admin.sharing import NOT_TOLD, THRESHOLD, Say, is_told, rounding
from web.admin.telling import counted_at, number
from web.kit.pages import page
from web.kit.security import gated
from web.kit.sessions import Asked

SPANS = (1, 3, 12)
MOST_GROUPS = 50

_HOW = {
    Source.SELF_LINK: N_("By themselves, from an email"),
    Source.SELF_FORM: N_("By themselves, on a page"),
    Source.ASSIGNED: N_("By an organiser"),
    Source.ACCEPTED: N_("Asked for or suggested, and accepted"),
    Source.LAPSED: N_("Not heard of for long"),
    Source.HELD: N_("Held as doubtful"),
    Source.IMPORT: N_("By a file"),
    Source.API: N_("By another program"),
}


@get("/movement", opt=gated(Power.SEE_PEOPLE))
async def show_movement(
    request: Asked,
    work: Working,
    month: FromQuery[str] = "",
    span: FromQuery[str] = "",
    how: FromQuery[str] = "",
    by: FromQuery[str] = "",
    ask: FromQuery[str] = "",
    shared: FromQuery[str] = "",
) -> Template:
    """Show the ladder with its moves, the moves between levels, and those of groups and sectors.

    `how` leaves those that came about in one way, `by` those that one newsletter brought about, and
    `ask` those that answers to one ask suggested.
    """
    ends = _month_of(month, work.now)
    months = int(span) if span in {str(one) for one in SPANS} else 1
    since, until = _earlier(ends, months - 1), _earlier(ends, -1)
    source = next((one for one in _HOW if one.value == how), None)
    sent = [one for one in (await campaigns.all_campaigns(work)).rows if one.started_at is not None]
    cause = next((one for one in sent if one.uid == by), None)
    asked = await asks.all_asks(work)
    after = next((one for one in asked if one.uid == ask), None)
    why = Cause(campaign_no=cause.no if cause else None, ask_no=after.no if after else None)
    withheld = work.scope is not None or shared == "yes"
    say = rounding if withheld else number
    ladder, every = await tiers.ladder(work), await tiers.every_tier(work)
    moved = [
        one
        for one in await store.moves(work, since, until, why=why)
        if source is None or one.source is source
    ]
    between: Counter[tuple[int, int]] = Counter()
    for one in moved:
        between[one.from_no, one.to_no] += one.count
    counted = await census(work)
    nowhere: dict[str, list[dict[str, str]]] = {"groups": [], "sectors": []}
    where = nowhere if source else await _groups(work, since, until, why, every, say)
    return page(
        request,
        "admin/movement/show.html",
        said=_said(since, ends),
        levels=_levels(ladder, every, between, counted.people, say),
        counted=counted_at(counted.at),
        net=_net(every, between, say),
        rungs=[in_language(tier.name) for tier in ladder],
        matrix=_matrix(ladder, between, say),
        ways=_ways(moved, {tier.no: tier.rank for tier in every}, say),
        groups=where["groups"],
        sectors=where["sectors"],
        withheld=withheld,
        threshold=THRESHOLD,
        is_scoped=work.scope is not None,
        month=f"{ends:%Y-%m}",
        before=f"{_earlier(ends, 1):%Y-%m}",
        after=f"{_earlier(ends, -1):%Y-%m}" if _earlier(ends, -1) <= work.now else "",
        span=str(months),
        spans=[(str(one), _SPAN_WORDS[one]()) for one in SPANS],
        how=source.value if source else "",
        by=cause.uid if cause else "",
        bys=[("", _("Any newsletter, or none")), *[(one.uid, one.name) for one in sent]],
        ask=after.uid if after else "",
        asks=[("", _("Any ask, or none")), *[(one.uid, in_language(one.title)) for one in asked]],
        hows=[("", _("Any way")), *[(one.value, _(words)) for one, words in _HOW.items()]],
    )


_SPAN_WORDS: Mapping[int, Callable[[], str]] = {
    1: lambda: _("One month"),
    3: lambda: _("Three months"),
    12: lambda: _("A year"),
}


def _month_of(typed: str, now: datetime) -> datetime:
    """Read a month, as 2026-11; what is none, or is still to come, is this month."""
    this = datetime(now.year, now.month, 1, tzinfo=UTC)
    try:
        asked = datetime.strptime(typed, "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        return this
    return min(asked, this) if asked.year >= 2000 else this


def _earlier(month: datetime, by: int) -> datetime:
    """Give the first day of an earlier month, or of a later one."""
    whole = month.year * 12 + month.month - 1 - by
    return month.replace(year=whole // 12, month=whole % 12 + 1)


def _said(since: datetime, ends: datetime) -> str:
    def named(month: datetime) -> str:
        return format_date(month, "MMMM y", locale=language.get())

    if since == ends:
        return named(ends)
    return _("%(first)s to %(last)s") % {"first": named(since), "last": named(ends)}


def _signed(up: int, down: int, say: Say) -> str:
    """Write what is left of moves up and down; withheld if either is, and as round as they."""
    if not (is_told(up, say) and is_told(down, say)):
        return NOT_TOLD
    net = up - down
    if say is rounding:
        net = round(net / 5) * 5
    return f"+{number(net)}" if net > 0 else number(net).replace("-", "−")  # noqa: RUF001


def _levels(
    ladder: Sequence[Tier],
    every: Sequence[Tier],
    between: Mapping[tuple[int, int], int],
    counts: Mapping[int, int],
    say: Say,
) -> list[dict[str, Any]]:
    """Give each rung with who is on it, who crossed the line below it, and what it won or lost."""
    rank = {tier.no: tier.rank for tier in every}
    most = max([*counts.values(), 1])
    shown = []
    for tier in ladder:
        up = sum(n for (a, b), n in between.items() if rank[a] < tier.rank <= rank[b])
        down = sum(n for (a, b), n in between.items() if rank[b] < tier.rank <= rank[a])
        came = sum(n for (_a, b), n in between.items() if b == tier.no)
        left = sum(n for (a, _b), n in between.items() if a == tier.no)
        shown.append(
            {
                "name": in_language(tier.name),
                "shown": say(counts[tier.no]),
                "share": 100 * counts[tier.no] / most if is_told(counts[tier.no], say) else 0,
                "up": say(up),
                "down": say(down),
                "came": say(came),
                "left": say(left),
                "net": _signed(came, left, say),
            }
        )
    return shown


def _net(every: Sequence[Tier], between: Mapping[tuple[int, int], int], say: Say) -> dict[str, str]:
    rank = {tier.no: tier.rank for tier in every}
    up = sum(n for (a, b), n in between.items() if rank[a] < rank[b])
    down = sum(n for (a, b), n in between.items() if rank[a] > rank[b])
    return {"up": say(up), "down": say(down), "net": _signed(up, down, say)}


def _matrix(
    ladder: Sequence[Tier], between: Mapping[tuple[int, int], int], say: Say
) -> list[dict[str, Any]]:
    """Give a row for each rung left, highest first, with a cell for each that was reached."""
    rows = []
    for left in reversed(ladder):
        cells = [between.get((left.no, to.no), 0) for to in ladder]
        rows.append(
            {
                "name": in_language(left.name),
                "cells": [
                    (in_language(to.name), "" if to.no == left.no else say(count))
                    for to, count in zip(ladder, cells, strict=True)
                ],
                "sum": say(sum(cells)),
            }
        )
    return rows


def _ways(moved: Sequence[Moves], rank: Mapping[int, int], say: Say) -> list[dict[str, str]]:
    ups: Counter[Source] = Counter()
    downs: Counter[Source] = Counter()
    for one in moved:
        (ups if rank[one.from_no] < rank[one.to_no] else downs)[one.source] += one.count
    return [
        {
            "words": _(words),
            "up": say(ups[way]),
            "down": say(downs[way]),
            "net": _signed(ups[way], downs[way], say),
        }
        for way, words in _HOW.items()
        if ups[way] or downs[way]
    ]


async def _groups(
    work: Work,
    since: datetime,
    until: datetime,
    why: Cause,
    every: Sequence[Tier],
    say: Say,
) -> dict[str, list[dict[str, str]]]:
    """Give the groups whose people moved, and their sectors, those first where most did."""
    rank = {tier.no: tier.rank for tier in every}
    ups: Counter[int] = Counter()
    downs: Counter[int] = Counter()
    for group_no, from_no, to_no, count in await store.moves_of_groups(work, since, until, why=why):
        (ups if rank[from_no] < rank[to_no] else downs)[group_no] += count
    most = (ups + downs).most_common()
    named = await groups.by_nos(work, [no for no, _count in most])
    sectors: dict[str, list[int]] = {}
    for no, _count in most:
        if no in named:
            sectors.setdefault(named[no].sector, []).append(no)
    return {
        "groups": [
            {
                "name": named[no].name,
                "href": f"/admin/groups/{named[no].uid}",
                "up": say(ups[no]),
                "down": say(downs[no]),
                "net": _signed(ups[no], downs[no], say),
            }
            for no, _count in most[:MOST_GROUPS]
            if no in named
        ],
        "sectors": [
            _of_sector(sector or _("No sector said"), its, ups, downs, say)
            for sector, its in sectors.items()
        ]
        if any(sectors)
        else [],
    }


def _of_sector(
    name: str, its: Sequence[int], ups: Counter[int], downs: Counter[int], say: Say
) -> dict[str, str]:
    """Write the moves of the groups of a sector."""
    up, down = sum(ups[no] for no in its), sum(downs[no] for no in its)
    return {
        "name": name,
        "up": say(up),
        "down": say(down),
        "net": _signed(up, down, say),
    }


HANDLERS = [show_movement]
