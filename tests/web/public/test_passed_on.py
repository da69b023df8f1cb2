"""A mail that was passed on: its pages look the same whatever its owner answered before."""

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest

from mailer.asks import actions as asks
from mailer.asks import store
from mailer.asks.model import Ask, Pledge
from mailer.bootstrap import House
from mailer.campaigns import reading
from mailer.kit.tokens import LIVES, Claim, Purpose, Signer
from mailer.kit.work import Door, Work, clock
from mailer.subscribers.model import Subscriber
from tests.cast import Cast
from tests.support.asking import opened
from tests.web.public.conftest import Facts, Link
from tests.web.public.situations import KINDS, prepared

pytestmark = pytest.mark.any_database

OF_THE_OWNER = {Purpose.UNDO_PLEDGE, Purpose.REPORT}
"""What only the letters to the owner carry, and the page of a step that was just written."""


# --- what somebody can have answered --------------------------------------------------------------


async def _nothing(_work: Work, _bo: Subscriber, _ask: Ask) -> None:
    """Leave it at a yes that was undone."""


async def _pledged(work: Work, bo: Subscriber, ask: Ask) -> None:
    await asks.pledge(work, bo, ask)


async def _in_progress(work: Work, bo: Subscriber, ask: Ask) -> None:
    await asks.pledge(work, bo, ask)
    await asks.not_yet(work, bo, ask, until=(work.now + timedelta(days=3)).date())


async def _blocked(work: Work, bo: Subscriber, ask: Ask) -> None:
    await asks.need_help(work, bo, ask, words="A lift?")


async def _done(work: Work, bo: Subscriber, ask: Ask) -> None:
    await asks.report_done(work, bo, ask)


async def _verified(work: Work, bo: Subscriber, ask: Ask) -> None:
    await asks.verify(work, await asks.report_done(work, bo, ask))


async def _declined(work: Work, bo: Subscriber, ask: Ask) -> None:
    await asks.decline(work, bo, ask)


async def _withdrawn(work: Work, bo: Subscriber, ask: Ask) -> None:
    await asks.pledge(work, bo, ask)
    await asks.withdraw(work, bo, ask)


STATES: dict[str, Callable[[Work, Subscriber, Ask], Awaitable[None]]] = {
    "undone": _nothing,
    "pledged": _pledged,
    "in progress": _in_progress,
    "blocked": _blocked,
    "done": _done,
    "verified": _verified,
    "declined": _declined,
    "withdrawn": _withdrawn,
}
every_state = pytest.mark.parametrize("state", STATES)

OF_AN_ASK = (Purpose.ASK, Purpose.ASK_DONE, Purpose.ASK_HELP, Purpose.ASK_DECLINE)
ANSWERS: dict[Purpose, tuple[dict[str, str], ...]] = {
    **{purpose: ({"answer": "yes"},) for purpose in OF_AN_ASK},
    Purpose.REPORT: (
        {"answer": "yes"},
        {"answer": "later"},
        {"answer": "help", "words": "A lift?"},
        {"answer": "withdraw"},
    ),
}


async def answered(house: House, bo: Subscriber, ask: Ask, state: str) -> None:
    async with house.work(door=Door.PAGE) as work:
        await STATES[state](work, bo, ask)


async def undone(house: House, bo: Subscriber, ask: Ask) -> Pledge:
    """Let somebody say yes and take that back: there is a pledge, and it says nothing."""
    async with house.work(door=Door.PAGE) as work:
        pledge = await asks.pledge(work, bo, ask)
        change = await store.last_change(work, pledge.no)
        assert change
        return await asks.undo(work, change.no, subscriber=bo)


async def an_ask(house: House) -> Ask:
    return await opened(house, "Bring a chair", unit={"en": "chairs"}, needs_support=True)


# --- opening --------------------------------------------------------------------------------------


@every_state
async def test_the_pages_of_an_ask_are_the_same_to_the_letter_whatever_its_owner_answered(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link, state: str
) -> None:
    ask = await an_ask(house)
    paths = [link(purpose, cast.bo.no, ask.no) for purpose in OF_AN_ASK]
    never = [(await web.get(path)).text for path in paths]
    pledge = await undone(house, cast.bo, ask)
    paths.append(link(Purpose.REPORT, cast.bo.no, pledge.no))
    before = [(await web.get(path)).text for path in paths]
    assert before[:-1] == never
    await answered(house, cast.bo, ask, state)
    assert [(await web.get(path)).text for path in paths] == before


