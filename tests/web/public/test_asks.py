"""Asks from a mail: what their pages show and to whom, what each answer does, and its undo."""

import datetime as dt
import re
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import msgspec
import pytest
from sqlalchemy import func, select

from mailer.activity import store as activity
from mailer.asks import actions as asks
from mailer.asks import store
from mailer.asks.model import Evidence, Pledge, PledgeState, Turn
from mailer.asks.upkeep import open_again
from mailer.bootstrap import House
from mailer.campaigns import asking, composing
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import CampaignState
from mailer.deliveries import record
from mailer.kit.tokens import Purpose
from mailer.kit.work import Door
from mailer.relays import ruling
from mailer.subscribers.model import Subscriber
from mailer.tiers import actions as tiers
from mailer.tiers.model import SignKind
from tests import makers as make
from tests.cast import Cast
from tests.support.asking import closed, drafted, opened, pledged
from tests.support.standing import level_of
from tests.web.public.conftest import Facts, Link
from tests.web.public.situations import prepared

pytestmark = pytest.mark.any_database

NEUTRAL = "This link leads nowhere"
SAID = {
    "text": {"en": "1. Find the date.\n2. Send the **model wording**."},
    "why": {"en": "So that nobody has to be brave each time."},
    "minutes": 15,
}
RISKY = {
    "risk": {"en": "This one happens at work."},
    "rights": {"en": "You may do it in your own time."},
    "support_contact": "The office, 020 7946 0000",
}


async def answer_of(house: House, who: Subscriber, ask_no: int) -> Pledge | None:
    async with house.work(reading=True) as work:
        return await store.pledge_of(work, who.no, ask_no)


async def state_of(house: House, who: Subscriber, ask_no: int) -> PledgeState | None:
    found = await answer_of(house, who, ask_no)
    return found.state if found else None


def main_of(page: httpx.Response) -> str:
    return page.text.partition("<main")[2].partition("</main>")[0]


# --- the page of an ask ---------------------------------------------------------------------------


