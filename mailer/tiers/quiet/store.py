"""Counting those who go quiet, on each rung and in each group."""

from collections.abc import Collection
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import InstrumentedAttribute

from mailer.activity.model import DECLARED, Activity
from mailer.consent.facets import out_of_reach, subscribed
from mailer.consent.model import SubscriptionState
from mailer.consent.store import is_active
from mailer.kit.work import Work
from mailer.subscribers.model import Membership, Subscriber, visible
from mailer.tiers.model import ChosenTier, Stayed, StillWithUs


class Quiet(msgspec.Struct, frozen=True):
    """Of the people of a rung or a group: how many are quiet, and what came of asking them."""

    people: int = 0  # on the roll today
    quiet: int = 0  # of those: did nothing by their own hand in the time
    answered: int = 0  # of the questions asked in the time: they said so, or did something
    lapsed: int = 0  # nothing came, and they are one rung lower
    waiting: int = 0  # nothing has come yet
    gone_on: int = 0  # they were elsewhere by then, or not written to

    @property
    def asked(self) -> int:
        """Give how many were asked whether they are still with us."""
        return self.answered + self.lapsed + self.waiting + self.gone_on


async def of_tiers(work: Work, since: datetime) -> dict[int, Quiet]:
    """Count for each rung on which somebody stands, or stood when they were asked.

    Of those whom the actor may see. A question counts for the rung on which it was asked.
    """
    people = select(ChosenTier.tier_no, func.count()).where(
        *_active(work, ChosenTier.subscriber_no)
    )
    heard = people.where(_did_something(ChosenTier.subscriber_no, since))
    asked = (
        select(StillWithUs.tier_no, StillWithUs.ended, func.count())
        .where(StillWithUs.asked_at >= since, *_in_sight(work, StillWithUs.subscriber_no))
        .group_by(StillWithUs.tier_no, StillWithUs.ended)
    )
    return await _counted(
        work, people.group_by(ChosenTier.tier_no), heard.group_by(ChosenTier.tier_no), asked
    )


async def of_groups(work: Work, since: datetime) -> dict[int, Quiet]:
    """Count for each group that the actor looks after; whoever is in two counts in both."""
    theirs = [] if work.scope is None else [Membership.group_no.in_(work.scope)]
    people = select(Membership.group_no, func.count()).where(
        *_active(work, Membership.subscriber_no), *theirs
    )
    heard = people.where(_did_something(Membership.subscriber_no, since))
    asked = (
        select(Membership.group_no, StillWithUs.ended, func.count())
        .join(Membership, Membership.subscriber_no == StillWithUs.subscriber_no)
        .where(StillWithUs.asked_at >= since, *theirs)
        .group_by(Membership.group_no, StillWithUs.ended)
    )
    return await _counted(
        work, people.group_by(Membership.group_no), heard.group_by(Membership.group_no), asked
    )


async def _counted(
    work: Work,
    people: Select[int, int],
    heard: Select[int, int],
    asked: Select[int, Stayed | None, int],
) -> dict[int, Quiet]:
    of_people = dict((await work.session.execute(people)).all())
    of_heard = dict((await work.session.execute(heard)).all())
    ended: dict[int, dict[Stayed | None, int]] = {}
    for no, how, count in await work.session.execute(asked):
        ended.setdefault(no, {})[how] = count
    return {
        no: Quiet(
            people=of_people.get(no, 0),
            quiet=of_people.get(no, 0) - of_heard.get(no, 0),
            answered=_sum(ended.get(no, {}), (Stayed.KEPT, Stayed.HEARD)),
            lapsed=_sum(ended.get(no, {}), (Stayed.LAPSED,)),
            waiting=_sum(ended.get(no, {}), (None,)),
            gone_on=_sum(ended.get(no, {}), (Stayed.GONE_ON,)),
        )
        for no in of_people.keys() | ended.keys()
    }


def _sum(ended: dict[Stayed | None, int], how: Collection[Stayed | None]) -> int:
    return sum(ended.get(one, 0) for one in how)


def _did_something(column: InstrumentedAttribute[int], since: datetime) -> ColumnElement[bool]:
    """Say whether somebody did something by their own hand, told from one index."""
    return column.in_(
        select(Activity.subscriber_no).where(
            Activity.at >= since,
            # Written out, as in the index: SQLite does not look into parameters.
            Activity.door.in_(bindparam(None, DECLARED, expanding=True, literal_execute=True)),
        )
    )


def _active(work: Work, column: InstrumentedAttribute[int]) -> tuple[ColumnElement[bool], ...]:
    """Leave only people on the roll whom the actor may see, as `tiers.store.counts` does."""
    if work.scope is None:
        return (
            column.in_(subscribed(SubscriptionState.CONFIRMED)),
            column.not_in(out_of_reach(work)),
        )
    return (column.in_(select(Subscriber.no).where(is_active(work.now), visible(work))),)


def _in_sight(work: Work, column: InstrumentedAttribute[int]) -> tuple[ColumnElement[bool], ...]:
    if work.scope is None:
        return ()
    return (column.in_(select(Subscriber.no).where(visible(work))),)
