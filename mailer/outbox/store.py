"""Questions about letters."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import exists, func, select

from mailer.kit.work import Work
from mailer.outbox.model import Letter


async def already_posted(work: Work, dedupe_key: str) -> bool:
    """Say whether this letter is owed or was sent before."""
    return bool(await work.session.scalar(select(exists().where(Letter.dedupe_key == dedupe_key))))


async def any_of(work: Work, kind: str) -> bool:
    """Say whether any letter of this kind was ever posted. Looks at many: for first days only."""
    return bool(await work.session.scalar(select(exists().where(Letter.kind == kind))))


async def posted_since(work: Work, *, subscriber: int, kind: str, since: datetime) -> int:
    """Count the letters of a kind to one subscriber."""
    counted = select(func.count(Letter.no)).where(
        Letter.subscriber_no == subscriber,
        Letter.kind == kind,
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
