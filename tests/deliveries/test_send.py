"""Sending a campaign: everybody who should get it does, once, and the ledger says so."""

from datetime import timedelta

import dkim
import pytest
from sqlalchemy import update

from mailer.bootstrap import House
from mailer.campaigns import composing, sending
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign, CampaignState
from mailer.deliveries import freezing
from mailer.deliveries.model import Worker
from mailer.kit.tokens import Claim, Purpose
from mailer.kit.work import Work, clock
from mailer.organisation import store as organisations
from mailer.outbox.model import DeliveryState
from mailer.signing import actions as signing
from mailer.signing.dkim import Algorithm
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import Subscriber, visible
from mailer.tiers import store as tiers
from tests import makers as make
from tests.cast import Cast
from tests.support.mails import Mail
from tests.support.relay import Relay
from tests.support.sending import (
    confirmed,
    copies,
    counts,
    draft,
    keys,
    no_letters,
    promise_much,
    ready,
    rows,
    until,
    until_sent,
    working,
)


def claim(work: Work, link: str, purpose: Purpose) -> Claim:
    return work.signer.read(link.rpartition("/")[2], purpose, now=work.now)


async def test_everybody_in_the_audience_gets_it_once(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    no = await ready(house)

    async with working(house, relay):
        campaign = await until_sent(house, no)

    assert copies(house, relay, no) == {cast.bo.no: 1, cast.gil.no: 1}
    assert await counts(house, no) == {DeliveryState.SENT: 2}
    assert campaign.started_at
    assert campaign.ended_at
    row = (await rows(house, no))[cast.bo.no]
    assert (row.attempt, row.code, row.reply) == (1, 250, None)
    async with house.work(reading=True) as work:
        bo = await subscribers.by_no(work, cast.bo.no)
        assert bo
        assert bo.last_mailed_at
        assert bo.last_mailed_at >= campaign.started_at


async def test_a_mail_is_in_the_language_and_of_the_level_of_who_reads_it(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    no = await ready(house)

    async with working(house, relay):
        await until_sent(house, no)

    mails = {mail.to: mail for mail in map(Mail, relay.letters)}
    bo, gil = mails["bo@example.org"], mails["gil@example.org"]
    assert bo.subject == "A hall, Bo?"
    assert "you are a Supporter" in bo.text
    assert gil.subject == "Une salle, Gil ?"
    assert "Bonjour Gil." in gil.text


async def test_its_links_are_the_readers_own_and_name_the_campaign(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    no = await ready(house)

    async with working(house, relay):
        await until_sent(house, no)

    [mail] = [mail for mail in map(Mail, relay.letters) if mail.to == "bo@example.org"]
    async with house.work(reading=True) as work:
        step = claim(work, mail.link("Ask to step up to Activist"), Purpose.TIER)
        leave = claim(work, mail.one_click, Purpose.UNSUBSCRIBE)
        pause = claim(work, mail.link("Pause"), Purpose.PAUSE)
        campaign = await campaigns.by_no(work, no)
        assert campaign
        assert mail.link("Forward").endswith(f"/n/{campaign.slug}")
    assert (step.subscriber, step.subject, step.cause) == (cast.bo.no, cast.activist.no, no)
    assert (leave.subscriber, leave.subject, leave.cause) == (cast.bo.no, cast.bulletin.no, no)
    assert (pause.subscriber, pause.cause) == (cast.bo.no, no)


async def test_a_campaign_to_some_levels_goes_to_nobody_else(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    no = await ready(house, tiers=[cast.follower.no])

    async with working(house, relay):
        await until_sent(house, no)

    assert copies(house, relay, no) == {cast.gil.no: 1}


async def test_several_campaigns_take_turns_and_all_arrive(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    await promise_much(house)
    async with house.work() as work:
        await make.people(work, 30, tier=cast.follower)
    numbers = [await ready(house, name=f"Campaign {number}") for number in range(3)]
    relay.delay = 0.2  # compiling takes a moment, and meanwhile the first goes on alone

    async with working(house, relay):
        for no in numbers:
            await until_sent(house, no)

    for no in numbers:
        taken = copies(house, relay, no)
        assert len(taken) == 32
        assert set(taken.values()) == {1}
    # The last begins before the others are done: 64 would be two of them.
    assert {key.campaign for key in keys(house, relay)[:60]} == set(numbers)


async def test_nothing_goes_before_its_time(house: House, cast: Cast, relay: Relay) -> None:
    await no_letters(house)
    async with house.work() as work:
        campaign = await draft(work)
        await freezing.review(work, campaign, base="http://127.0.0.1:8000")
        await sending.schedule(
            work, campaign, typed="2", undo_seconds=0, send_at=clock() + timedelta(seconds=1)
        )
        no = campaign.no

    async with working(house, relay):
        early = await until(house, no, lambda _campaign: True)
        assert early.state is CampaignState.SCHEDULED
        assert not relay.letters
        sent = await until_sent(house, no)

    assert sent.started_at
    assert sent.send_at
    assert sent.started_at >= sent.send_at


async def test_a_time_that_passed_long_ago_is_asked_about(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    no = await ready(house)
    async with house.work() as work:
        await work.session.execute(
            update(Campaign).values(send_at=work.now - timedelta(hours=1, minutes=1))
        )

    async with working(house, relay):
        held = await until(house, no, lambda campaign: campaign.state is CampaignState.HELD)
        assert "Its time passed" in held.reason
        assert not relay.letters

        async with house.work() as work:
            campaign = await campaigns.by_no(work, no)
            assert campaign
            await sending.release(work, campaign)
        await until_sent(house, no)

    assert len(copies(house, relay, no)) == 2


async def test_what_nobody_worked_on_for_long_is_asked_about(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    no = await ready(house)
    async with house.work() as work:
        await sending.start_due(work)
        long_ago = work.now - timedelta(hours=2)
        work.session.add(Worker(started_at=long_ago, seen_at=long_ago, ended_at=long_ago))

    async with working(house, relay):
        held = await until(house, no, lambda campaign: campaign.state is CampaignState.HELD)

    assert "more than an hour" in held.reason
    assert not relay.letters


async def test_a_campaign_that_cannot_be_written_any_more_is_paused_with_the_reason(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    no = await ready(house)
    async with house.work() as work:
        (await organisations.the_one(work)).postal_address = ""

    async with working(house, relay):
        paused = await until(house, no, lambda campaign: campaign.state is CampaignState.PAUSED)

    assert paused.reason.startswith("Nothing can be sent yet")
    assert await counts(house, no) == {DeliveryState.QUEUED: 2}
    assert not relay.letters


async def test_somebody_without_a_level_gets_a_mail_without_one(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    async with house.work() as work:
        kim = await make.person(work, "kim@example.org")
        assert await tiers.chosen(work, kim.no) is None
    await no_letters(house)
    no = await ready(house)

    async with working(house, relay):
        await until_sent(house, no)

    [mail] = [mail for mail in map(Mail, relay.letters) if mail.to == "kim@example.org"]
    assert mail.subject == "A hall, friend?"


async def test_the_frozen_words_are_sent_whatever_is_written_later(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    async with house.work() as work:
        campaign = await confirmed(work, await draft(work))
        with pytest.raises(composing.NotADraft):
            await composing.revise(work, campaign, words={"en": {"subject": "Other"}})
        no = campaign.no

    async with working(house, relay):
        await until_sent(house, no)

    assert {Mail(one).subject for one in relay.letters} == {"A hall, Bo?", "Une salle, Gil ?"}


@pytest.mark.parametrize("is_offered", [True, False])
async def test_an_address_in_another_script_goes_where_it_is_taken(
    house: House, cast: Cast, is_offered: bool
) -> None:
    await no_letters(house)
    no = await ready(house)
    async with house.work() as work:
        await work.session.execute(
            update(Subscriber)
            .where(Subscriber.no == cast.bo.no, visible(work))
            .values(address="bożena@example.org")
        )

    async with Relay(enable_SMTPUTF8=is_offered) as relay, working(house, relay):
        await until_sent(house, no)

    row = (await rows(house, no))[cast.bo.no]
    if is_offered:
        assert row.state == DeliveryState.SENT
        [letter] = [letter for letter in relay.letters if "bożena@example.org" in letter.to]
        assert "\r\nTo: bożena@example.org\r\n".encode() in letter.content
        assert b" SMTPUTF8" in relay.said_by_clients()
    else:
        assert (row.state, row.code) == (DeliveryState.REFUSED, 553)
        assert row.reply


async def test_campaigns_and_letters_go_out_signed(house: House, cast: Cast, relay: Relay) -> None:
    async with house.work() as work:
        key = await signing.new_key(work, await signing.generate(Algorithm.ED25519))
        await signing.switch_on(work, key, is_published=True)
        record = key.record
    no = await ready(house)

    async with working(house, relay):
        await until_sent(house, no)

    assert {key.is_letter for key in keys(house, relay)} == {True, False}
    for letter in relay.letters:
        assert dkim.verify(letter.content, dnsfunc=lambda _name, **_more: record.encode())
