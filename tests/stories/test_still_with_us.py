"""A long silence: asked, asked again, one level down, and back. Real mails, and a moved clock.

Sam is an Activist and does nothing for more than a year. What Sam answers to the letter, or does
not, is told in five ways; once a year a letter says what anybody is on.
"""

from datetime import datetime, timedelta

import httpx
import pytest
from sqlalchemy import update

from mailer.bootstrap import House
from mailer.kit import db
from mailer.kit.work import clock
from mailer.outbox.model import Letter
from mailer.subscribers import store as people
from mailer.subscribers.model import Subscriber
from mailer.tiers import store as ladder
from mailer.tiers.model import Source
from mailer.tiers.upkeep.keeping import keep_some
from tests import makers as make
from tests.cast import Cast
from tests.support.mails import Mail
from tests.support.relay import Relay
from tests.support.sending import (
    no_letters,
    until_no_letter_waits,
    working,
)

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

LONG = 366  # days: one more than an Activist may be quiet
ASKED = "Are you still with us?"


class Clock:
    """The hour of every unit of work of this process, and how far it was moved."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return clock() + self.ahead


class Sam:
    """Somebody before their mails, as time goes by."""

    def __init__(
        self, web: httpx.AsyncClient, house: House, relay: Relay, moved: Clock, who: Subscriber
    ) -> None:
        self.web, self.house, self.relay, self.clock, self.who = web, house, relay, moved, who

    async def days_later(self, days: int) -> list[Mail]:
        """Let the time go by and the worker do what is due; give the mails that came meanwhile."""
        before = len(self.mails())
        self.clock.ahead += timedelta(days=days)
        while await keep_some(self.house):
            pass
        await self.letters_go()
        return self.mails()[before:]

    async def letters_go(self) -> None:
        async with self.house.work() as work:
            # What is due is told by the clock of the database, which nobody moves.
            await work.session.execute(update(Letter).values(due_at=clock() - timedelta(hours=1)))
        async with working(self.house, self.relay):
            await until_no_letter_waits(self.house)

    def mails(self) -> list[Mail]:
        return [Mail(one) for one in self.relay.letters if one.to == [self.who.address]]

    async def answers(self, link: str, answer: str = "yes") -> httpx.Response:
        """Open a link, see that a button says no, and press another."""
        page = await self.web.get(link)
        assert 'name="answer" value="no"' in page.text, page.text
        return await self.web.post(link, data={"answer": answer}, follow_redirects=True)

    async def level(self) -> str:
        async with self.house.work(reading=True) as work:
            tier = await ladder.chosen(work, self.who.no)
            assert tier is not None
            return tier.slug


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> Clock:
    moved = Clock()
    monkeypatch.setattr(db, "clock", moved)
    return moved


@pytest.fixture
async def sam(web: httpx.AsyncClient, house: House, cast: Cast, relay: Relay, moved: Clock) -> Sam:
    async with house.work() as work:
        somebody = await make.person(work, "sam@example.org", tier=cast.activist)
    await no_letters(house)
    return Sam(web, house, relay, moved, somebody)


async def asked(sam: Sam) -> Mail:
    """Let a year and a day go by: the letter has come, beside the one of the year."""
    found = {mail.subject: mail for mail in await sam.days_later(LONG)}
    assert set(found) == {ASKED, "You are still on the roll"}
    return found[ASKED]


async def test_silence_is_asked_about_twice_then_one_level_down_and_undone(sam: Sam) -> None:
    first = await asked(sam)
    assert "Your level is Activist" in first.text
    assert await sam.days_later(13) == [], "two weeks are given"
    [second] = await sam.days_later(2)
    assert second.subject == ASKED
    assert "We asked you two weeks ago" in second.text
    assert await sam.level() == "activist"

    [receipt] = await sam.days_later(15)
    assert receipt.subject == "Your level has changed"
    assert "We had not heard from you for long and asked you twice." in receipt.text
    assert await sam.level() == "supporter"
    assert await sam.days_later(1) == [], "nothing comes twice"

    gone = await sam.web.get(first.link("Keep my level"))
    assert "This question is over." in gone.text
    said = await sam.answers(receipt.link("Undo it"))
    assert said.status_code == 200
    assert await sam.level() == "activist"
    async with sam.house.work(reading=True) as work:
        undo, lapse, *_joined = await ladder.changes_of(work, sam.who.no)
    assert (lapse.source, lapse.undone_at is not None) == (Source.LAPSED, True)
    assert (undo.source, undo.undoes_no) == (Source.UNDO, lapse.no)


async def test_the_undo_runs_out_and_says_so_kindly(sam: Sam) -> None:
    await asked(sam)
    await sam.days_later(15)
    [receipt] = await sam.days_later(15)
    await sam.days_later(31)

    late = await sam.web.get(receipt.link("Undo it"))

    assert late.status_code == 410
    assert await sam.level() == "supporter"


async def test_saying_so_keeps_the_level_for_another_year(sam: Sam) -> None:
    letter = await asked(sam)
    said = await sam.answers(letter.link("Keep my level"))
    assert "You keep your level, Activist." in said.text

    assert await sam.days_later(60) == []
    assert await sam.level() == "activist"
    again = await sam.days_later(LONG - 60)
    assert ASKED in [mail.subject for mail in again]


async def test_stepping_down_by_oneself_is_at_once_and_ends_the_question(sam: Sam) -> None:
    letter = await asked(sam)
    await sam.answers(letter.link("Step down to Supporter"))
    assert await sam.level() == "supporter"

    assert await sam.days_later(60) == []
    assert await sam.level() == "supporter"


async def test_a_break_is_an_answer(sam: Sam) -> None:
    letter = await asked(sam)
    await sam.answers(letter.link("Take a break"))
    async with sam.house.work(reading=True) as work:
        found = await people.by_no(work, sam.who.no)
        assert found is not None
        assert found.is_paused(work.now)

    came = await sam.days_later(60)
    assert ASKED not in [mail.subject for mail in came]
    assert await sam.level() == "activist"


async def test_once_a_year_everybody_is_told_what_they_are_on(sam: Sam, cast: Cast) -> None:
    bo = Sam(sam.web, sam.house, sam.relay, sam.clock, cast.bo)
    [year] = [one for one in await bo.days_later(LONG) if "on the roll" in one.subject]
    assert "Your level is Supporter" in year.text
    assert "Bulletin" in year.text
    assert await bo.days_later(30) == []
    assert (await bo.web.get(year.link("See or change"))).status_code == 200
    [next_year] = [one for one in await bo.days_later(LONG - 30) if "on the roll" in one.subject]
    assert next_year.text != ""


async def test_somebody_else_who_presses_buttons_can_be_undone_and_is_told_of(
    sam: Sam, cast: Cast
) -> None:
    """The letter was passed on, and whoever has it presses what there is."""
    letter = await asked(sam)
    links = {to for words, to in letter.links if "/l/" in to}
    pages = [await sam.web.get(link) for link in sorted(links)]
    for page in pages:
        assert str(sam.who.address) not in page.text
    assert await sam.level() == "activist", "opening changes nothing"
    for link in sorted(links):
        await sam.web.post(link, data={})
    assert await sam.level() == "activist", "nor does a form without a button"

    said = await sam.answers(letter.link("Step down to Supporter"))

    assert await sam.level() == "supporter"
    assert "Undo" in said.text, "the page after it takes it back"
    async with sam.house.work(reading=True) as work:
        [newest, *_rest] = await ladder.changes_of(work, sam.who.no)
        assert newest.is_open_to_undo(work.now)
    back = await sam.web.post(str(said.url), data={"answer": "yes"}, follow_redirects=True)
    assert back.status_code == 200
    assert await sam.level() == "activist"
