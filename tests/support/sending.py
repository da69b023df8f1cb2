"""A campaign from its first word to the last row, and a worker in the test's own loop."""

import asyncio
import contextlib
import dataclasses
import re
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import timedelta

import msgspec
from sqlalchemy import select, update

from mailer.bootstrap import House
from mailer.campaigns import composing, sending
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign, CampaignState, Kind, OnDoubt
from mailer.consent import store as consent
from mailer.deliveries import freezing, store
from mailer.deliveries.model import Delivery, Key
from mailer.deliveries.naming import Namer
from mailer.kit.loops import Ending
from mailer.kit.work import Door, Work
from mailer.outbox.model import DeliveryState, Letter
from mailer.tiers import store as ladder
from mailer.worker import work_on
from tests.support.relay import Letter as Taken
from tests.support.relay import Relay

# Where eight share a machine, a worker was seen to need forty seconds for its first message.
PATIENCE = 120
BASE = "http://127.0.0.1:8000"
WORDS = {
    "en": {
        "subject": "A hall, {{ first_name|friend }}?",
        "headline": "Four questions",
        "preheader": "What fifty of us said.",
        "markdown": "Dear {{ first_name|friend }},\n\nyou are a {{ tier }}: [here](https://x.example/).",
    },
    "fr": {
        "subject": "Une salle, {{ first_name|camarade }} ?",
        "headline": "Quatre questions",
        "markdown": "Bonjour {{ first_name|camarade }}.",
    },
}


async def draft(
    work: Work,
    *,
    name: str = "A hall",
    tiers: Sequence[int] | None = None,
    on_doubt: OnDoubt = OnDoubt.HOLD,
    kind: Kind = Kind.NEWSLETTER,
) -> Campaign:
    """Write a campaign to everybody on the first list, or to some tiers."""
    [bulletin, *_] = await consent.lists(work)
    campaign = await composing.begin(work, name=name, kind=kind)
    await composing.revise(work, campaign, words=WORDS)
    return await composing.choose_audience(
        work,
        campaign,
        list_no=bulletin.no,
        to_everybody=tiers is None,
        tier_nos=tiers or [],
        on_doubt=on_doubt,
    )


async def confirmed(work: Work, campaign: Campaign) -> Campaign:
    """Freeze a draft and confirm it, to go at once."""
    await freezing.review(work, campaign, base=BASE)
    return await sending.schedule(work, campaign, typed=str(campaign.recipients), undo_seconds=0)


async def promise_much(house: House) -> None:
    """Let every level promise so many emails that none of several newsletters is held back."""
    async with house.work() as work:
        await let_many_go(work)


async def let_many_go(work: Work) -> None:
    """The same in a unit of work that is open."""
    for tier in await ladder.ladder(work):
        tier.most_mails, tier.most_in_days = 100, 1


async def ready(house: House, **how: object) -> int:
    """Write and confirm a campaign; give its number."""
    async with house.work(door=Door.ADMIN) as work:
        campaign = await draft(work, **how)  # type: ignore[arg-type]
        return (await confirmed(work, campaign)).no


def heading_for(relay: Relay, house: House, **changes: object) -> House:
    """Give the same house, whose mails go to this relay."""
    settings = msgspec.structs.replace(
        house.settings,
        **{"smtp_port": relay.port, "pause": 0.02, "smtp_connections": 4, **changes},
    )
    return dataclasses.replace(house, settings=settings)


@contextlib.asynccontextmanager
async def working(house: House, relay: Relay, **changes: object) -> AsyncGenerator[None]:
    """Run a worker as long as the context lasts; it must end by itself when told."""
    ending = Ending()
    worker = asyncio.create_task(work_on(heading_for(relay, house, **changes), ending))
    try:
        yield
    finally:
        ending.wish()
        async with asyncio.timeout(20):
            await worker


async def until(house: House, no: int, is_so: Callable[[Campaign], bool]) -> Campaign:
    """Wait until something is so about a campaign."""
    async with asyncio.timeout(PATIENCE):
        while True:
            async with house.work(reading=True) as work:
                campaign = await campaigns.by_no(work, no)
            assert campaign
            if is_so(campaign):
                return campaign
            await asyncio.sleep(0.02)


async def until_sent(house: House, no: int) -> Campaign:
    return await until(house, no, lambda campaign: campaign.state is CampaignState.SENT)


async def counts(house: House, no: int) -> dict[DeliveryState, int]:
    """Count the rows by state; they always sum to the number that was frozen."""
    async with house.work(reading=True) as work:
        campaign = await campaigns.by_no(work, no)
        assert campaign
        progress = await store.progress(work, campaign)
        assert progress.total == campaign.recipients
        return progress.counts


async def until_counts(house: House, no: int, wanted: dict[DeliveryState, int]) -> None:
    """Wait until the rows are in these states."""
    found: dict[DeliveryState, int] = {}
    try:
        async with asyncio.timeout(PATIENCE):
            while (found := await counts(house, no)) != wanted:
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"{found} is not {wanted}") from None


async def rows(house: House, no: int) -> dict[int, Delivery]:
    """Give the rows of a campaign by subscriber."""
    async with house.work(reading=True) as work:
        found = await work.session.scalars(select(Delivery).where(Delivery.campaign_no == no))
        return {row.subscriber_no: row for row in found}


async def letters(house: House) -> list[Letter]:
    """Give all letters in the order of their posting."""
    async with house.work(reading=True) as work:
        return list(await work.session.scalars(select(Letter).order_by(Letter.no)))


def waits(letter: Letter) -> bool:
    """Say whether a letter is still to be sent."""
    return DeliveryState(letter.state) in _WAITS


_WAITS = {DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.SENDING}


async def until_no_letter_waits(house: House) -> list[Letter]:
    """Wait until every letter has come to its end, and give them all."""
    async with asyncio.timeout(PATIENCE):
        found = await letters(house)
        while any(map(waits, found)):
            await asyncio.sleep(0.02)
            found = await letters(house)
    return found


async def no_letters(house: House) -> None:
    """Take away the letters that the cast's verbs have posted: this test is not about them."""
    async with house.work() as work:
        for letter in await work.session.scalars(select(Letter)):
            await work.session.delete(letter)


def copies(house: House, relay: Relay, no: int) -> dict[int, int]:
    """Count, by the sink's own log, how often each subscriber's mail of a campaign was taken."""
    return dict(Counter(key.number for key in keys(house, relay) if key.campaign == no))


def keys(house: House, relay: Relay) -> list[Key]:
    """Give the keys of all messages that were taken, in their order, as their Message-IDs say."""
    namer = Namer(house.keys)
    return [key for letter in relay.letters if (key := namer.read(message_id(letter)))]


def message_id(letter: Taken) -> str:
    """Give the local part of the Message-ID of a message that was taken."""
    found = re.search(rb"^Message-ID: <([^@>]+)@", letter.content, re.MULTILINE)
    assert found
    return found[1].decode()


async def make_due(house: House) -> None:
    """Let what was put off be due at once."""
    async with house.work() as work:
        long_ago = work.now - timedelta(hours=1)
        await work.session.execute(
            update(Delivery).where(Delivery.due_at.is_not(None)).values(due_at=long_ago)
        )
        await work.session.execute(update(Letter).values(due_at=long_ago))
