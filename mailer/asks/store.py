"""Every question about demands, asks and pledges."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, update

from mailer.asks.model import (
    STANDS,
    Ask,
    AskState,
    Demand,
    DemandState,
    Offer,
    OfferTally,
    Pledge,
    PledgeChange,
    PledgeState,
)
from mailer.kit.work import Door, Work
from mailer.subscribers.model import Subscriber, visible
from mailer.tiers.model import Tier
from mailer.tiers.observing import COUNTS_FOR
from mailer.tiers.upkeep.living import Since, Whose

# --- demands --------------------------------------------------------------------------------------


async def demands(work: Work) -> Sequence[Demand]:
    """Give every demand, newest first."""
    return (await work.session.scalars(select(Demand).order_by(Demand.no.desc()))).all()


async def open_demands(work: Work) -> Sequence[Demand]:
    """Give the demands that are told in public: those that are open, and those that were won."""
    found = await work.session.scalars(
        select(Demand)
        .where(Demand.state.in_((DemandState.OPEN, DemandState.WON)))
        .order_by(Demand.no.desc())
    )
    return found.all()


async def demands_offered(work: Work, campaign_no: int) -> Sequence[Demand]:
    """Give the open demands that the asks of a campaign serve, newest first."""
    found = await work.session.scalars(
        select(Demand)
        .where(
            Demand.state == DemandState.OPEN,
            Demand.no.in_(
                select(Ask.demand_no)
                .join(OfferTally, OfferTally.ask_no == Ask.no)
                .where(OfferTally.campaign_no == campaign_no)
            ),
        )
        .order_by(Demand.no.desc())
    )
    return found.all()


async def demand_by_no(work: Work, no: int) -> Demand | None:
    """Find a demand by number."""
    return await work.session.get(Demand, no)


async def demand_by_uid(work: Work, uid: str) -> Demand | None:
    """Find a demand by the name that the outside knows."""
    return await work.session.scalar(select(Demand).where(Demand.uid == uid))


async def demands_by_nos(work: Work, nos: Collection[int]) -> dict[int, Demand]:
    """Find several demands by number."""
    found = await work.session.scalars(select(Demand).where(Demand.no.in_(nos)))
    return {demand.no: demand for demand in found}


async def hold_demand(work: Work, demand: Demand) -> Demand:
    """Give a demand as it is now, and keep others from changing it."""
    found = await work.session.scalars(
        select(Demand)
        .where(Demand.no == demand.no)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found.one()


# --- asks -----------------------------------------------------------------------------------------


async def all_asks(work: Work) -> Sequence[Ask]:
    """Give every ask, newest first."""
    return (await work.session.scalars(select(Ask).order_by(Ask.no.desc()))).all()


async def begun(work: Work) -> Sequence[Ask]:
    """Give the asks that were ever open, newest first."""
    found = await work.session.scalars(
        select(Ask).where(Ask.state != AskState.DRAFT).order_by(Ask.no.desc())
    )
    return found.all()


async def open_asks(work: Work) -> Sequence[Ask]:
    """Give the asks to which a yes counts now, the nearest deadline first."""
    found = await work.session.scalars(
        select(Ask)
        .where(Ask.state == AskState.OPEN, or_(Ask.deadline.is_(None), Ask.deadline >= work.now))
        .order_by(Ask.deadline.is_(None), Ask.deadline, Ask.no)
    )
    return found.all()


async def asks_of(work: Work, demand_no: int) -> Sequence[Ask]:
    """Give the asks that belong to a demand, newest first."""
    found = await work.session.scalars(
        select(Ask).where(Ask.demand_no == demand_no).order_by(Ask.no.desc())
    )
    return found.all()


async def from_library(work: Work, key: str) -> Ask | None:
    """Find the newest ask that was taken from the library under a key and is not over."""
    return await work.session.scalar(
        select(Ask)
        .where(Ask.library_key == key, Ask.state != AskState.CLOSED)
        .order_by(Ask.no.desc())
        .limit(1)
    )


async def by_no(work: Work, no: int) -> Ask | None:
    """Find an ask by number."""
    return await work.session.get(Ask, no)


async def by_uid(work: Work, uid: str) -> Ask | None:
    """Find an ask by the name that the outside knows."""
    return await work.session.scalar(select(Ask).where(Ask.uid == uid))


async def by_nos(work: Work, nos: Collection[int]) -> dict[int, Ask]:
    """Find several asks by number."""
    found = await work.session.scalars(select(Ask).where(Ask.no.in_(nos)))
    return {ask.no: ask for ask in found}


async def again(work: Work, ask: Ask) -> Ask:
    """Read an ask anew."""
    return await work.session.get_one(Ask, ask.no, populate_existing=True)


async def hold(work: Work, ask: Ask) -> Ask:
    """Give an ask as it is now, and keep others from changing it."""
    found = await work.session.scalars(
        select(Ask)
        .where(Ask.no == ask.no)
        .with_for_update(key_share=True)  # new pledges may name it meanwhile
        .execution_options(populate_existing=True)
    )
    return found.one()


# --- pledges --------------------------------------------------------------------------------------


async def pledge_by_no(work: Work, no: int) -> Pledge | None:
    """Find a pledge by the number that stands in its link, as it is now."""
    return await work.session.get(Pledge, no, populate_existing=True)


async def pledge_in_sight(work: Work, no: int) -> Pledge | None:
    """Find a pledge by number, of somebody whom the actor may see."""
    return await work.session.scalar(
        select(Pledge)
        .join(Subscriber, Subscriber.no == Pledge.subscriber_no)
        .where(Pledge.no == no, visible(work))
        .execution_options(populate_existing=True)
    )


async def pledge_of(work: Work, subscriber_no: int, ask_no: int) -> Pledge | None:
    """Find somebody's answer to an ask, as it is now. The caller has asked whether they may."""
    return await work.session.scalar(
        select(Pledge)
        .where(Pledge.subscriber_no == subscriber_no, Pledge.ask_no == ask_no)
        .execution_options(populate_existing=True)
    )


