"""Forecasts: when a campaign will be done, before it goes and while it goes.

The pace is measured: that of this minute, or of the last campaign that was long enough to tell.
What limits it stands in rows, and `relays` does the sum.
"""

from datetime import timedelta

from sqlalchemy import func, select

from mailer.campaigns.model import Campaign
from mailer.deliveries.model import FIRST_RUN, Delivery
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState
from mailer.relays import store as relays

TELLING = 100
"""A campaign of fewer people is over before its pace can be told."""

_LOOKED_AT = 3  # campaigns, the newest that were long enough
_SAMPLE = 2000  # rows of each


async def how_long(
    work: Work, number: int, *, pace: float | None = None, is_urgent: bool = False
) -> timedelta | None:
    """Say how long so many messages take, quiet hours and limits included; None: nobody knows.

    `pace` is in messages a second; unless it is given it is that of earlier campaigns. Domains that
    asked us to slow down are not in it. `is_urgent` for an alert, which minds no quiet hours.
    """
    pace = pace or await measured_pace(work)
    return await relays.how_long(work, number, pace=pace, is_urgent=is_urgent)


async def measured_pace(work: Work) -> float | None:
    """Give the messages a second of the newest campaign that can tell; None if there is none.

    Looked at are its first rows that were accepted at their first try: a few thousand by their
    key, so that this costs some milliseconds whatever the size of the campaign. What was put off,
    and the days until that is given up, say nothing about the pace.
    """
    newest = await work.session.scalars(
        select(Campaign.no)
        .where(Campaign.started_at.is_not(None), Campaign.recipients >= TELLING)
        .order_by(Campaign.started_at.desc())
        .limit(_LOOKED_AT)
    )
    for no in newest.all():
        first = (
            select(Delivery.at)
            .where(
                Delivery.campaign_no == no,
                Delivery.run == FIRST_RUN,
                Delivery.state == DeliveryState.SENT,
                Delivery.attempt == 1,
            )
            .order_by(Delivery.subscriber_no)
            .limit(_SAMPLE)
            .subquery()
        )
        rows = await work.session.execute(
            select(func.count(), func.min(first.c.at), func.max(first.c.at))
        )
        number, begun, ended = rows.one()
        if number >= TELLING:
            return float(number / max((ended - begun).total_seconds(), 1.0))
    return None
