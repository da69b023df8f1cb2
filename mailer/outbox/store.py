"""Questions about letters."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, exists, func, select, update

from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState, Letter


async def already_posted(work: Work, dedupe_key: str) -> bool:
    """Say whether this letter is owed or was sent before."""
    return bool(await work.session.scalar(select(exists().where(Letter.dedupe_key == dedupe_key))))


async def any_of(work: Work, kind: str) -> bool:
    """Say whether any letter of this kind was ever posted. Looks at many: for first days only."""
    return bool(await work.session.scalar(select(exists().where(Letter.kind == kind))))


async def posted_since(
    work: Work, *, subscriber: int, kinds: Collection[str], since: datetime
) -> int:
    """Count the letters of some kinds to one subscriber."""
    counted = select(func.count(Letter.no)).where(
        Letter.subscriber_no == subscriber,
        Letter.kind.in_(kinds),
        Letter.made_at >= since,
    )
    return await work.session.scalar(counted) or 0


async def letters_to(work: Work, subscriber: int, *, limit: int = 100) -> Sequence[Letter]:
    """Give the newest letters to one subscriber. The caller has asked whether they may."""
    found = await work.session.scalars(
        select(Letter)
        .where(Letter.subscriber_no == subscriber)
        .order_by(Letter.no.desc())
        .limit(limit),
    )
    return found.all()


async def by_nos(work: Work, numbers: Collection[int]) -> Sequence[Letter]:
    """Give these letters, those first that somebody waits for."""
    found = await work.session.scalars(
        select(Letter)
        .where(Letter.no.in_(numbers))
        .order_by(Letter.lane.desc(), Letter.due_at, Letter.no),
    )
    return found.all()


async def forget_waiting(work: Work, dedupe_keys: Collection[str]) -> list[str]:
    """Delete those of these letters that nobody has begun to send; give their keys."""
    gone = await work.session.scalars(
        delete(Letter)
        .where(Letter.dedupe_key.in_(dedupe_keys), Letter.state == DeliveryState.QUEUED)
        .returning(Letter.dedupe_key)
        .execution_options(synchronize_session=False)
    )
    return list(gone)


async def hand_over(work: Work, from_no: int, to_no: int) -> list[int]:
    """Count the letters that went to one person among another's; give their numbers.

    What still waits is left: it was written to be read at its own address.
    """
    gone = (
        DeliveryState.SENT,
        DeliveryState.REFUSED,
        DeliveryState.FAILED,
        DeliveryState.IN_DOUBT,
        DeliveryState.SKIPPED,
    )
    moved = await work.session.scalars(
        update(Letter)
        .where(Letter.subscriber_no == from_no, Letter.state.in_(gone))
        .values(subscriber_no=to_no)
        .returning(Letter.no)
        .execution_options(synchronize_session=False)
    )
    return sorted(moved)


async def hand_back(work: Work, nos: Collection[int], to_no: int) -> None:
    """Count letters again among those of the person whom they went to."""
    await work.session.execute(
        update(Letter)
        .where(Letter.no.in_(nos))
        .values(subscriber_no=to_no)
        .execution_options(synchronize_session=False)
    )
