"""Which campaigns go by a segment: shown before it is changed."""

from mailer.campaigns import store
from mailer.campaigns.model import CampaignState
from mailer.kit.work import Work
from mailer.segments.model import Segment
from mailer.segments.saving import Usage

_OPEN = (CampaignState.DRAFT, CampaignState.IN_REVIEW)
"""Whose people are still to be counted; once they are frozen a change moves nobody."""


async def of_segment(work: Work, segment: Segment) -> list[Usage]:
    """Give the campaigns that go to those who answer to a segment, newest first."""
    return [
        Usage(
            kind="campaign",
            name=one.name,
            path=f"/admin/campaigns/{one.uid}",
            is_over=one.state not in _OPEN,
        )
        for one in await store.by_segment(work, segment.no)
    ]
