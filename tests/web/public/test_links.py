"""Links in mails: opening one changes nothing, its named button does, once, and can be undone."""

import base64
import datetime as dt
import re

import httpx
import pytest

from mailer.activity import store as activity
from mailer.bootstrap import House
from mailer.consent import store as consents
from mailer.kit.links import NOBODY
from mailer.kit.tokens import LIVES, Claim, Purpose, Signer
from mailer.kit.work import Door, clock
from mailer.outbox import store as outbox
from mailer.tiers import actions as tiers
from mailer.tiers import store as ladder
from mailer.tiers.model import SignKind
from tests import makers as make
from tests.cast import Cast
from tests.support.standing import level_of
from tests.web.public.conftest import Facts, Link
from tests.web.public.situations import (
    KINDS,
    OF_EVERYBODY,
    address_of,
    goes_with,
    prepared,
    state_of,
    step_to,
    tier_no,
)

pytestmark = pytest.mark.any_database

every_link = pytest.mark.parametrize("kind", KINDS)
NEUTRAL = "This link leads nowhere"


def _shown(page: httpx.Response, token: str) -> str:
    """Give a page without its own path, which stands in the forms for language and display."""
    return page.text.replace(f'value="/l/{token}"', "")


@pytest.fixture
async def path(house: House, cast: Cast, link: Link, kind: str) -> str:
    who, subject = await prepared(house, cast, kind)
    return link(KINDS[kind].purpose, who.no, subject)


# --- opening and answering -----------------------------------------------------------------------


@every_link
async def test_opening_a_link_changes_nothing(
    web: httpx.AsyncClient, facts: Facts, path: str
) -> None:
    before = await facts()
    for method in ("GET", "HEAD", "OPTIONS", "GET"):
        await web.request(method, path)
    page = await web.get(path)
    assert page.status_code == 200
    assert 'name="answer" value="no"' in page.text
    assert await facts() == before


@every_link
async def test_no_is_the_first_button_of_its_form(web: httpx.AsyncClient, path: str) -> None:
    page = (await web.get(path)).text
    main = page.partition("<main")[2]
    answers = re.findall(r'name="answer" value="(\w+)"', main)
    assert answers[0] == "no"
    assert len(answers) > 1


@every_link
@pytest.mark.parametrize("sent", [{}, {"answer": ""}, {"answer": "maybe"}, {"yes": "yes"}])
async def test_a_form_without_a_named_button_changes_nothing_and_says_so(
    web: httpx.AsyncClient, facts: Facts, path: str, sent: dict[str, str]
) -> None:
    before = await facts()
    page = await web.post(path, data=sent)
    assert page.status_code == 200
    assert "Nothing has changed, because no button was pressed." in page.text
    assert await facts() == before


@every_link
async def test_no_changes_nothing(web: httpx.AsyncClient, facts: Facts, path: str) -> None:
    before = await facts()
    page = await web.post(path, data={"answer": "no"})
    assert page.status_code == 200
    assert "<title>Nothing has changed." in page.text
    assert await facts() == before


@every_link
async def test_yes_acts_and_saying_it_twice_is_saying_it_once(
    web: httpx.AsyncClient, facts: Facts, path: str, kind: str
) -> None:
    before = await facts()
    answer = "all" if kind == "leave" else "yes"
    first = await web.post(path, data={"answer": answer})
    assert first.status_code == 303
    after = await facts()
    assert after != before

    page = await web.get(first.headers["location"])
    assert page.status_code == 200
    assert (await web.get(first.headers["location"])).status_code == 200  # it may be loaded again

    second = await web.post(path, data={"answer": answer})
    assert second.status_code == 303
    assert (await web.get(second.headers["location"])).status_code == 200
    assert await facts() == after


@every_link
async def test_the_page_of_a_link_shows_nobody(
    web: httpx.AsyncClient, cast: Cast, path: str
) -> None:
    page = (await web.get(path)).text
    answered = await web.post(path, data={"answer": "yes"}, follow_redirects=True)
    for text in (page, answered.text):
        for person in (cast.bo, cast.dana):
            assert str(person.address) not in text
            assert not person.first_name or not re.search(rf"\b{person.first_name}\b", text)
            assert not person.last_name or person.last_name not in text
    assert "…@" in page