async def test_the_page_of_an_alert_is_the_same_whoever_has_read_it(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    who, alert = await prepared(house, cast, "I have read this")
    path = link(Purpose.READ, who.no, alert)
    before = (await web.get(path)).text
    async with house.work(door=Door.PAGE) as work:
        await reading.note_read(work, who, alert)
    assert (await web.get(path)).text == before
    async with house.work(door=Door.PAGE) as work:
        await reading.take_back(work, who, alert)
    assert (await web.get(path)).text == before


# --- pressing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", ANSWERS)
@every_state
async def test_who_presses_again_is_given_no_undo_and_no_question_of_the_owners(
    web: httpx.AsyncClient,
    house: House,
    cast: Cast,
    link: Link,
    facts: Facts,
    state: str,
    purpose: Purpose,
) -> None:
    for sent in ANSWERS[purpose]:
        ask = await an_ask(house)
        pledge = await undone(house, cast.bo, ask)
        await answered(house, cast.bo, ask, state)
        path = link(purpose, cast.bo.no, pledge.no if purpose is Purpose.REPORT else ask.no)
        await web.post(path, data=sent)
        before = await facts()
        again = await web.post(path, data=sent)
        assert (again.status_code, again.headers["location"]) == (303, f"{path}/noted")
        assert await facts() == before
        page = await web.get(again.headers["location"])
        assert page.status_code == 200
        found = purposes_in(house, page.text.replace(path, ""))
        assert not found & OF_THE_OWNER, (sent, found)


def tokens_in(page: str) -> set[str]:
    return set(re.findall(r"/[lu]/([A-Za-z0-9_-]{16,})", page))


def claims_in(house: House, page: str) -> list[Claim]:
    signer = Signer(house.keys)
    return [signer.read(one, *Purpose, now=clock()) for one in tokens_in(page)]


def purposes_in(house: House, page: str) -> set[Purpose]:
    return {one.purpose for one in claims_in(house, page)}


@pytest.mark.parametrize("purpose", [Purpose.ASK_HELP, Purpose.ASK_DECLINE, Purpose.REPORT])
async def test_what_was_done_is_not_told_by_a_refusal(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link, facts: Facts, purpose: Purpose
) -> None:
    ask = await an_ask(house)
    async with house.work(door=Door.PAGE) as work:
        pledge = await asks.report_done(work, cast.bo, ask)
    path = link(purpose, cast.bo.no, pledge.no if purpose is Purpose.REPORT else ask.no)
    before = await facts()
    sent = {"answer": "later" if purpose is Purpose.REPORT else "yes"}
    said = await web.post(path, data=sent, follow_redirects=True)
    assert said.status_code == 200
    assert "Thank you for answering." in said.text
    assert "done" not in said.text.partition("<main")[2].lower()
    assert await facts() == before


async def test_the_page_that_thanks_sends_the_private_link_to_the_owner_alone(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link, facts: Facts
) -> None:
    ask = await an_ask(house)
    path = link(Purpose.ASK, cast.bo.no, ask.no)
    page = await web.get(f"{path}/noted")
    assert f'action="{path}/private"' in page.text
    assert str(cast.bo.address) not in page.text
    await web.post(f"{path}/private", data={"answer": "send"})
    assert [one for one in (await facts())["letter"] if "private-link" in one]


@pytest.mark.parametrize("purpose", [Purpose.TIER, Purpose.UNDO_PLEDGE, Purpose.PRIVATE])
async def test_other_links_have_no_page_that_thanks(
    web: httpx.AsyncClient, cast: Cast, link: Link, purpose: Purpose
) -> None:
    assert (await web.get(link(purpose, cast.bo.no) + "/noted")).status_code == 404


# --- how long what a page leads to lives ----------------------------------------------------------


@pytest.mark.parametrize("kind", [name for name in KINDS if LIVES[KINDS[name].purpose]])
async def test_no_link_on_a_page_outlives_the_link_that_opened_it(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link, kind: str
) -> None:
    who, subject = await prepared(house, cast, kind)
    life = LIVES[KINDS[kind].purpose]
    assert life
    path = link(KINDS[kind].purpose, who.no, subject, ago=life - timedelta(hours=1))
    page = (await web.get(path)).text
    ends = [one.expires_at for one in claims_in(house, page + path)]
    assert all(end is not None and end <= clock() + timedelta(hours=1) for end in ends)