async def pledges_of(work: Work, subscriber_no: int) -> Sequence[Pledge]:
    """Give somebody's answers, newest first. The caller has asked whether they may."""
    found = await work.session.scalars(
        select(Pledge).where(Pledge.subscriber_no == subscriber_no).order_by(Pledge.no.desc())
    )
    return found.all()


async def change(work: Work, pledge: Pledge, **values: object) -> Pledge:
    """Write into a pledge, and read it anew."""
    changed = await work.session.scalars(
        update(Pledge)
        .where(Pledge.no == pledge.no)
        .values(**values)
        .returning(Pledge)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return changed.one()


async def change_many(work: Work, pledge_nos: Collection[int], **values: object) -> None:
    """Write the same into several pledges, whose people are held."""
    await work.session.execute(
        update(Pledge)
        .where(Pledge.no.in_(pledge_nos))
        .values(**values)
        .execution_options(synchronize_session=False)
    )


async def standing(work: Work, ask_no: int) -> int:
    """Count those who said yes and have not taken it back, whoever asks: places are for all."""
    counted = select(func.count()).where(Pledge.ask_no == ask_no, Pledge.state.in_(STANDS))
    return await work.session.scalar(counted) or 0


async def places_taken(work: Work, ask_nos: Collection[int]) -> dict[int, int]:
    """Count for several asks at once, as `standing` does; who has none is not in it."""
    if not ask_nos:
        return {}
    counted = await work.session.execute(
        select(Pledge.ask_no, func.count())
        .where(Pledge.ask_no.in_(ask_nos), Pledge.state.in_(STANDS))
        .group_by(Pledge.ask_no)
    )
    return dict(counted.all())


async def last_change(work: Work, pledge_no: int) -> PledgeChange | None:
    """Give the newest step of a pledge that was not undone: what the page offers to undo."""
    return await work.session.scalar(
        select(PledgeChange)
        .where(PledgeChange.pledge_no == pledge_no, PledgeChange.undone_at.is_(None))
        .order_by(PledgeChange.no.desc())
        .limit(1)
    )


async def steps_since(work: Work, pledge_no: int, since: datetime) -> int:
    """Count the steps of a pledge since a moment, also those that were undone."""
    counted = select(func.count()).where(
        PledgeChange.pledge_no == pledge_no, PledgeChange.at > since
    )
    return await work.session.scalar(counted) or 0


async def suggested_by_deeds(work: Work, subscriber_no: int) -> int | None:
    """Give the highest level that what somebody has done lately shows them ready for."""
    return await work.session.scalar(
        select(Tier.no)
        .join(Ask, Ask.suggested_tier_no == Tier.no)
        .join(Pledge, Pledge.ask_no == Ask.no)
        .where(
            Pledge.subscriber_no == subscriber_no,
            Pledge.times > 0,
            Pledge.done_at > work.now - COUNTS_FOR,
            Tier.closed_at.is_(None),
        )
        .order_by(Tier.rank.desc())
        .limit(1)
    )


async def last_deed(work: Work, pledge_no: int) -> PledgeChange | None:
    """Give the newest step that told of a thing done, and not only more about it."""
    found = await work.session.scalars(
        select(PledgeChange)
        .where(
            PledgeChange.pledge_no == pledge_no,
            PledgeChange.undone_at.is_(None),
            PledgeChange.to_state == PledgeState.DONE,
        )
        .order_by(PledgeChange.no.desc())
    )
    return next((one for one in found if one.from_state is None or "times" in one.before), None)


async def change_by_no(work: Work, no: int) -> PledgeChange | None:
    """Find a step by the number that stands in its link, as it is now."""
    return await work.session.get(PledgeChange, no, populate_existing=True)


async def changes_of(work: Work, subscriber_no: int) -> Sequence[PledgeChange]:
    """Give every step of somebody's pledges, newest first. The caller asked whether they may."""
    found = await work.session.scalars(
        select(PledgeChange)
        .where(PledgeChange.subscriber_no == subscriber_no)
        .order_by(PledgeChange.no.desc())
    )
    return found.all()


# --- one person's, as a whole ---------------------------------------------------------------------


async def hand_over(work: Work, pledge_nos: Collection[int], to_no: int) -> None:
    """Make some pledges another person's, with every step of them."""
    for table, column in ((Pledge, Pledge.no), (PledgeChange, PledgeChange.pledge_no)):
        await work.session.execute(
            update(table)
            .where(column.in_(pledge_nos))
            .values(subscriber_no=to_no)
            .execution_options(synchronize_session=False)
        )


async def drop_pledges(work: Work, pledge_nos: Collection[int]) -> None:
    """Take away some pledges of people who are held, and every step of them."""
    for table, column in ((PledgeChange, PledgeChange.pledge_no), (Pledge, Pledge.no)):
        await work.session.execute(
            delete(table).where(column.in_(pledge_nos)).execution_options(synchronize_session=False)
        )


async def drop(work: Work, subscriber_no: int) -> None:
    """Take away somebody's pledges, every step of them, and what was offered to them."""
    for table in (PledgeChange, Pledge, Offer):
        await work.session.execute(
            delete(table)
            .where(table.subscriber_no == subscriber_no)
            .execution_options(synchronize_session=False)
        )


# --- signs of life --------------------------------------------------------------------------------


def was_answered_for(whose: Whose, since: Since) -> ColumnElement[bool]:
    """Say whether an organiser has noted, since a moment, what somebody answered or did."""
    return exists().where(
        PledgeChange.subscriber_no == whose,
        PledgeChange.door == Door.ADMIN,
        PledgeChange.to_state.not_in((PledgeState.VERIFIED, PledgeState.WITHDRAWN)),
        PledgeChange.undone_at.is_(None),
        PledgeChange.at > since,
    )
