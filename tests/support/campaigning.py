"""Campaigns in every state, made by the verbs; what a worker would write is written by hand."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pyotp
from sqlalchemy import func, select, update

from mailer.accounts import signing_in
from mailer.accounts.actions import open_account
from mailer.accounts.model import Account, Role
from mailer.bootstrap import House
from mailer.campaigns import composing, sending
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign, CampaignState, Revision
from mailer.deliveries import freezing
from mailer.deliveries.model import Delivery
from mailer.kit.work import Door
from mailer.outbox.model import DeliveryState
from tests.cast import PASSWORD_HASH, Cast
from tests.support.signing_in import seed_of

ENGLISH = {
    "subject": "968 letters. Here is what they moved",
    "headline": "The right to work is everyone’s fight",
    "preheader": "And one thing to do before the 18th",
    "markdown": "Dear {{ first_name|friend }},\n\nwe sent **968 letters**. [Read on](https://a.example/).",
}
FRENCH = {
    "subject": "968 lettres, et ce qu’elles ont changé",
    "headline": "Le droit au travail nous concerne tous",
    "preheader": "",
    "markdown": "Bonjour {{ first_name|à toi }},\n\nnous avons envoyé **968 lettres**.",
}
BASE = "http://127.0.0.1:8000"


async def draft(
    house: House,
    cast: Cast,
    *,
    name: str = "The right to work",
    words: Mapping[str, Mapping[str, str]] | None = None,
    tier_nos: Sequence[int] = (),
) -> Campaign:
    """Write a campaign to everybody on the bulletin, or to some tiers."""
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        campaign = await composing.begin(work, name=name)
        await composing.choose_audience(
            work,
            campaign,
            list_no=cast.bulletin.no,
            to_everybody=not tier_nos,
            tier_nos=tier_nos,
        )
        await composing.revise(work, campaign, words={"en": ENGLISH} if words is None else words)
    return campaign


async def frozen(house: House, cast: Cast, **how: Any) -> Campaign:
    """Review one: Bo and Gil get it."""
    campaign = await draft(house, cast, **how)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        work.session.add(campaign)
        await freezing.review(work, campaign, base=BASE)
    return campaign


async def scheduled(house: House, cast: Cast, *, undo: int = 300, **how: Any) -> Campaign:
    """Confirm one."""
    campaign = await frozen(house, cast, **how)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        work.session.add(campaign)
        await sending.schedule(work, campaign, typed=str(campaign.recipients), undo_seconds=undo)
    return campaign


async def begun(house: House, cast: Cast, **how: Any) -> Campaign:
    """Let the time of one come."""
    campaign = await scheduled(house, cast, undo=0, **how)
    async with house.work() as work:
        work.session.add(campaign)
        [campaign] = await sending.start_due(work)
    return campaign


async def became(
    house: House, campaign: Campaign, state: DeliveryState, *whose: int, **more: Any
) -> None:
    """Write what became of some people's messages, as a worker would."""
    async with house.work() as work:
        await work.session.execute(
            update(Delivery)
            .where(Delivery.campaign_no == campaign.no, Delivery.subscriber_no.in_(whose))
            .values(state=state, at=work.now, attempt=1, **more)
        )


async def ended(house: House, campaign: Campaign) -> None:
    """Let it be done."""
    async with house.work() as work:
        work.session.add(campaign)
        await campaigns.step(work, campaign, CampaignState.SENT, ended_at=work.now)


async def as_it_is(house: House, campaign: Campaign) -> Campaign:
    """Read a campaign afresh."""
    async with house.work(reading=True) as work:
        found = await campaigns.by_no(work, campaign.no)
    assert found is not None
    return found


async def words_of(house: House, campaign: Campaign) -> dict[str, dict[str, str]]:
    """Read what a campaign says now."""
    async with house.work(reading=True) as work:
        found = await campaigns.by_no(work, campaign.no)
        assert found is not None
        revision = await campaigns.newest_revision(work, found)
    return dict(revision.document) if revision else {}


async def how_many(house: House, *, of: type[Delivery | Revision], campaign: Campaign) -> int:
    """Count the rows of a campaign."""
    async with house.work(reading=True) as work:
        found = await work.session.scalar(
            select(func.count()).select_from(of).where(of.campaign_no == campaign.no)
        )
    return found or 0


async def fresh_code(house: House, account: Account) -> str:
    """Give a code that counts once more: that of the next thirty seconds."""
    async with house.work(reading=True) as work:
        soon = work.now + timedelta(seconds=30)
    return pyotp.TOTP(await seed_of(house, account)).at(soon)


async def editor(house: House) -> Account:
    """Open an account that may write and not send."""
    async with house.work(door=Door.CLI) as work:
        account = await open_account(
            work,
            address="ines@war.example.org",
            name="Ines",
            role=Role.EDITOR,
            password_hash=PASSWORD_HASH,
        )
        seed = await signing_in.begin_factor(work, account)
        await signing_in.confirm_factor(work, account, pyotp.TOTP(seed).at(work.now))
    return account
