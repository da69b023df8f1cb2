"""One's own place: nothing private from a mail, all of it from a private link."""

import dataclasses
import datetime as dt
import re

import httpx
import pytest
from sqlalchemy import select

from mailer.asks import actions as asks
from mailer.bootstrap import House
from mailer.consent import actions as consent
from mailer.consent import private_links
from mailer.consent import store as consents
from mailer.kit.tokens import Purpose, Signer
from mailer.kit.work import Door, clock
from mailer.outbox.model import Letter
from mailer.subscribers import store as people
from mailer.tiers import store as ladder
from tests import makers as make
from tests.cast import Cast
from tests.support.asking import opened
from tests.support.standing import level_of
from tests.web.public.conftest import Facts, Link
from tests.web.public.situations import (
    address_of,
    goes_with,
    prepared,
    state_of,
    step_to,
)

pytestmark = pytest.mark.any_database


@pytest.fixture
def mailed(cast: Cast, link: Link) -> str:
    return link(Purpose.PREFERENCES, cast.bo.no, cause=7)


@pytest.fixture
def private(cast: Cast, link: Link) -> str:
    return link(Purpose.PRIVATE, cast.bo.no)


def my(private: str, what: str) -> str:
    return private.replace("/l/", "/my/") + f"/{what}"


async def private_letters(house: House) -> int:
    async with house.work(reading=True) as work:
        return len(
            (await work.session.scalars(select(Letter).filter_by(kind="private-link"))).all()
        )


# --- from a mail ---------------------------------------------------------------------------------


async def test_the_page_from_a_mail_shows_levels_and_nobody(
    web: httpx.AsyncClient, house: House, cast: Cast, mailed: str, facts: Facts
) -> None:
    async with house.work() as work:
        await step_to(work, cast.bo, "follower")
    before = await facts()
    page = await web.get(mailed)
    assert page.status_code == 200
    assert str(cast.bo.address) not in page.text
    assert not re.search(rf"\b{cast.bo.first_name}\b", page.text)
    assert "Not you?" in page.text
    assert await facts() == before

    up = re.search(
        r'href="(/l/[\w-]+)"[^>]*>(?:(?!</a>).)*Step up to Supporter', page.text, re.DOTALL
    )
    assert up
    assert "Step up to Supporter?" in (await web.get(up[1])).text


async def test_the_page_from_a_mail_lasts_as_long_as_the_mail(
    web: httpx.AsyncClient, cast: Cast, link: Link
) -> None:
    old = link(Purpose.PREFERENCES, cast.bo.no, ago=dt.timedelta(days=3650))
    assert (await web.get(old)).status_code == 200


async def test_each_button_of_the_page_from_a_mail_asks_once_more(
    web: httpx.AsyncClient, cast: Cast, mailed: str, facts: Facts
) -> None:
    before = await facts()
    page = (await web.get(mailed)).text
    links = set(re.findall(r'href="(/[lu]/[\w-]+)"', page))
    assert len(links) >= 5
    for path in links:
        assert (await web.get(path)).status_code == 200
    assert await facts() == before


