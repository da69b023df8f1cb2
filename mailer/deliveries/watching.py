"""Watching: what somebody sees who follows a campaign, and what that costs.

Counting 1,000,000 rows takes a third of a second on either database, and a page that is left open
asks every five seconds. So what was long to count is kept for ten times as long: all who watch
together cost a tenth of one reader, and see figures that are three seconds old.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import case, func, select

from mailer.campaigns.model import Campaign, CampaignState
from mailer.deliveries import store
from mailer.deliveries.model import Delivery
from mailer.deliveries.store import OPEN, Progress, rows_of
from mailer.kit.work import Work
from mailer.relays import store as relays
from mailer.relays.model import DomainPace
from mailer.subscribers.model import Subscriber, visible

MANY = 50_000
"""From so many rows on counts are kept; fewer are counted whenever somebody asks."""

_KEPT_FOR = 10  # times as long as the counting took

_DOMAINS = 20  # the slowest that are told of
_LOOKED_AT = 20_000  # rows that are still open, whose domains are asked for


class HeldBack(msgspec.Struct, frozen=True):
    """A domain that is written to more slowly, and how many of a campaign wait because of it."""

    domain: str
    waiting: int
    or_more: bool  # not all that wait were looked at
    per_minute: float
    slowed_at: datetime | None  # None: somebody chose so
    words: str  # of their server


class Look(msgspec.Struct, frozen=True):
    """What was seen at one time."""

    progress: Progress
    held_back: Sequence[HeldBack]


class Tally:
    """Looks at campaigns for all who watch in this process."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[CampaignState, float, Look]] = {}
        self._counting: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def now(self, work: Work, campaign: Campaign) -> Look:
        """Look for somebody who has just opened the page or done something."""
        began = time.monotonic()
        look = await look_at(work, campaign)
        if (campaign.recipients or 0) >= MANY:
            ended = time.monotonic()
            self._kept[campaign.no] = campaign.state, ended + _KEPT_FOR * (ended - began), look
        return look

    async def lately(self, work: Work, campaign: Campaign) -> Look:
        """Give what was seen a moment ago, or look; one looks, and the others wait for it."""
        async with self._counting[campaign.no]:
            kept = self._kept.get(campaign.no)
            if kept is None:
                return await self.now(work, campaign)
            seen, until, look = kept
            if time.monotonic() < until and seen is campaign.state:
                return look
            return await self.now(work, campaign)


async def look_at(work: Work, campaign: Campaign) -> Look:
    """Count how far a campaign has come, and who waits for which domain."""
    progress = await store.progress(work, campaign)
    return Look(
        progress=progress,
        held_back=await held_back(work, campaign) if progress.waiting else [],
    )


async def held_back(work: Work, campaign: Campaign) -> Sequence[HeldBack]:
    """Give the domains that a campaign is slower for, with those who wait, the most first.

    The rows that wait for a domain are passed by the others, so they stand first by their key: a
    bounded number of open rows, in that order, holds them.
    """
    slowed = (await relays.slowed(work))[:_DOMAINS]
    if not slowed:
        return []
    first = (
        select(Delivery.subscriber_no)
        .where(
            *rows_of(campaign),
            Delivery.state.in_(OPEN),
        )
        .order_by(Delivery.subscriber_no)
        .limit(_LOOKED_AT)
        .subquery()
    )
    # The domain of an address's key is as the engine has it: lower case, in A-labels.
    domain = case(
        *[
            (Subscriber.address_key.endswith(f"@{one.domain}", autoescape=True), one.no)
            for one in slowed
        ],
        else_=0,
    )
    # One person after the other and no join: PostgreSQL would read the whole roll for it.
    which = (
        select(domain)
        .where(Subscriber.no == first.c.subscriber_no, visible(work))
        .correlate(first)
        .scalar_subquery()
    )
    domains = select(which.label("which")).select_from(first).subquery()
    counted = await work.session.execute(
        select(domains.c.which, func.count()).group_by(domains.c.which)
    )
    waiting: dict[int, int] = dict(counted.all())
    or_more = sum(waiting.values()) >= _LOOKED_AT
    found = [
        _held_back(work, one, waiting[one.no], or_more=or_more)
        for one in slowed
        if one.no in waiting
    ]
    return sorted(found, key=lambda one: -one.waiting)


def _held_back(work: Work, one: DomainPace, waiting: int, *, or_more: bool) -> HeldBack:
    is_slowed = one.is_slowed(work.now)
    return HeldBack(
        domain=one.domain,
        waiting=waiting,
        or_more=or_more,
        per_minute=one.pace_at(work.now) or 0.0,
        slowed_at=one.slowed_at if is_slowed else None,
        words=f"{one.code or ''} {one.reply}".strip() if is_slowed else "",
    )
