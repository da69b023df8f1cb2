"""One level up, one level down: links whose end depends on where their reader stands."""

import httpx
import pytest

from mailer import content
from mailer.bootstrap import House
from mailer.campaigns import composing
from mailer.kit.i18n import in_language
from mailer.kit.tokens import Claim, Purpose
from mailer.kit.work import Work
from mailer.tiers import actions as tiers
from mailer.tiers import store as ladder
from tests import makers as make
from tests.cast import Cast
from tests.support.mails import Mail
from tests.support.relay import Relay
from tests.support.sending import BASE, confirmed, draft, no_letters, until_sent, working

WORDS = {
    "en": {
        "subject": "Further",
        "headline": "Further",
        "markdown": "[One further]({{ link.tier.up }}) or [one back]({{ link.tier.down }}).",
    }
}


async def sent_to_all(house: House, relay: Relay) -> dict[str, Mail]:
    await no_letters(house)
    async with house.work() as work:
        campaign = await draft(work)
        await composing.revise(work, campaign, words=WORDS)
        no = (await confirmed(work, campaign)).no
    async with working(house, relay):
        await until_sent(house, no)
    return {mail.to: mail for mail in map(Mail, relay.letters)}


def claim(work: Work, mail: Mail, words: str) -> Claim:
    token = mail.link(words).rpartition("/")[2]
    return work.signer.read(token, Purpose.TIER, Purpose.PREFERENCES, now=work.now)


async def test_each_reader_is_led_one_level_up_and_one_down(
    house: House, cast: Cast, relay: Relay
) -> None:
    async with house.work() as work:
        top = await make.person(work, "top@example.org", tier=cast.organiser)
        none = await make.person(work, "none@example.org")
    mails = await sent_to_all(house, relay)

    async with house.work(reading=True) as work:
        led = {
            person.no: [
                (found.purpose, found.subject, found.subscriber)
                for words in ("One further", "one back")
                for found in [claim(work, mails[str(person.address)], words)]
            ]
            for person in (cast.bo, cast.gil, top, none)
        }

    def to(number: int, no: int) -> tuple[Purpose, int, int]:
        return (Purpose.TIER, number, no)

    def place(no: int) -> tuple[Purpose, int, int]:
        return (Purpose.PREFERENCES, 0, no)

    assert led == {
        cast.bo.no: [to(cast.activist.no, cast.bo.no), to(cast.follower.no, cast.bo.no)],
        cast.gil.no: [to(cast.supporter.no, cast.gil.no), place(cast.gil.no)],
        top.no: [place(top.no), to(cast.activist.no, top.no)],
        none.no: [to(cast.follower.no, none.no), place(none.no)],
    }


async def test_a_closed_level_is_passed_over(house: House, cast: Cast, relay: Relay) -> None:
    async with house.work() as work:
        await tiers.close_tier(work, cast.activist)
    mails = await sent_to_all(house, relay)

    async with house.work(reading=True) as work:
        found = claim(work, mails[str(cast.bo.address)], "One further")
    assert found.subject == cast.organiser.no


@pytest.mark.any_database
async def test_the_link_opens_the_page_of_that_level(
    house: House, cast: Cast, relay: Relay, web: httpx.AsyncClient
) -> None:
    mails = await sent_to_all(house, relay)
    link = mails[str(cast.gil.address)].link("One further")

    page = await web.get(link.removeprefix(BASE))

    assert page.status_code == 200
    assert in_language(cast.supporter.name, "fr") in page.text
    answer = await web.post(link.removeprefix(BASE), data={"answer": "yes"})
    assert answer.status_code == 303
    async with house.work(reading=True) as work:
        stands = await ladder.chosen(work, cast.gil.no)
    assert stands is not None
    assert stands.no == cast.supporter.no


async def test_the_copy_on_the_web_keeps_the_words_alone(cast: Cast, work: Work) -> None:
    campaign = await draft(work)
    revision = await composing.revise(work, campaign, words=WORDS)
    letter = await composing.newsletter(work, campaign, revision, base=BASE)

    html = content.web_copy(letter, "en")

    assert "One further" in html
    assert "/l/" not in html
    assert ">One further</a>" not in html


async def test_no_level_is_called_up_or_down_in_links(cast: Cast, work: Work) -> None:
    made = await tiers.add_tier(work, name={"en": "Up"}, often={"en": "Daily"})
    assert made.slug == "up-2"
