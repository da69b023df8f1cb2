"""The letters that time and deeds bring: each leads to one thing, and none to who is on a break."""

import asyncio

import pytest

from mailer.bootstrap import House
from mailer.consent import store as consents
from mailer.deliveries.model import Reason
from mailer.kit.tokens import Purpose
from mailer.kit.work import Work
from mailer.outbox.actions import Post, post
from mailer.outbox.model import DeliveryState, Letter
from mailer.subscribers import actions as subscribers
from mailer.tiers import actions as tiers
from mailer.tiers import store as ladder
from mailer.tiers.model import SignKind, Source, StillWithUs
from tests import makers as make
from tests.cast import Cast
from tests.support.mails import Mail
from tests.support.relay import Relay
from tests.support.sending import (
    letters,
    no_letters,
    until_no_letter_waits,
    waits,
    working,
)


async def owed(work: Work, cast: Cast) -> None:
    """Owe Bo one letter of each kind, as the verbs post them."""
    asked = await tiers.step(work, cast.bo, cast.organiser, source=Source.SELF_LINK)
    assert isinstance(asked, tiers.Requested)
    await tiers.expire_requests(make.later(work, days=31), limit=9)
    question = StillWithUs(
        subscriber_no=cast.bo.no, tier_no=cast.supporter.no, asked_at=work.now, next_at=work.now
    )
    work.session.add(question)
    await work.session.flush()
    for _time in range(2):
        await tiers.note_sign(work, cast.bo.no, SignKind.DONE, work.now)
    suggested = await ladder.suggested(work, cast.bo.no)
    assert suggested
    for kind, facts in {
        "still-with-us": {"question": question.no},
        "tier-suggested": {"suggestion": suggested[0].no},
        "yearly": {},
        "tier-request-expired": {"request": asked.request.no},
    }.items():
        await post(
            work,
            Post(
                kind=kind,
                dedupe_key=f"test:{kind}",
                language="en",
                facts=facts,
                subscriber=cast.bo.no,
            ),
        )


async def fates(house: House, relay: Relay) -> dict[str, Letter]:
    async with working(house, relay), asyncio.timeout(15):
        while True:
            of_ours = {
                one.kind: one for one in await letters(house) if one.dedupe_key.startswith("test:")
            }
            if not any(waits(one) for one in of_ours.values()):
                return of_ours
            await asyncio.sleep(0.02)


@pytest.mark.any_database
async def test_each_leads_to_its_one_thing(house: House, cast: Cast, relay: Relay) -> None:
    await no_letters(house)
    async with house.work() as work:
        await owed(work, cast)
    assert {one.state for one in (await fates(house, relay)).values()} == {DeliveryState.SENT}

    mails = {mail.subject: mail for mail in map(Mail, relay.letters)}
    async with house.work(reading=True) as work:

        def purpose(subject: str, words: str) -> Purpose:
            token = mails[subject].link(words).rpartition("/")[2]
            return work.signer.read(token, *Purpose, now=work.now).purpose

        still = "Are you still with us?"
        assert purpose(still, "Keep my level: Supporter") is Purpose.STAY
        assert purpose(still, "Step down to Follower") is Purpose.TIER
        assert purpose(still, "Take a break for 30 days") is Purpose.PAUSE
        assert purpose("A step up, if you like", "Look at the level") is Purpose.SUGGESTION
        assert purpose("You are still on the roll", "Stop all emails") is Purpose.UNSUBSCRIBE
        assert purpose("Your request has run out", "See or change") is Purpose.PREFERENCES
    assert "Bulletin" in mails["You are still on the roll"].text


@pytest.mark.any_database
async def test_who_is_on_a_break_by_then_gets_only_the_answer_they_asked_for(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    async with house.work() as work:
        await owed(work, cast)
        await subscribers.pause(work, cast.bo)

    found = await fates(house, relay)

    assert found.pop("tier-request-expired").state == DeliveryState.SENT
    assert {(one.state, one.reply) for one in found.values()} == {
        (DeliveryState.SKIPPED, Reason.POINTLESS.value)
    }


async def sent(house: House, relay: Relay) -> dict[str, Mail]:
    """Send all that is owed; give the mails by their subjects."""
    async with working(house, relay):
        await until_no_letter_waits(house)
    return {mail.subject: mail for mail in map(Mail, relay.letters)}


@pytest.mark.any_database
@pytest.mark.parametrize("way", ["step", "request"])
async def test_a_step_up_names_the_lists_that_go_with_it_and_that_they_do_not_get(
    house: House, cast: Cast, relay: Relay, way: str
) -> None:
    await no_letters(house)
    async with house.work() as work:
        alerts = await make.mailing_list(work)
        for tier in (cast.follower, cast.supporter, cast.activist):
            reached = await ladder.by_no(work, tier.no)
            assert reached is not None
            reached.list_nos = [cast.bulletin.no, alerts.no]
    async with house.work() as work:
        if way == "step":
            await tiers.step(work, cast.bo, cast.follower, source=Source.SELF_LINK)
            await tiers.step(work, cast.bo, cast.supporter, source=Source.SELF_LINK)
        else:
            asked = await tiers.step(work, cast.bo, cast.activist, source=Source.SELF_LINK)
            assert isinstance(asked, tiers.Requested)
            await tiers.answer(work, asked.request, granted=True)

    told = await sent(house, relay)
    mail = told["Your level has changed" if way == "step" else "The answer to your request"]
    assert "This goes well with your level: Action alerts." in " ".join(mail.text.split())
    token, hash_, place = mail.link("Choose what you get").rpartition("/")[2].partition("#")
    async with house.work(reading=True) as work:
        assert work.signer.read(token, *Purpose, now=work.now).purpose is Purpose.PREFERENCES
        assert await consents.subscription(work, cast.bo.no, alerts.no) is None
    assert (hash_, place) == ("#", "private")


@pytest.mark.any_database
async def test_a_step_down_and_a_no_name_no_lists(house: House, cast: Cast, relay: Relay) -> None:
    await no_letters(house)
    async with house.work() as work:
        alerts = await make.mailing_list(work)
        for tier in await ladder.ladder(work):
            tier.list_nos = [alerts.no]
    async with house.work() as work:
        asked = await tiers.step(work, cast.bo, cast.activist, source=Source.SELF_LINK)
        assert isinstance(asked, tiers.Requested)
        await tiers.answer(work, asked.request, granted=False)
        await tiers.assign(work, cast.bo, cast.follower, reason="As you wished.")

    told = await sent(house, relay)
    for subject in ("Your level has changed", "The answer to your request"):
        assert "goes well" not in told[subject].text
