"""Every question about what cases are about."""

from collections.abc import Collection, Sequence

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import aliased

from mailer.asks.model import Ask, Pledge, PledgeChange
from mailer.followups.model import OF_A_PLEDGE, CaseKind, FollowUp
from mailer.kit.work import Work
from mailer.tiers.model import StillWithUs, Tier, TierSuggestion


async def pledges(work: Work, nos: Collection[int]) -> dict[int, tuple[Pledge, Ask]]:
    """Give pledges by number, as they are now, each with its ask. The caller has asked."""
    found = await work.session.execute(
        select(Pledge, Ask)
        .join(Ask, Ask.no == Pledge.ask_no)
        .where(Pledge.no.in_(nos))
        .execution_options(populate_existing=True)
    )
    return {pledge.no: (pledge, ask) for pledge, ask in found}


async def pledges_about(work: Work, cases: Collection[FollowUp]) -> dict[int, tuple[Pledge, Ask]]:
    """Give the pledge that each case is about, with its ask, by the number of the case.

    Never the pledge of anybody else than who waits.
    """
    found = await pledges(work, {one.subject_no for one in cases if one.kind in OF_A_PLEDGE})
    return {
        one.no: found[one.subject_no]
        for one in cases
        if one.kind in OF_A_PLEDGE
        and one.subject_no in found
        and found[one.subject_no][0].subscriber_no == one.subscriber_no
    }


async def answer_of(work: Work, subscriber_no: int, ask_no: int) -> tuple[Pledge, Ask] | None:
    """Give what somebody answered to an ask, as it is now. The caller has asked."""
    found = await work.session.execute(
        select(Pledge, Ask)
        .join(Ask, Ask.no == Pledge.ask_no)
        .where(Pledge.subscriber_no == subscriber_no, Pledge.ask_no == ask_no)
        .execution_options(populate_existing=True)
    )
    row = found.one_or_none()
    return None if row is None else (row[0], row[1])


async def answers_of(work: Work, pledge_no: int) -> Sequence[PledgeChange]:
    """Give the steps of a pledge that were not undone, newest first."""
    found = await work.session.scalars(
        select(PledgeChange)
        .where(PledgeChange.pledge_no == pledge_no, PledgeChange.undone_at.is_(None))
        .order_by(PledgeChange.no.desc())
        .execution_options(populate_existing=True)
    )
    return found.all()


async def change_of_pledge(work: Work, no: int) -> PledgeChange | None:
    """Find a step of a pledge by its number, undone or not."""
    return await work.session.get(PledgeChange, no)


async def whose_pledge_is_of(work: Work, here_no: int, there_no: int) -> Sequence[int]:
    """Give the cases of one person that are about a pledge of another, but for what stands twice.

    An open case goes only where none about the same is open.
    """
    twin = aliased(FollowUp)
    stands_there = exists().where(
        twin.subscriber_no == there_no,
        twin.kind == FollowUp.kind,
        twin.subject_no == FollowUp.subject_no,
        twin.resolved_at.is_(None),
    )
    found = await work.session.scalars(
        select(FollowUp.no)
        .join(Pledge, Pledge.no == FollowUp.subject_no)
        .where(
            FollowUp.subscriber_no == here_no,
            FollowUp.kind.in_(OF_A_PLEDGE),
            Pledge.subscriber_no == there_no,
            or_(FollowUp.resolved_at.is_not(None), ~stands_there),
        )
    )
    return found.all()


async def levels(work: Work, kind: CaseKind, nos: Collection[int]) -> dict[int, Tier]:
    """Give the levels that suggestions or questions are about, by the number of those."""
    asked = TierSuggestion if kind is CaseKind.READY else StillWithUs
    found = await work.session.execute(
        select(asked.no, Tier).join(Tier, Tier.no == asked.tier_no).where(asked.no.in_(nos))
    )
    return dict(found.all())
