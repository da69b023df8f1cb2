"""The answers to an ask, and *I have read this*, as links in the mails of a campaign."""

import asyncio

import pytest

from mailer.bootstrap import House
from mailer.campaigns import composing
from mailer.campaigns.model import Campaign
from mailer.consent import store as consents
from mailer.deliveries import testing
from mailer.kit.links import NOBODY
from mailer.kit.tokens import Claim, Purpose
from mailer.kit.work import Door, Work
from tests.cast import Cast
from tests.support.asking import opened
from tests.support.mails import Mail
from tests.support.relay import Relay
from tests.support.sending import confirmed, no_letters, until_sent, working

pytestmark = pytest.mark.any_database

ANSWERS = {
    "pledge": Purpose.ASK,
    "done": Purpose.ASK_DONE,
    "help": Purpose.ASK_HELP,
    "decline": Purpose.ASK_DECLINE,
}


async def written(work: Work, campaign: Campaign, ask_no: int) -> Campaign:
    links = "\n".join(f"- [{one}]({{{{ link.ask.{ask_no}.{one} }}}})" for one in ANSWERS)
    words = {"subject": "A chair?", "headline": "A chair?", "markdown": f"Dear all,\n\n{links}"}
    await composing.revise(work, campaign, words={"en": words})
    [bulletin] = await consents.lists(work)
    return await composing.choose_audience(
        work, campaign, list_no=bulletin.no, to_everybody=True, tier_nos=[]
    )


async def claims(house: House, mail: Mail, *words: str) -> list[Claim]:
    async with house.work(reading=True) as work:
        return [
            work.signer.read(mail.link(one).rpartition("/")[2], *Purpose, now=work.now)
            for one in words
        ]


async def test_each_answer_to_an_ask_leads_to_its_own_page(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    ask = await opened(house, "Bring a chair")
    async with house.work(door=Door.ADMIN) as work:
        campaign = await written(work, await composing.begin(work, name="June"), ask.no)
        no = (await confirmed(work, campaign)).no
    async with working(house, relay):
        await until_sent(house, no)
    [mail] = [one for one in map(Mail, relay.letters) if one.to == cast.bo.address]
    found = await claims(house, mail, *ANSWERS)
    assert [one.purpose for one in found] == list(ANSWERS.values())
    assert {(one.subscriber, one.subject, one.cause) for one in found} == {(cast.bo.no, ask.no, no)}
    assert "I have read this" not in mail.text


async def test_an_alert_asks_for_a_word(house: House, cast: Cast, relay: Relay) -> None:
    await no_letters(house)
    ask = await opened(house, "Bring a chair")
    async with house.work(door=Door.ADMIN) as work:
        alert = await composing.begin_alert(work, name="Tonight", why="It is tonight.")
        no = (await confirmed(work, await written(work, alert, ask.no))).no
    async with working(house, relay):
        await until_sent(house, no)
    [mail] = [one for one in map(Mail, relay.letters) if one.to == cast.bo.address]
    [claim] = await claims(house, mail, "I have read this")
    assert (claim.purpose, claim.subscriber) == (Purpose.READ, cast.bo.no)
    assert (claim.subject, claim.cause) == (no, no)
    assert "I have read this:" in mail.text


async def test_in_a_test_mail_they_belong_to_nobody(house: House, cast: Cast, relay: Relay) -> None:
    await no_letters(house)
    ask = await opened(house, "Bring a chair")
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        campaign = await written(work, await composing.begin(work, name="June"), ask.no)
        await testing.send_test(work, campaign, cast.amina)
    async with working(house, relay), asyncio.timeout(15):
        while not relay.letters:
            await asyncio.sleep(0.02)
    [mail] = map(Mail, relay.letters)
    assert {one.subscriber for one in await claims(house, mail, *ANSWERS)} == {NOBODY}
