"""Every question about asks and pledges."""

from collections.abc import Collection, Sequence

from sqlalchemy import delete, select, update

from mailer.asks.model import Ask, AskState, Pledge
from mailer.kit.work import Work


async def begun(work: Work) -> Sequence[Ask]:
    """Give the asks that were ever open, newest first."""
    found = await work.session.scalars(
        select(Ask).where(Ask.state != AskState.DRAFT).order_by(Ask.no.desc())
    )
    return found.all()


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


async def hand_over(work: Work, pledge_nos: Collection[int], to_no: int) -> None:
    """Make some pledges another person's."""
    await work.session.execute(
        update(Pledge)
        .where(Pledge.no.in_(pledge_nos))
        .values(subscriber_no=to_no)
        .execution_options(synchronize_session=False)
    )


async def drop(work: Work, subscriber_no: int) -> None:
    """Take somebody's pledges away."""
    await work.session.execute(
        delete(Pledge)
        .where(Pledge.subscriber_no == subscriber_no)
        .execution_options(synchronize_session=False)
    )