async def test_a_private_link_is_sent_to_the_owner_and_only_there(
    web: httpx.AsyncClient, house: House, cast: Cast, mailed: str
) -> None:
    for _ in range(2):
        answer = await web.post(f"{mailed}/private", data={"answer": "send"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/my/sent")
    assert await private_letters(house) == 1
    assert (await web.get("/my/sent")).status_code == 200


async def test_the_newest_step_can_be_taken_back_for_thirty_days_from_the_own_page(
    web: httpx.AsyncClient, house: House, cast: Cast, private: str
) -> None:
    assert "Take the step back" not in (await web.get(private)).text
    await web.post(my(private, "level"), data={"level": "follower"})
    assert await level_of(house, cast.bo) == "follower"

    shown = (await web.get(private)).text
    [way] = re.findall(r'href="([^"]+)"(?:(?!</a>).)*Take the step back', shown, re.DOTALL)
    await web.post(way, data={"answer": "yes"})
    assert await level_of(house, cast.bo) == "supporter"
    assert "Take the step back" not in (await web.get(private)).text


async def test_a_private_link_is_not_sent_to_who_never_confirmed(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    await web.post(f"{link(Purpose.PREFERENCES, cast.dana.no)}/private", data={"answer": "send"})
    await web.post("/my", data={"address": cast.dana.address})
    assert await private_letters(house) == 0


async def test_ten_private_links_a_day_are_enough(house: House, cast: Cast) -> None:
    async with house.work() as work:
        for minutes in range(0, 600, 20):
            later = dataclasses.replace(work, now=work.now + dt.timedelta(minutes=minutes))
            await private_links.send(later, cast.bo)
    assert await private_letters(house) == private_links.MOST_A_DAY


async def test_a_typed_address_gets_the_same_answer_on_the_roll_or_not(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    answers = [
        await web.post("/my", data={"address": address})
        for address in (cast.bo.address, "nobody@example.net", cast.chidi.address)
    ]
    assert {(one.status_code, one.headers["location"], one.text) for one in answers} == {
        (303, "/my/sent", answers[0].text)
    }
    assert await private_letters(house) == 2


async def test_a_mistyped_address_is_named_and_kept(web: httpx.AsyncClient, cast: Cast) -> None:
    page = await web.post("/my", data={"address": "bo"})
    assert page.status_code == 422
    assert 'value="bo"' in page.text
    assert page.text.count("An email address has two parts") == 2


# --- from a private link -------------------------------------------------------------------------


async def test_a_private_link_shows_a_person_to_themselves(
    web: httpx.AsyncClient, cast: Cast, private: str, facts: Facts
) -> None:
    before = await facts()
    page = await web.get(private)
    assert page.status_code == 200
    assert str(cast.bo.address) in page.text
    assert cast.bo.first_name in page.text
    assert "All we hold about you" in page.text
    assert await facts() == before


async def test_a_private_link_closes_after_half_an_hour(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link, facts: Facts
) -> None:
    late = link(Purpose.PRIVATE, cast.bo.no, ago=dt.timedelta(minutes=32))
    before = await facts()
    for page in (
        await web.get(late),
        await web.post(my(late, "details"), data={"first_name": "X", "language": "en"}),
    ):
        assert page.status_code == 410
        assert str(cast.bo.address) not in page.text
    assert await facts() == before


async def test_the_buttons_of_the_private_page_act_at_once(
    web: httpx.AsyncClient, house: House, cast: Cast, private: str
) -> None:
    await web.post(my(private, "level"), data={"level": "follower"})
    assert await level_of(house, cast.bo) == "follower"
    page = await web.post(my(private, "level"), data={"level": "supporter"}, follow_redirects=True)
    assert "<title>Your level is now Supporter." in page.text
    assert await level_of(house, cast.bo) == "supporter"

    await web.post(my(private, "break"), data={"answer": "begin"})
    assert await state_of(house, cast.bo) == "paused"
    assert "Start again now" in (await web.get(private)).text
    await web.post(my(private, "break"), data={"answer": "over"})
    assert await state_of(house, cast.bo) == "active"


async def test_a_wish_is_shown_and_can_be_taken_back(
    web: httpx.AsyncClient, house: House, cast: Cast, private: str
) -> None:
    page = await web.post(my(private, "level"), data={"level": "activist"}, follow_redirects=True)
    assert "You have asked for the level Activist." in page.text
    page = await web.post(my(private, "wish"), data={"answer": "withdraw"}, follow_redirects=True)
    assert "Your wish is taken back." in page.text
    async with house.work(reading=True) as work:
        assert await ladder.standing_request(work, cast.bo.no) is None


async def test_lists_are_left_at_once_and_joined_by_a_letter(
    web: httpx.AsyncClient, house: House, cast: Cast, private: str
) -> None:
    async with house.work() as work:
        alerts = await consent.open_list(
            work,
            name={"en": "Action alerts"},
            about={"en": "When it is urgent."},
            consent_text={"en": "Yes, %(organisation)s may alert me."},
            is_public=True,
        )
    page = (await web.get(private)).text
    assert "may alert me." in page
    shown = re.search(
        r'value="action-alerts"><input type="hidden" name="shown" value="(\w+)"', page
    )
    assert shown
    form = {"list": "action-alerts", "on": "yes", "shown": shown[1]}

    stale = await web.post(my(private, "lists"), data={**form, "shown": "other"})
    assert stale.status_code == 422
    asked = await web.post(my(private, "lists"), data=form, follow_redirects=True)
    assert "We have sent you an email to confirm the list Action alerts." in asked.text
    left = await web.post(
        my(private, "lists"), data={"list": "bulletin", "on": "no"}, follow_redirects=True
    )
    assert "You are off the list Bulletin." in left.text
    async with house.work(reading=True) as work:
        standing = {
            one.list_no: one.state.value
            for one in await consents.subscriptions_of(work, cast.bo.no)
        }
    assert standing.pop(alerts.no) == "unconfirmed"
    assert set(standing.values()) == {"unsubscribed"}


async def test_the_lists_that_go_with_ones_level_are_marked_and_chosen_by_nobody_else(
    web: httpx.AsyncClient, house: House, cast: Cast, private: str
) -> None:
    mark = "Goes well with your level"
    assert mark not in (await web.get(private)).text
    async with house.work() as work:
        alerts = await make.mailing_list(work)
        await goes_with(work, "supporter", alerts.no)

    page = (await web.get(private)).text

    [other, marked] = page.partition('id="lists"')[2].partition("</ul>")[0].split("</li>")[:2]
    assert "Bulletin" in other
    assert mark not in other
    assert "Action alerts" in marked
    assert mark in marked
    assert "Yes, add this list" in marked
    async with house.work() as work:
        await step_to(work, cast.bo, "follower")
        assert await consents.subscription(work, cast.bo.no, alerts.no) is None
    assert mark not in (await web.get(private)).text


async def test_details_and_language_are_saved(
    web: httpx.AsyncClient, house: House, cast: Cast, private: str
) -> None:
    page = await web.post(
        my(private, "details"),
        data={
            "answer": "save",
            "first_name": "Boris <b>",
            "last_name": "",
            "city": "Leeds",
            "language": "fr",
        },
        follow_redirects=True,
    )
    assert "Boris &lt;b&gt;" in page.text
    async with house.work(reading=True) as work:
        bo = await people.by_no(work, cast.bo.no)
        assert bo
        assert (bo.first_name, bo.city, bo.language) == ("Boris <b>", "Leeds", "fr")
    assert '<html lang="fr"' in page.text  # the pages of one's links speak one's own language


async def test_a_mistake_on_the_private_page_is_named_and_kept(
    web: httpx.AsyncClient, cast: Cast, private: str, facts: Facts
) -> None:
    before = await facts()
    form = {"first_name": "B" * 121, "last_name": "", "city": "York", "language": "en"}
    page = await web.post(my(private, "details"), data={**form, "answer": "save"})
    assert page.status_code == 422
    assert "This is too long" in page.text
    assert 'value="York"' in page.text
    page = await web.post(my(private, "address"), data={"address": "bo@", "answer": "save"})
    assert page.status_code == 422
    assert 'value="bo@"' in page.text
    assert await facts() == before


async def test_an_address_is_changed_only_from_the_new_one(
    web: httpx.AsyncClient, house: House, cast: Cast, private: str
) -> None:
    old = cast.bo.address
    page = await web.post(
        my(private, "address"),
        data={"address": "bo.new@example.net", "answer": "save"},
        follow_redirects=True,
    )
    assert "We have written to the new address." in page.text
    assert await address_of(house, cast.bo) == old


@pytest.mark.parametrize("what", ["level", "wish", "lists", "details", "address", "break"])
async def test_a_form_of_the_private_page_without_a_choice_changes_nothing(
    web: httpx.AsyncClient, cast: Cast, private: str, facts: Facts, what: str
) -> None:
    before = await facts()
    page = await web.post(my(private, what), data={})
    assert page.status_code in {303, 422}
    assert await facts() == before


async def test_the_way_out_is_on_both_pages(
    web: httpx.AsyncClient, house: House, cast: Cast, mailed: str, private: str
) -> None:
    for path in (mailed, private):
        way_out = re.search(r'href="(/u/[\w-]+)"', (await web.get(path)).text)
        assert way_out
        assert "Stop all emails?" in (await web.get(way_out[1])).text


# --- what one said yes to -------------------------------------------------------------------------


async def test_who_said_yes_to_nothing_sees_that_and_what_could_be_next(
    web: httpx.AsyncClient, house: House, private: str
) -> None:
    await opened(house, "Bring a chair", minutes=10)
    page = (await web.get(private)).text
    assert "Nothing is open." in page
    assert "Next, if you have 10 minutes" in page
    assert "How did it go?" not in page


async def test_what_one_said_yes_to_is_told_reported_and_undone_from_there(
    web: httpx.AsyncClient, house: House, cast: Cast, private: str
) -> None:
    chair, table, song, lamp = [
        await opened(house, title) for title in ("A chair", "A table", "A song", "A lamp")
    ]
    async with house.work(door=Door.PAGE) as work:
        await asks.pledge(work, cast.bo, chair)
        await asks.report_done(work, cast.bo, table)
        await asks.decline(work, cast.bo, song)
        await asks.pledge(make.later(work, days=-40), cast.bo, lamp)
    page = (await web.get(private)).text
    section = page.partition('id="asks"')[2].partition("</section>")[0]
    to_do, done, left_out = section.split("<details>")
    assert ("A chair" in to_do, "A table" in done, "A song" in left_out) == (True, True, True)
    assert done.count("How did it go?") == 0
    link_to = r'href="(/l/[^"]+)">(?:<svg[^§]*?</svg>)?<span>'
    undo = re.findall(link_to + r'Undo<span class="vh"> ([^<]+)', to_do)
    assert [title for _path, title in undo] == ["A chair"]  # for the lamp it is too late

    report = re.search(link_to + r'How did it go\?<span class="vh"> A lamp', to_do)
    assert report
    await web.post(report[1], data={"answer": "yes"})
    await web.post(undo[0][0], data={"answer": "yes"})
    section = (await web.get(private)).text.partition('id="asks"')[2].partition("</section>")[0]
    assert "Nothing is open." in section
    assert "2 done" in section


async def test_what_the_private_page_leads_to_runs_out_with_it(
    web: httpx.AsyncClient, house: House, cast: Cast, private: str
) -> None:
    ask = await opened(house, "Bring a chair")
    async with house.work(door=Door.PAGE) as work:
        await asks.pledge(work, cast.bo, ask)
    page = (await web.get(private)).text
    signer = Signer(house.keys)
    tokens = set(re.findall(r'href="/[lu]/([A-Za-z0-9_-]+)"', page))
    ends = {signer.read(one, *Purpose, now=clock()).expires_at for one in tokens}
    assert len(tokens) > 3
    own = signer.read(private.rpartition("/")[2], Purpose.PRIVATE, now=clock()).expires_at
    assert ends == {own}


async def test_the_question_whether_somebody_stays_waits_on_their_page(
    web: httpx.AsyncClient, house: House, cast: Cast, private: str
) -> None:
    assert "Still with us?" not in (await web.get(private)).text
    await prepared(house, cast, "stay")
    page = (await web.get(private)).text
    answer = re.search(r'Still with us\?[^§]*?href="(/l/[^"]+)"', page)
    assert answer
    await web.post(answer[1], data={"answer": "yes"})
    assert "Still with us?" not in (await web.get(private)).text