async def test_an_ask_says_what_to_do_and_how_long_it_takes(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    deadline = dt.datetime(2199, 6, 28, 23, tzinfo=dt.UTC)
    ask = await opened(house, "Put it on the agenda", deadline=deadline, **SAID)
    page = main_of(await web.get(link(Purpose.ASK, cast.bo.no, ask.no)))
    assert "<h1>Put it on the agenda</h1>" in page
    assert re.search(r"1\. Find the date\.<br ?/?>\s*2\. Send the \*\*model wording\*\*\.", page)
    assert "So that nobody has to be brave each time." in page
    for words in ("15 minutes", "By 28 June 2199", "25 June 2199", "Yes, I’ll do it"):
        assert words in page


async def test_the_risk_the_rights_and_whom_to_call_stand_before_the_buttons(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    ask = await opened(house, "Speak up", **SAID, **RISKY)
    page = main_of(await web.get(link(Purpose.ASK, cast.bo.no, ask.no)))
    button = page.index('name="answer"')
    for words in ("This one happens at work.", "in your own time", "020 7946 0000"):
        assert 0 < page.index(words) < button


async def test_the_page_looks_the_same_whatever_its_owner_answered(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    ask = await opened(house, "Speak up", **SAID)
    path = link(Purpose.ASK, cast.bo.no, ask.no)
    before = (await web.get(path)).text
    await pledged(house, cast.bo, ask)
    assert (await web.get(path)).text == before
    async with house.work(door=Door.PAGE) as work:
        await asks.report_done(work, cast.bo, ask)
    assert (await web.get(path)).text == before


async def test_who_answers_a_mail_that_was_passed_on_learns_nothing_of_its_owner(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link, facts: Facts
) -> None:
    ask = await opened(house, "Speak up")
    await pledged(house, cast.bo, ask)
    async with house.work(door=Door.PAGE) as work:
        await asks.report_done(work, cast.bo, ask)
    before = await facts()
    path = link(Purpose.ASK, cast.bo.no, ask.no)
    answer = await web.post(path, data={"answer": "yes"})
    assert answer.headers["location"] == f"{path}/noted"
    assert await facts() == before


async def test_few_are_not_counted_in_public_and_many_are(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    few, many = await opened(house, "Few"), await opened(house, "Many")
    async with house.work(door=Door.CLI) as work:
        people = await make.people(work, 5)
        for person in people:
            await asks.pledge(work, person, many)
        for person in people[:4]:
            await asks.pledge(work, person, few)
    page = await web.get(link(Purpose.ASK, cast.bo.no, few.no))
    assert "said yes" not in main_of(page).replace("said yes to", "")
    assert "5 people said yes" in (await web.get(link(Purpose.ASK, cast.bo.no, many.no))).text


async def test_text_that_would_act_is_shown_as_the_signs_that_were_typed(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    hostile = "[here](javascript:alert(1)) {{ nobody }} <script>alert(1)</script>"
    ask = await opened(house, "Hostile", text={"en": hostile})
    page = await web.get(link(Purpose.ASK, cast.bo.no, ask.no))
    assert page.status_code == 200
    assert "[here](javascript:alert(1)) {{ nobody }} &lt;script&gt;" in page.text


async def test_an_ask_that_is_over_says_so_and_takes_no_yes(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link, facts: Facts
) -> None:
    ask = await closed(house, "Last year’s march")
    path = link(Purpose.ASK, cast.bo.no, ask.no)
    assert "This ask is over." in (await web.get(path)).text
    before = await facts()
    refused = await web.post(path, data={"answer": "yes"})
    assert (refused.status_code, "This ask is over." in refused.text) == (409, True)
    assert await facts() == before


async def test_an_ask_that_has_enough_people_says_so_before_the_tap_and_after_it_to_everybody(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link, facts: Facts
) -> None:
    ask = await opened(house, "One driver", capacity=1)
    await pledged(house, cast.bo, ask)
    web.cookies.set("language", "en")
    before = await facts()
    for who in (cast.bo, cast.gil):
        path = link(Purpose.ASK, who.no, ask.no)
        page = await web.get(path)
        assert "Enough people have said yes to this one." in page.text
        assert 'value="yes"' not in main_of(page)
        pressed = await web.post(path, data={"answer": "yes"})
        assert (pressed.status_code, "Enough people" in pressed.text) == (409, True)
    assert await facts() == before


async def test_a_draft_leads_nowhere(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    ask = await drafted(house)
    for purpose in (Purpose.ASK, Purpose.ASK_DONE, Purpose.ASK_HELP, Purpose.ASK_DECLINE):
        page = await web.get(link(purpose, cast.bo.no, ask.no))
        assert (page.status_code, NEUTRAL in page.text) == (404, True)


async def test_who_stands_too_low_is_told_which_level_it_takes(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    ask = await opened(house, "Lead a team", minimum_tier_no=cast.organiser.no)
    page = main_of(await web.get(link(Purpose.ASK, cast.bo.no, ask.no)))
    assert "This is for people on the level Organiser and above." in page
    refused = await web.post(link(Purpose.ASK, cast.bo.no, ask.no), data={"answer": "yes"})
    assert refused.status_code == 403
    assert "on the level Organiser and above" in refused.text
    assert await state_of(house, cast.bo, ask.no) is None


async def test_the_copy_that_is_safe_to_pass_on_shows_the_ask_without_anybodys_link(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await opened(house, "Bring a chair", minutes=10)
    async with house.work(door=Door.ADMIN) as work:
        campaign = await composing.begin(work, name="June")
        words = {"subject": "June", "headline": "June", "markdown": "Dear all."}
        await composing.revise(work, campaign, words={"en": words})
        blocks = await asking.blocks_of(work, [ask], ["en"])
        campaign.asked, campaign.ask_no = msgspec.to_builtins(blocks), ask.no
        campaign.state, campaign.started_at = CampaignState.SENT, work.now
    page = main_of(await web.get(f"/n/{campaign.slug}"))
    assert "The ask: 10 minutes" in page
    assert "Bring a chair" in page
    assert "/l/" not in page
    assert 'href="/join"' in page


# --- saying yes, and what follows -----------------------------------------------------------------


async def test_what_could_be_next_stands_straight_after_an_answer_and_not_in_its_letter_for_ever(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    ask = await opened(house, "Bring a chair")
    await opened(house, "Bring a table")
    async with house.work(door=Door.PAGE) as work:
        long_ago = make.later(work, hours=-1)
        await tiers.note_sign(work, cast.bo.no, SignKind.DONE, work.now)
        await tiers.note_sign(work, cast.bo.no, SignKind.DONE, work.now)
        pledge = await asks.pledge(long_ago, cast.bo, ask)
        change = await store.last_change(work, pledge.no)
        assert change
    page = main_of(await web.get(link(Purpose.UNDO_PLEDGE, cast.bo.no, change.no)))
    assert "We have your yes." in page
    assert "Bring a table" not in page
    assert "suit you" not in page


async def test_a_yes_is_noted_with_its_mail_told_in_a_letter_and_undone(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link, facts: Facts
) -> None:
    ask = await opened(house, "Bring a chair", needs_support=True)
    done = await web.post(link(Purpose.ASK, cast.bo.no, ask.no, cause=7), data={"answer": "yes"})
    found = await answer_of(house, cast.bo, ask.no)
    assert found
    assert (found.state, found.campaign_no, found.door) == (PledgeState.PLEDGED, 7, Door.EMAIL)
    letters = (await facts())["letter"]
    assert [kind for kind in ("pledge-receipt", "support-is-coming") if kind in str(letters)] == [
        "pledge-receipt",
        "support-is-coming",
    ]
    page = await web.get(done.headers["location"])
    assert "<title>Done. · Thank you. We have your yes." in page.text
    assert "An organiser gets in touch with you" in page.text

    undone = await web.post(done.headers["location"], data={"answer": "yes"}, follow_redirects=True)
    assert "Undone. All is as it was before." in undone.text
    assert 'value="yes"' not in main_of(undone)
    assert await state_of(house, cast.bo, ask.no) is PledgeState.WITHDRAWN


async def test_an_answer_that_was_followed_by_another_has_no_undo_any_more(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    who, change = await prepared(house, cast, "undo an answer")
    async with house.work(door=Door.PAGE) as work:
        [ask] = await store.open_asks(work)
        await asks.report_done(work, who, ask)
    path = link(Purpose.UNDO_PLEDGE, who.no, change)
    page = await web.get(path)
    assert "This was answered anew since." in page.text
    assert "Done" not in main_of(page)
    assert 'value="yes"' not in main_of(page)
    refused = await web.post(path, data={"answer": "yes"})
    assert (refused.status_code, "another answer since" in refused.text) == (409, True)


async def test_what_time_opened_again_is_nobodys_answer_to_undo(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    ask = await opened(house, "Each week", turn=Turn.REPEAT, repeat_days=7)
    async with house.work(door=Door.PAGE) as work:
        await asks.report_done(work, cast.bo, ask)
    async with house.work() as work:
        assert await open_again(make.later(work, days=8), ask) == 1
        pledge = await store.pledge_of(work, cast.bo.no, ask.no)
        assert pledge
        change = await store.last_change(work, pledge.no)
        assert change
    page = await web.get(link(Purpose.UNDO_PLEDGE, cast.bo.no, change.no))
    assert (page.status_code, NEUTRAL in page.text) == (404, True)
    path = link(Purpose.ASK, cast.bo.no, ask.no)
    said = await web.post(path, data={"answer": "yes"}, follow_redirects=True)
    assert "Thank you. We have your yes." in said.text, "to what is open again it is a new one"
    report = await web.get(link(Purpose.REPORT, cast.bo.no, pledge.no))
    assert "Did you do it?" in report.text


async def test_the_page_after_a_yes_offers_what_could_be_next(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    ask = await opened(house, "Bring a chair")
    await opened(house, "Bring a table", minutes=10)
    done = await web.post(
        link(Purpose.ASK, cast.bo.no, ask.no), data={"answer": "yes"}, follow_redirects=True
    )
    assert "Next, if you have 10 minutes" in done.text
    assert "Bring a table" in done.text


async def test_deeds_offer_a_step_and_move_nobody(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    ask = await opened(house, "Bring a chair")
    before = await level_of(house, cast.bo)
    async with house.work(door=Door.PAGE) as work:
        for _time in range(2):
            await tiers.note_sign(work, cast.bo.no, SignKind.DONE, work.now)
    done = await web.post(
        link(Purpose.ASK_DONE, cast.bo.no, ask.no), data={"answer": "yes"}, follow_redirects=True
    )
    assert "Would Activist suit you?" in done.text
    assert await level_of(house, cast.bo) == before
    step = re.search(r'href="(/l/[^"]+)"><svg[^§]*?Look at the level', main_of(done))
    assert step
    assert "Would Activist suit you?" in (await web.get(step[1])).text


# --- done, help, and not for me -------------------------------------------------------------------


async def test_done_is_two_taps_where_nothing_else_is_asked(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    ask = await opened(house, "Bring a chair")
    path = link(Purpose.ASK_DONE, cast.bo.no, ask.no)
    assert "<input" not in main_of(await web.get(path))
    done = await web.post(path, data={"answer": "yes"}, follow_redirects=True)
    assert "Done. Thank you." in done.text
    assert await state_of(house, cast.bo, ask.no) is PledgeState.DONE


async def test_what_was_typed_wrong_is_mended_on_the_same_page(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link, facts: Facts
) -> None:
    ask = await opened(
        house, "Recruit five", unit={"en": "people recruited"}, evidence=Evidence.VERIFIED
    )
    path = link(Purpose.ASK_DONE, cast.bo.no, ask.no)
    assert "How many? We count: people recruited" in (await web.get(path)).text
    before = await facts()
    typed = {"answer": "yes", "amount": "3", "link": "over there", "note": "It went well."}
    for wrong in ({}, {"amount": "many"}, {"amount": "0", "link": ""}):
        page = await web.post(path, data={**typed, **wrong})
        assert page.status_code == 422
        assert 'class="error"' in page.text
        assert "It went well." in page.text
    assert await facts() == before

    mended = {**typed, "link": "https://example.org/photo"}
    done = await web.post(path, data=mended, follow_redirects=True)
    assert "An organiser looks at it and confirms it." in done.text
    found = await answer_of(house, cast.bo, ask.no)
    assert found
    assert found.amount == 3
    async with house.work(reading=True) as work:
        assert asks.link_of(work, found) == "https://example.org/photo"


async def test_the_address_of_a_page_may_be_typed_as_people_say_it(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    ask = await opened(house, "Take a picture", evidence=Evidence.LINK)
    path = link(Purpose.ASK_DONE, cast.bo.no, ask.no)
    assert " novalidate" in main_of(await web.get(path)), "the browser would refuse it"
    await web.post(path, data={"answer": "yes", "link": "example.org/photo"})
    found = await answer_of(house, cast.bo, ask.no)
    assert found
    async with house.work(reading=True) as work:
        assert asks.link_of(work, found) == "https://example.org/photo"


async def test_the_words_of_who_needs_help_are_sealed(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link, facts: Facts
) -> None:
    ask = await opened(house, "Speak up")
    path = link(Purpose.ASK_HELP, cast.bo.no, ask.no)
    words = "My manager shouts at me."
    sent = await web.post(path, data={"answer": "yes", "words": words}, follow_redirects=True)
    assert "Help is on its way." in sent.text
    assert words not in sent.text
    assert words not in str(await facts())
    async with house.work(reading=True) as work:
        found = await store.pledge_of(work, cast.bo.no, ask.no)
        assert found
        assert (found.state, asks.note_of(work, found)) == (PledgeState.BLOCKED, words)


async def test_help_is_asked_for_without_a_word_too_and_not_with_too_many(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    ask = await opened(house, "Speak up")
    path = link(Purpose.ASK_HELP, cast.bo.no, ask.no)
    for length in (2001, 5000):
        long = await web.post(path, data={"answer": "yes", "words": "x" * length})
        assert (long.status_code, "This is too long" in long.text) == (422, True)
    assert await state_of(house, cast.bo, ask.no) is None
    await web.post(path, data={"answer": "yes"})
    assert await state_of(house, cast.bo, ask.no) is PledgeState.BLOCKED


async def test_not_for_me_is_left_alone_and_may_change_its_mind(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    ask = await opened(house, "Bring a chair")
    path = link(Purpose.ASK_DECLINE, cast.bo.no, ask.no)
    said = await web.post(path, data={"answer": "yes"}, follow_redirects=True)
    assert "We ask you no more about it." in said.text
    assert await state_of(house, cast.bo, ask.no) is PledgeState.DECLINED
    await web.post(link(Purpose.ASK, cast.bo.no, ask.no), data={"answer": "yes"})
    assert await state_of(house, cast.bo, ask.no) is PledgeState.PLEDGED


# --- how it went ----------------------------------------------------------------------------------

REPORTS: dict[str, tuple[dict[str, str], PledgeState, str]] = {
    "done": ({"answer": "yes"}, PledgeState.DONE, "Done. Thank you."),
    "not yet": ({"answer": "later"}, PledgeState.IN_PROGRESS, "Not yet, and that is fine."),
    "help": ({"answer": "help", "words": "How?"}, PledgeState.BLOCKED, "Help is on its way."),
    "not for me": ({"answer": "withdraw"}, PledgeState.WITHDRAWN, "Your yes is taken back."),
}


@pytest.mark.parametrize("answered", REPORTS)
async def test_each_answer_to_how_it_went_is_shown_and_undone(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link, answered: str
) -> None:
    sent, state, words = REPORTS[answered]
    ask = await opened(house, "Bring a chair")
    pledge = await pledged(house, cast.bo, ask)
    path = link(Purpose.REPORT, cast.bo.no, pledge.no)
    said = await web.post(path, data=sent)
    assert await state_of(house, cast.bo, ask.no) is state
    assert words in (await web.get(said.headers["location"])).text
    assert (await web.get(path)).status_code == 200

    await web.post(said.headers["location"], data={"answer": "yes"})
    assert await state_of(house, cast.bo, ask.no) is PledgeState.PLEDGED


async def test_not_yet_takes_another_day_and_mends_a_wrong_one(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    ask = await opened(house, "Bring a chair")
    pledge = await pledged(house, cast.bo, ask)
    path = link(Purpose.REPORT, cast.bo.no, pledge.no)
    async with house.work(reading=True) as work:
        today = work.now.date()
    assert f'value="{today + dt.timedelta(days=7)}"' in (await web.get(path)).text
    for wrong in ("yesterday", str(today - dt.timedelta(days=3)), "2999-01-01"):
        page = await web.post(path, data={"answer": "later", "until": wrong})
        assert (page.status_code, 'class="error"' in page.text) == (422, True)
    soon = today + dt.timedelta(days=20)
    await web.post(path, data={"answer": "later", "until": str(soon)})
    found = await answer_of(house, cast.bo, ask.no)
    assert found
    assert found.due_at
    assert found.due_at.date() == soon


async def test_a_habit_is_told_each_time(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    ask = await opened(house, "Wear the badge", turn=Turn.STANDING)
    async with house.work(door=Door.PAGE) as work:
        pledge = await asks.report_done(make.later(work, days=-2), cast.bo, ask)
    await web.post(link(Purpose.REPORT, cast.bo.no, pledge.no), data={"answer": "yes"})
    found = await answer_of(house, cast.bo, ask.no)
    assert found
    assert found.times == 2


async def test_whom_to_call_stands_beside_how_it_went(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    ask = await opened(house, "Bring a chair", **RISKY)
    pledge = await pledged(house, cast.bo, ask)
    assert "020 7946 0000" in (await web.get(link(Purpose.REPORT, cast.bo.no, pledge.no))).text


async def test_today_is_the_day_where_the_organisation_is(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    pledge = await pledged(house, cast.bo, await opened(house, "Bring a chair"))
    first_days = set()
    for name in ("Pacific/Kiritimati", "Pacific/Midway"):  # 14 hours ahead, 11 behind
        async with house.work(door=Door.ADMIN) as work:
            await ruling.set_hours(work, quiet_from="", quiet_until="", time_zone=name)
            today = work.now.astimezone(ZoneInfo(name)).date()
        page = (await web.get(link(Purpose.REPORT, cast.bo.no, pledge.no))).text
        assert f'min="{today}"' in page
        first_days.add(today)
    assert len(first_days) == 2


@pytest.mark.parametrize("purpose", [Purpose.REPORT, Purpose.UNDO_PLEDGE])
async def test_an_answer_of_somebody_else_is_not_shown(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link, purpose: Purpose
) -> None:
    pledge = await pledged(house, cast.bo, await opened(house, "Bring a chair"))
    async with house.work(reading=True) as work:
        change = await store.last_change(work, pledge.no)
        assert change
    subject = pledge.no if purpose is Purpose.REPORT else change.no
    assert NEUTRAL in (await web.get(link(purpose, cast.dana.no, subject))).text
    assert NEUTRAL in (await web.get(link(purpose, cast.bo.no, 987_654))).text


# --- links that have run out ----------------------------------------------------------------------


async def test_a_link_to_an_ask_that_has_run_out_is_sent_anew(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link, facts: Facts
) -> None:
    ask = await opened(house, "Bring a chair")
    path = link(Purpose.ASK, cast.bo.no, ask.no, ago=dt.timedelta(days=61))
    page = await web.get(path)
    assert page.status_code == 410
    assert "works for 60 days." in page.text
    for _time in range(3):
        sent = await web.post(f"{path}/private", data={"answer": "send"})
        assert (sent.status_code, sent.headers["location"]) == (303, "/my/sent")
    assert len([one for one in (await facts())["letter"] if "ask-link" in one]) == 1


async def test_where_the_ask_is_over_it_is_a_private_link(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link, facts: Facts
) -> None:
    ask = await closed(house, "Last year’s march")
    pledge_gone = link(Purpose.REPORT, cast.bo.no, 987_654, ago=dt.timedelta(days=61))
    for path in (link(Purpose.ASK, cast.bo.no, ask.no, ago=dt.timedelta(days=61)), pledge_gone):
        assert "works for 30 minutes." in (await web.get(path)).text
        await web.post(f"{path}/private", data={"answer": "send"})
    kinds = str((await facts())["letter"])
    assert ("ask-link" in kinds, "private-link" in kinds) == (False, True)


async def test_who_holds_an_old_question_about_an_alert_hears_that_it_is_over(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    who, alert = await prepared(house, cast, "I have read this")
    page = await web.get(link(Purpose.READ, who.no, alert, ago=dt.timedelta(days=61)))
    assert (page.status_code, "nobody waits for the answer any more" in page.text) == (410, True)
    assert "It opens your own page" in page.text


# --- I have read this -----------------------------------------------------------------------------


async def readers(house: House, no: int) -> int:
    async with house.work(reading=True) as work:
        found = await campaigns.by_no(work, no)
        assert found
        return found.readers


async def test_that_an_alert_was_read_is_said_once_counted_and_taken_back(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    who, alert = await prepared(house, cast, "I have read this")
    path = link(Purpose.READ, who.no, alert)
    assert "Have you read the urgent email?" in (await web.get(path)).text
    for _time in range(2):
        said = await web.post(path, data={"answer": "yes"}, follow_redirects=True)
        assert "Now we know that you have read it." in said.text
    assert await readers(house, alert) == 1
    await web.post(link(Purpose.READ, cast.gil.no, alert), data={"answer": "yes"})
    assert await readers(house, alert) == 2
    await web.post(path, data={"answer": "back"})
    await web.post(path, data={"answer": "back"})
    assert await readers(house, alert) == 1
    assert "Have you read the urgent email?" in (await web.get(path)).text
    async with house.work(reading=True) as work:
        assert (await activity.kinds(work, who.no))[-2:] == ["read", "read_taken_back"]
        told = [entry.words for entry in await record.entries(work, who.no)]
    assert "Said that they have read “Tonight”" in told


async def test_the_report_of_an_alert_counts_who_said_so(
    admin: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    async with house.work(door=Door.ADMIN) as work:
        alert = await composing.begin_alert(work, name="Tonight", why="It is tonight.")
        alert.state, alert.started_at = CampaignState.SENT, work.now
    await admin.post(link(Purpose.READ, cast.bo.no, alert.no), data={"answer": "yes"})
    page = (await admin.get(f"/admin/campaigns/{alert.uid}")).text
    assert re.search(r"<dt>Read</dt>\s*<dd[^>]*>\s*1\s*</dd>\s*<dd>said so themselves", page)


async def test_only_an_alert_is_asked_about(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link, facts: Facts
) -> None:
    async with house.work(door=Door.ADMIN) as work:
        newsletter = await composing.begin(work, name="June")
    before = await facts()
    path = link(Purpose.READ, cast.bo.no, newsletter.no)
    assert NEUTRAL in (await web.get(path)).text
    assert (await web.post(path, data={"answer": "yes"})).status_code == 404
    assert await facts() == before


async def test_nothing_of_an_answer_is_left_by_opening_pages(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    ask = await opened(house, "Bring a chair")
    purposes = (Purpose.ASK, Purpose.ASK_DONE, Purpose.ASK_HELP, Purpose.ASK_DECLINE)
    told: dict[str, Any] = {"answer": "", "words": "x", "amount": "2", "until": "2026-01-01"}
    for purpose in purposes:
        path = link(purpose, cast.bo.no, ask.no)
        await web.get(path)
        await web.post(path, data=told)
    async with house.work(reading=True) as work:
        assert await work.session.scalar(select(func.count()).select_from(Pledge)) == 0
