"""An ask from the newsletter to the deed: the mails are real, and the clock is moved.

Bo says yes from the newsletter, needs help, gives another day, is reminded, does it, and is offered
the step up that his deeds suggest; he takes it and goes back. Gil reads a mail of Bo's that was
passed on.
"""

import contextlib
import re
from collections.abc import AsyncGenerator
from datetime import timedelta

import httpx
import pytest

from mailer.asks import actions as asks
from mailer.asks import store
from mailer.asks.model import Ask, PledgeState
from mailer.asks.reminding.actions import remind_due
from mailer.bootstrap import House
from mailer.campaigns import composing
from mailer.consent import store as consents
from mailer.kit.work import Door, Work
from mailer.tiers import store as ladder
from tests import makers as make
from tests.cast import Cast
from tests.support.asking import opened
from tests.support.mails import Mail
from tests.support.relay import Relay
from tests.support.sending import (
    confirmed,
    letters,
    make_due,
    no_letters,
    promise_much,
    until_no_letter_waits,
    until_sent,
    working,
)

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]


class OnAnotherDay:
    """The same house, so many days later."""

    def __init__(self, house: House, days: float) -> None:
        self._house, self._days = house, days

    @contextlib.asynccontextmanager
    async def work(self, *, reading: bool = False) -> AsyncGenerator[Work]:
        async with self._house.work(reading=reading) as work:
            yield make.later(work, days=self._days)


class Bo:
    """A member before his mails: he reads them as they come, and follows their links."""

    def __init__(self, web: httpx.AsyncClient, house: House, cast: Cast, relay: Relay) -> None:
        self.web, self.house, self.cast, self.relay = web, house, cast, relay

    async def mail(self, subject: str) -> Mail:
        """Let the worker send all that is owed, and give the newest mail with this subject."""
        await make_due(self.house)
        async with working(self.house, self.relay):
            await until_no_letter_waits(self.house)
        mails = [Mail(one) for one in self.relay.letters if one.to == [self.cast.bo.address]]
        [*_others, newest] = [one for one in mails if one.subject == subject]
        return newest

    async def answers(self, link: str, **typed: str) -> httpx.Response:
        """Open a link, see that a button says no, and press another."""
        page = await self.web.get(link)
        assert 'name="answer" value="no"' in page.text, page.text
        return await self.web.post(link, data={"answer": "yes", **typed}, follow_redirects=True)

    async def state(self, ask: Ask) -> PledgeState | None:
        async with self.house.work(reading=True) as work:
            pledge = await store.pledge_of(work, self.cast.bo.no, ask.no)
            return pledge.state if pledge else None

    async def level(self) -> str:
        async with self.house.work(reading=True) as work:
            tier = await ladder.chosen(work, self.cast.bo.no)
            assert tier
            return tier.slug


async def offered(house: House, relay: Relay) -> None:
    """Send a newsletter with each reader's best ask below its text."""
    await promise_much(house)
    async with house.work(door=Door.ADMIN) as work:
        june = await composing.begin(work, name="June")
        words = {"subject": "June", "headline": "June", "markdown": "Dear all."}
        await composing.revise(work, june, words={"en": words})
        [bulletin] = await consents.lists(work)
        await composing.choose_audience(
            work, june, list_no=bulletin.no, to_everybody=True, tier_nos=[]
        )
        await composing.choose_ask(work, june, best=True)
        no = (await confirmed(work, june)).no
    async with working(house, relay):
        await until_sent(house, no)


async def test_from_the_newsletter_to_the_deed(
    web: httpx.AsyncClient, house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    async with house.work(reading=True) as work:
        soon = work.now + timedelta(days=10)
    ask = await opened(house, "Bring a chair", minutes=10, deadline=soon, needs_support=True)
    await offered(house, relay)
    bo = Bo(web, house, cast, relay)
    before = await bo.level()

    # --- yes, from the newsletter
    june = await bo.mail("June")
    assert "Bring a chair" in june.text
    said = await bo.answers(june.link("I’ll do it"))
    assert "Thank you. We have your yes." in said.text
    assert await bo.state(ask) is PledgeState.PLEDGED
    async with house.work(reading=True) as work:
        pledge = await store.pledge_of(work, cast.bo.no, ask.no)
        assert pledge
        assert pledge.campaign_no is not None

    # --- help
    support = await bo.mail("Help is coming")
    said = await bo.answers(support.link("Say what you need"), answer="help", words="A lift?")
    assert "Help is on its way." in said.text
    async with house.work(reading=True) as work:
        pledge = await store.pledge_of(work, cast.bo.no, ask.no)
        assert pledge
        assert asks.note_of(work, pledge) == "A lift?"

    # --- not yet, with another day
    receipt = await bo.mail("We have your yes")
    until = (soon + timedelta(days=10)).date()
    said = await bo.answers(receipt.link("Say how it went"), answer="later", until=str(until))
    assert "Not yet, and that is fine." in said.text
    assert not await reminded(house, days=11), "his day counts, and not the ask's"

    # --- reminded before, and asked after it
    assert await reminded(house, days=19)
    reminder = await bo.mail("A date is coming up")
    assert "Bring a chair" in reminder.text
    assert await reminded(house, days=22)
    question = await bo.mail("Did you do it?")

    # --- done; his deeds suggest a step, and nobody is moved
    said = await bo.answers(question.link("Say how it went"))
    assert "Done. Thank you." in said.text
    assert await bo.state(ask) is PledgeState.DONE
    other = await opened(house, "Bring a table")
    async with house.work(door=Door.PAGE) as work:
        await asks.report_done(work, cast.bo, other)
    assert await bo.level() == before == "supporter"
    async with house.work(reading=True) as work:
        suggested = await ladder.suggested(work, cast.bo.no)
        assert suggested
        assert suggested[1].slug == "activist"
    step = await bo.mail("A step up, if you like")
    said = await bo.answers(step.link("Look at the level"))
    assert "You have asked for the level Activist." in said.text
    assert await bo.level() == before


async def reminded(house: House, *, days: float) -> bool:
    """Let the step about dates do what is due on another day; say whether it owed a letter."""
    known = len(await letters(house))
    while await remind_due(OnAnotherDay(house, days)):
        pass
    return len(await letters(house)) > known


async def test_what_was_passed_on_leaves_its_owner_untouched(
    web: httpx.AsyncClient, house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    ask = await opened(house, "Bring a chair")
    await offered(house, relay)
    bo = Bo(web, house, cast, relay)
    june = await bo.mail("June")

    safe = await web.get(june.link("Forward safely"))
    assert safe.status_code == 200
    assert "/l/" not in safe.text.partition("<main")[2].partition("</main>")[0]

    page = await web.get(june.link("I’ll do it"))
    assert str(cast.bo.address) not in page.text
    assert not re.search(rf"\b{cast.bo.first_name}\b", page.text)
    assert "Not you?" in page.text
    assert 'href="/join">Join as yourself' in page.text
    async with house.work(door=Door.EMAIL) as work:
        await asks.pledge(work, cast.gil, ask)
    assert await bo.state(ask) is None