# --- what each yes does, and its undo ------------------------------------------------------------


async def test_a_step_up_is_shown_with_its_undo(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    who, tier = await prepared(house, cast, "step up")
    question = await web.get(link(Purpose.TIER, who.no, tier))
    assert "Step up to Supporter?" in question.text

    done = await web.post(link(Purpose.TIER, who.no, tier), data={"answer": "yes"})
    page = await web.get(done.headers["location"])
    assert await level_of(house, who) == "supporter"
    assert "<title>Done. · Your level is now Supporter." in page.text

    undone = await web.post(done.headers["location"], data={"answer": "yes"})
    page = await web.get(undone.headers["location"])
    assert "Your level is Follower again." in page.text
    assert await level_of(house, who) == "follower"


async def test_a_step_up_leads_to_the_lists_that_go_with_the_level_and_adds_none(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    who, tier = await prepared(house, cast, "step up")
    async with house.work() as work:
        alerts = await make.mailing_list(work)
        alerts.about = {"en": "When it is urgent."}
        await goes_with(work, "supporter", cast.bulletin.no, alerts.no)

    done = await web.post(link(Purpose.TIER, who.no, tier), data={"answer": "yes"})
    page = (await web.get(done.headers["location"])).text

    assert "Goes well with this level" in page
    assert "Bulletin and Action alerts</h3>" in page, "also the one that they are on already"
    assert "When it is urgent." in page
    sending = re.search(r'action="(/l/[\w-]+/private)"', page)
    assert sending
    sent = await web.post(sending[1], data={"answer": "send"})
    assert sent.headers["location"] == "/my/sent"
    async with house.work(reading=True) as work:
        assert "private-link" in [one.kind for one in await outbox.letters_to(work, who.no)]
        standing = [one.list_no for one in await consents.subscriptions_of(work, who.no)]
        assert alerts.no not in standing


async def test_a_step_down_speaks_of_no_lists(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    who, tier = await prepared(house, cast, "step down")
    async with house.work() as work:
        await goes_with(work, "follower", cast.bulletin.no)
    done = await web.post(link(Purpose.TIER, who.no, tier), data={"answer": "yes"})
    page = (await web.get(done.headers["location"])).text
    assert "Your level is now Follower." in page
    assert "Goes well with this level" not in page


async def test_a_second_yes_shows_the_undo_as_well(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    who, tier = await prepared(house, cast, "step up")
    path = link(Purpose.TIER, who.no, tier)
    await web.post(path, data={"answer": "yes"})
    again = await web.post(path, data={"answer": "yes"}, follow_redirects=True)
    assert "Undo, back to Follower" in again.text


async def test_a_yes_of_another_day_is_given_no_undo(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    async with house.work(door=Door.CLI) as work:
        await step_to(make.later(work, hours=-2), cast.bo, "follower")
        await step_to(make.later(work, hours=-1), cast.bo, "supporter")
        tier = await tier_no(work, "supporter")
    path = link(Purpose.TIER, cast.bo.no, tier)
    again = await web.post(path, data={"answer": "yes"})
    assert again.headers["location"] == path


async def test_a_step_down_is_immediate(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    who, tier = await prepared(house, cast, "step down")
    path = link(Purpose.TIER, who.no, tier)
    assert "Step down to Follower?" in (await web.get(path)).text
    await web.post(path, data={"answer": "yes"})
    assert await level_of(house, who) == "follower"


async def test_a_level_that_needs_approval_is_asked_for_and_the_wish_can_be_taken_back(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    before = await level_of(house, cast.bo)
    who, tier = await prepared(house, cast, "ask for a level")
    path = link(Purpose.TIER, who.no, tier)
    assert "An organiser answers; you stay where you are until then." in (await web.get(path)).text

    asked = await web.post(path, data={"answer": "yes"}, follow_redirects=True)
    assert "You have asked for the level Activist." in asked.text
    assert await level_of(house, who) == before

    back = await web.post(path, data={"answer": "withdraw"}, follow_redirects=True)
    assert "Ask for the level Activist?" in back.text


async def test_the_level_that_holds_already_has_nothing_to_change(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link, facts: Facts
) -> None:
    async with house.work() as work:
        await step_to(work, cast.bo, "follower")
        tier = await tier_no(work, "follower")
    before = await facts()
    path = link(Purpose.TIER, cast.bo.no, tier)
    assert "There is nothing to change." in (await web.get(path)).text
    await web.post(path, data={"answer": "yes"})
    assert await facts() == before


async def test_an_undo_after_another_move_shows_what_is_so(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    who, change = await prepared(house, cast, "undo a move")
    async with house.work() as work:
        await step_to(work, who, "supporter")
    path = link(Purpose.UNDO_TIER, who.no, change)
    assert "Your level is Supporter." in (await web.get(path)).text
    refused = await web.post(path, data={"answer": "yes"})
    assert refused.status_code == 409
    assert "Nothing has changed." in refused.text
    assert await level_of(house, who) == "supporter"


async def test_a_pause_keeps_quiet_until_it_is_ended(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    path = link(Purpose.PAUSE, cast.bo.no)
    done = await web.post(path, data={"answer": "yes"})
    assert await state_of(house, cast.bo) == "paused"
    assert "We are quiet until" in (await web.get(done.headers["location"])).text
    # The first link shows the break as well, and its buttons lead to the end of it.
    assert f'action="{done.headers["location"]}"' in (await web.get(path)).text

    over = await web.post(done.headers["location"], data={"answer": "yes"}, follow_redirects=True)
    assert "The pause is over." in over.text
    assert await state_of(house, cast.bo) == "active"


async def test_an_address_moves_when_its_new_owner_says_so_and_back_from_the_old_one(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    old = await address_of(house, cast.bo)
    who, change = await prepared(house, cast, "confirm an address")
    path = link(Purpose.ADDRESS, who.no, change)
    question = await web.get(path)
    assert "b…@e….net" in question.text

    done = await web.post(path, data={"answer": "yes"}, follow_redirects=True)
    assert "Your address is changed." in done.text
    assert await address_of(house, who) == "bo.new@example.net"

    undo = link(Purpose.UNDO_ADDRESS, who.no, change)
    undone = await web.post(undo, data={"answer": "yes"}, follow_redirects=True)
    assert "Your old address is back." in undone.text
    assert await address_of(house, who) == old


# --- links that lead nowhere ---------------------------------------------------------------------


async def test_whatever_bit_is_flipped_the_page_is_the_same(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link, facts: Facts
) -> None:
    who, tier = await prepared(house, cast, "step up")
    token = link(Purpose.TIER, who.no, tier).removeprefix("/l/")
    octets = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    neutral = _shown(await web.get("/l/x"), "x")
    before = await facts()
    for bit in range(len(octets) * 8):
        flipped = bytearray(octets)
        flipped[bit // 8] ^= 1 << bit % 8
        forged = base64.urlsafe_b64encode(flipped).rstrip(b"=").decode()
        page = await web.post(f"/l/{forged}", data={"answer": "yes"})
        assert page.status_code == 404
        assert _shown(page, forged) == neutral
    assert await facts() == before


@pytest.mark.parametrize("spoil", ["", "*", "..", "%00", "é", "TOKEN" * 40])
async def test_a_mangled_link_leads_nowhere(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link, spoil: str
) -> None:
    who, tier = await prepared(house, cast, "step up")
    whole = link(Purpose.TIER, who.no, tier)
    for path in (whole[:-1] + spoil, whole + (spoil or "*")):
        assert (await web.get(path)).status_code == 404


@pytest.mark.parametrize("purpose", list(Purpose))
async def test_a_link_does_the_one_thing_it_is_for(
    web: httpx.AsyncClient, cast: Cast, link: Link, facts: Facts, purpose: Purpose
) -> None:
    token = link(purpose, cast.bo.no).rpartition("/")[2]
    before = await facts()
    elsewhere = "/l/" if purpose is Purpose.UNSUBSCRIBE else "/u/"
    page = await web.post(elsewhere + token, data={"answer": "yes"})
    assert (page.status_code, NEUTRAL in page.text) == (404, True)
    if purpose is not Purpose.PRIVATE:
        private = await web.post(f"/my/{token}/break", data={"answer": "begin"})
        assert (private.status_code, NEUTRAL in private.text) == (404, True)
    assert await facts() == before


@every_link
async def test_a_link_of_somebody_else_is_no_help(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link, facts: Facts, kind: str
) -> None:
    _who, subject = await prepared(house, cast, kind)
    if not subject or KINDS[kind].purpose in OF_EVERYBODY:
        return
    before = await facts()
    foreign = link(KINDS[kind].purpose, cast.chidi.no, subject)
    await web.post(foreign, data={"answer": "yes"})
    assert NEUTRAL in (await web.get(foreign)).text
    assert await facts() == before


@every_link
async def test_somebody_who_is_gone_has_a_link_like_a_forged_one(
    web: httpx.AsyncClient, link: Link, cast: Cast, kind: str
) -> None:
    path = link(KINDS[kind].purpose, 987_654, 3)
    page = await web.get(path)
    if kind == "leave":
        assert (page.status_code, "You get no emails from us." in page.text) == (200, True)
        return
    assert page.status_code == 404
    assert _shown(page, path.rpartition("/")[2]) == _shown(await web.get("/l/x"), "x")


@every_link
async def test_links_of_previews_belong_to_nobody(
    web: httpx.AsyncClient, cast: Cast, link: Link, facts: Facts, kind: str
) -> None:
    before = await facts()
    path = link(KINDS[kind].purpose, NOBODY, 1)
    for page in (await web.get(path), await web.post(path, data={"answer": "yes"})):
        assert (page.status_code, "This link comes from a test." in page.text) == (200, True)
    assert await facts() == before


# --- links that have run out ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", [name for name in KINDS if LIVES[KINDS[name].purpose]])
async def test_a_link_that_has_run_out_offers_a_fresh_one(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link, facts: Facts, kind: str
) -> None:
    who, subject = await prepared(house, cast, kind)
    life = LIVES[KINDS[kind].purpose]
    assert life
    path = link(KINDS[kind].purpose, who.no, subject, ago=life + dt.timedelta(minutes=2))
    before = await facts()
    for page in (await web.get(path), await web.post(path, data={"answer": "yes"})):
        assert page.status_code == 410
        assert "This link has run out." in page.text
        assert f'action="{path}/private"' in page.text
        assert str(who.address) not in page.text
    assert await facts() == before


async def test_a_fresh_link_goes_to_the_owner_of_the_old_one_once(
    web: httpx.AsyncClient, cast: Cast, link: Link, facts: Facts
) -> None:
    path = link(Purpose.PAUSE, cast.bo.no, ago=dt.timedelta(days=100))
    before = len((await facts())["letter"])
    for _ in range(3):
        sent = await web.post(f"{path}/private", data={"answer": "send"})
        assert (sent.status_code, sent.headers["location"]) == (303, "/my/sent")
    letters = (await facts())["letter"]
    assert len(letters) == before + 1
    assert [one for one in letters if "private-link" in one]


async def test_without_its_button_no_fresh_link_is_sent(
    web: httpx.AsyncClient, cast: Cast, link: Link, facts: Facts
) -> None:
    path = link(Purpose.PAUSE, cast.bo.no, ago=dt.timedelta(days=100))
    before = await facts()
    for sent in ({}, {"answer": "no"}, {"send": "answer"}):
        answer = await web.post(f"{path}/private", data=sent)
        assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert await facts() == before


async def test_a_link_to_confirm_that_has_run_out_is_sent_anew(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link, facts: Facts
) -> None:
    who, confirmation = await prepared(house, cast, "confirm")
    path = link(Purpose.CONFIRM, who.no, confirmation, ago=dt.timedelta(days=30))
    sent = await web.post(f"{path}/private", data={"answer": "send"})
    assert (sent.status_code, sent.headers["location"]) == (303, "/my/sent")
    assert not [one for one in (await facts())["letter"] if "private-link" in one]


async def test_nothing_is_sent_for_a_forged_link(
    web: httpx.AsyncClient, cast: Cast, facts: Facts
) -> None:
    before = await facts()
    forged = await web.post("/l/forged/private", data={"answer": "send"})
    assert forged.status_code == 404
    assert await facts() == before


# --- languages -----------------------------------------------------------------------------------


@every_link
async def test_pages_of_links_speak_french(web: httpx.AsyncClient, path: str) -> None:
    page = (await web.get(path, headers={"cookie": "language=fr"})).text
    assert '<html lang="fr"' in page
    assert "Nothing has changed" not in page


# --- still with us, and what is suggested --------------------------------------------------------


async def test_keeping_a_level_is_said_once_and_shown_again(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    who, question = await prepared(house, cast, "stay")
    path = link(Purpose.STAY, who.no, question)
    shown = (await web.get(path)).text
    assert "Keep your level, Supporter?" in shown
    assert "Step down to Follower" in shown
    assert "Pause for 30 days" in shown

    for _time in range(2):
        answer = await web.post(path, data={"answer": "yes"})
        assert "You keep your level, Supporter." in (await web.get(answer.headers["location"])).text
    async with house.work(reading=True) as work:
        assert (await activity.kinds(work, who.no)).count("still_with_us") == 1
    assert await level_of(house, who) == "supporter"


async def test_a_suggested_step_is_taken_or_declined(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    who, suggestion = await prepared(house, cast, "a step that is suggested")
    path = link(Purpose.SUGGESTION, who.no, suggestion)
    private = link(Purpose.PRIVATE, who.no)
    assert "Would it suit you?" in (await web.get(private)).text
    answer = await web.post(path, data={"answer": "decline"})
    undo = answer.headers["location"]
    assert "We don’t suggest a step up for half a year." in (await web.get(undo)).text
    assert "Would it suit you?" not in (await web.get(private)).text
    assert "Your level is Follower." in (await web.get(path)).text

    for _time in range(2):
        undone = await web.post(undo, data={"answer": "yes"}, follow_redirects=True)
        assert "The suggestion of Supporter stands again." in undone.text
    assert "Would it suit you?" in (await web.get(private)).text
    assert "Would Supporter suit you?" in (await web.get(path)).text

    gil = cast.gil
    async with house.work() as work:
        await tiers.note_sign(work, gil.no, SignKind.DONE, work.now)
        found = await ladder.suggested(work, gil.no)
        assert found
    answer = await web.post(link(Purpose.SUGGESTION, gil.no, found[0].no), data={"answer": "yes"})
    assert answer.status_code == 303
    assert await level_of(house, gil) == "supporter"
    for purpose in (Purpose.SUGGESTION, Purpose.UNDO_DISMISSING):
        foreign = await web.get(link(purpose, cast.bo.no, found[0].no))
        assert NEUTRAL in foreign.text


async def test_the_undo_of_a_no_is_for_whoever_said_it_just_now(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    who, suggestion = await prepared(house, cast, "a step that is suggested")
    path = link(Purpose.SUGGESTION, who.no, suggestion, ago=dt.timedelta(days=59))
    said = [await web.post(path, data={"answer": "decline"}) for _time in range(2)]
    first, second = [house_reads(house, one.headers["location"]).expires_at for one in said]
    assert first is not None
    assert second is not None
    assert first - clock() > dt.timedelta(days=29)
    assert second - clock() <= dt.timedelta(days=1)

    async with house.work() as work:
        await tiers.take_back_no(work, who, suggestion)
        await tiers.dismiss(make.later(work, hours=-1), who, suggestion)
    again = await web.post(path, data={"answer": "decline"})
    assert again.headers["location"] == path


async def test_the_page_after_a_no_says_what_holds_since(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    who, suggestion = await prepared(house, cast, "take back a no to a step")
    path = link(Purpose.UNDO_DISMISSING, who.no, suggestion)
    async with house.work() as work:
        await step_to(work, who, "supporter")
    undone = await web.post(path, data={"answer": "yes"}, follow_redirects=True)
    assert "We may suggest a step up again." in undone.text
    assert 'value="yes"' not in undone.text.partition("<main")[2]


def house_reads(house: House, path: str) -> Claim:
    return Signer(house.keys).read(path.rpartition("/")[2], *Purpose, now=clock())
