"""Every question about rounds, and about who is told in the morning who waits for them."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import case, func, or_, select, update

from mailer.followups.model import DigestWish, FollowUp, FollowUpRound
from mailer.followups.store import are_there, is_nobodys
from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.subscribers.model import Subscriber, visible


async def is_round_due(work: Work, name: str, before: datetime) -> bool:
    """Say whether a round was begun last before a moment, or never; locks nothing."""
    last = await work.session.get(FollowUpRound, name)
    return last is None or last.at <= before


async def take_round(work: Work, name: str, before: datetime) -> FollowUpRound | None:
    """Take a round that is due, so that no other worker walks it now; None if somebody does."""
    await add_missing(work, FollowUpRound, [{"name": name, "at": before, "left": 0}])
    return await work.session.scalar(
        select(FollowUpRound)
        .where(FollowUpRound.name == name, FollowUpRound.at <= before)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


async def walked_lately(work: Work, names: Collection[str], since: datetime) -> set[str]:
    """Give those of these rounds that were begun after a moment and have come to their end."""
    found = await work.session.scalars(
        select(FollowUpRound.name).where(
            FollowUpRound.name.in_(names),
            FollowUpRound.after_no.is_(None),
            FollowUpRound.at > since,
        )
    )
    return set(found)


async def take_walk(work: Work, name: str, before: datetime) -> FollowUpRound | None:
    """Take a round that is under way, or was begun last before a moment, from other workers."""
    await add_missing(work, FollowUpRound, [{"name": name, "at": before, "left": 0}])
    is_under_way = FollowUpRound.after_no.is_not(None)
    return await work.session.scalar(
        select(FollowUpRound)
        .where(FollowUpRound.name == name, or_(is_under_way, FollowUpRound.at <= before))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


# --- the letter of the day ------------------------------------------------------------------------


async def wish_of(work: Work, account_no: int) -> bool | None:
    """Give what an account said about the letter of the day; None if it said nothing."""
    wish = await work.session.get(DigestWish, account_no, populate_existing=True)
    return wish.wanted if wish is not None else None


async def wishes(work: Work) -> dict[int, bool]:
    """Give what accounts said about the letter of the day."""
    found = await work.session.execute(select(DigestWish.account_no, DigestWish.wanted))
    return dict(found.all())


async def set_wish(work: Work, account_no: int, *, wanted: bool) -> None:
    """Write down what an account says about the letter of the day."""
    row = {"account_no": account_no, "wanted": wanted}
    if not await add_missing(work, DigestWish, [row]):
        await work.session.execute(
            update(DigestWish)
            .where(DigestWish.account_no == account_no)
            .values(wanted=wanted)
            .execution_options(synchronize_session=False)
        )


async def of_today(work: Work, account_no: int, until: datetime) -> tuple[int, int]:
    """Count an account's cases that are late, and those that are due or come back until a moment.

    In one of the two stands each, and only people whom the account may see.
    """
    is_late = FollowUp.due_at < work.now
    found = await work.session.execute(
        select(
            func.count(case((is_late, 1))),
            func.count(
                case((~is_late & or_(FollowUp.due_at < until, FollowUp.next_at < until), 1))
            ),
        )
        .join(Subscriber, Subscriber.no == FollowUp.subscriber_no)
        .where(
            FollowUp.owner_no == account_no,
            FollowUp.resolved_at.is_(None),
            visible(work),
            *are_there(),
        )
    )
    late, today = found.one()
    return late, today


async def nobodys(work: Work) -> int:
    """Count the cases that wait for whoever comes to them, of people whom the actor may see."""
    counted = (
        select(func.count(FollowUp.no))
        .join(Subscriber, Subscriber.no == FollowUp.subscriber_no)
        .where(
            is_nobodys(),
            FollowUp.resolved_at.is_(None),
            FollowUp.next_at <= work.now,
            visible(work),
            *are_there(),
        )
    )
    return await work.session.scalar(counted) or 0


async def owners(work: Work) -> set[int]:
    """Give the accounts that own open cases."""
    found = await work.session.scalars(
        select(FollowUp.owner_no).where(FollowUp.resolved_at.is_(None)).distinct()
    )
    return {no for no in found if no is not None}
