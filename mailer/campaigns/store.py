"""Questions about campaigns and their revisions."""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import select, update

from mailer.campaigns.model import Campaign, CampaignState, Revision
from mailer.kit.pages import Page, cut
from mailer.kit.work import Work


async def by_no(work: Work, no: int) -> Campaign | None:
    """Find by number."""
    return await work.session.get(Campaign, no)


async def by_nos(work: Work, nos: Collection[int]) -> dict[int, Campaign]:
    """Find several by number."""
    found = await work.session.scalars(select(Campaign).where(Campaign.no.in_(nos)))
    return {campaign.no: campaign for campaign in found}


async def by_uid(work: Work, uid: str) -> Campaign | None:
    """Find by the name in admin URLs."""
    return await work.session.scalar(select(Campaign).where(Campaign.uid == uid))


async def by_slug(work: Work, slug: str) -> Campaign | None:
    """Find by the name in the archive's URLs."""
    return await work.session.scalar(select(Campaign).where(Campaign.slug == slug))


async def slugs_like(work: Work, slug: str) -> set[str]:
    """Give the slugs that are taken and begin like this one."""
    found = await work.session.scalars(
        select(Campaign.slug).where(Campaign.slug.startswith(slug, autoescape=True))
    )
    return set(found)


async def all_campaigns(work: Work, after: int = 0, limit: int = 25) -> Page[Campaign]:
    """Give the newest campaigns, newest first; `after` is the last number of the page before."""
    newest = select(Campaign).order_by(Campaign.no.desc()).limit(limit + 1)
    if after:
        newest = newest.where(Campaign.no < after)
    found = (await work.session.scalars(newest)).all()
    return cut(found, limit, lambda campaign: campaign.no)


async def names(work: Work) -> Sequence[tuple[str, str]]:
    """Give the name of each campaign after its uid, newest first."""
    found = await work.session.execute(
        select(Campaign.uid, Campaign.name).order_by(Campaign.no.desc())
    )
    return [(uid, name) for uid, name in found]


# What was handed to the readers may be read on the web; a campaign that stopped half-way was too.
_PUBLISHED = (CampaignState.SENDING, CampaignState.PAUSED, CampaignState.SENT)


async def archive(work: Work) -> Sequence[Campaign]:
    """Give the campaigns that anybody may read on the web, newest first."""
    found = await work.session.scalars(
        select(Campaign)
        .where(Campaign.in_archive, Campaign.state.in_(_PUBLISHED))
        .order_by(Campaign.started_at.desc(), Campaign.no.desc())
    )
    return found.all()


async def due(work: Work) -> Sequence[Campaign]:
    """Give the scheduled campaigns whose time has come, the longest awaited first."""
    found = await work.session.scalars(
        select(Campaign)
        .where(Campaign.state == CampaignState.SCHEDULED, Campaign.send_at <= work.now)
        .order_by(Campaign.send_at)
    )
    return found.all()


async def in_states(work: Work, states: Iterable[CampaignState]) -> Sequence[Campaign]:
    """Give the campaigns in some states, oldest first."""
    found = await work.session.scalars(
        select(Campaign).where(Campaign.state.in_(list(states))).order_by(Campaign.no)
    )
    return found.all()


async def step(work: Work, campaign: Campaign, wanted: CampaignState, **changes: object) -> bool:
    """Bring a campaign to a state if it still is where we saw it; say whether it was.

    A worker may start what an organiser calls off in the same moment: the database decides.
    """
    moved = await work.session.execute(
        update(Campaign)
        .where(Campaign.no == campaign.no, Campaign.state == campaign.state)
        .values(state=wanted, **changes)
        .returning(Campaign.no)
        .execution_options(synchronize_session=False)
    )
    is_ours = moved.scalar_one_or_none() is not None
    await work.session.refresh(campaign)
    return is_ours


async def count_reader(work: Work, campaign: Campaign, *, by: int) -> None:
    """Count one more, or one fewer, who has read an alert."""
    await work.session.execute(
        update(Campaign)
        .where(Campaign.no == campaign.no)
        .values(readers=Campaign.readers + by)
        .execution_options(synchronize_session=False)
    )
    await work.session.refresh(campaign, ["readers"])


async def lock(work: Work, no: int) -> None:
    """Keep everybody else from moving a campaign until this unit of work is over.

    On SQLite whoever writes is alone anyway.
    """
    await work.session.execute(select(Campaign.no).where(Campaign.no == no).with_for_update())


async def hold(work: Work, campaign: Campaign) -> None:
    """Keep everybody else from moving a campaign, and read it anew: it may have been moved."""
    await lock(work, campaign.no)
    await work.session.refresh(campaign)


async def corrections(work: Work, campaign: Campaign) -> Sequence[Campaign]:
    """Give the campaigns that correct another, oldest first."""
    found = await work.session.scalars(
        select(Campaign).where(Campaign.corrects_no == campaign.no).order_by(Campaign.no)
    )
    return found.all()


async def by_segment(work: Work, segment_no: int) -> Sequence[Campaign]:
    """Give the campaigns that go by a segment, newest first."""
    found = await work.session.scalars(
        select(Campaign).where(Campaign.segment_no == segment_no).order_by(Campaign.no.desc())
    )
    return found.all()


async def revision(work: Work, no: int) -> Revision | None:
    """Find a revision by number."""
    return await work.session.get(Revision, no)


async def newest_revision(work: Work, campaign: Campaign) -> Revision | None:
    """Give what a campaign says now; once it is frozen, what it says for good."""
    return None if campaign.revision_no is None else await revision(work, campaign.revision_no)


async def revisions(work: Work, campaign: Campaign) -> Sequence[Revision]:
    """Give all that a campaign ever said, newest first."""
    found = await work.session.scalars(
        select(Revision).where(Revision.campaign_no == campaign.no).order_by(Revision.no.desc())
    )
    return found.all()
