"""Leaving: at once for a mail provider, after one question for a person, and it can be undone."""

import datetime as dt

import httpx
import pytest

from mailer.bootstrap import House
from mailer.consent import actions as consent
from mailer.consent import store as consents
from mailer.kit.links import NOBODY, Links
from mailer.kit.tokens import Purpose, Signer
from mailer.kit.work import clock
from tests.cast import Cast
from tests.support.standing import level_of
from tests.web.public.conftest import Facts, Link
from tests.web.public.situations import bulletin, state_of

pytestmark = pytest.mark.any_database

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
# How a provider's server comes: from anywhere, without cookies, with no page of ours behind it.
ELSEWHERE = {"origin": "https://mail.example", "sec-fetch-site": "cross-site"}


@pytest.fixture
async def path(house: House, cast: Cast, link: Link) -> str:
    async with house.work(reading=True) as work:
        return link(Purpose.UNSUBSCRIBE, cast.bo.no, (await bulletin(work)).no, cause=7)


async def another_list(house: House, cast: Cast) -> int:
    """Put Bo on a second list."""
    async with house.work() as work:
        alerts = await consent.open_list(
            work,
            name={"en": "Action alerts"},
            about={},
            consent_text={"en": "Yes."},
            is_public=True,
        )
        await consent.agree_many(work, [cast.bo.no], alerts, wording="Yes.", language="en")
        return alerts.no


# --- one click -----------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["urlencoded", "multipart"])
async def test_one_click_leaves_at_once(
    web: httpx.AsyncClient, house: House, cast: Cast, path: str, encoding: str
) -> None:
    sent = (
        {"data": ONE_CLICK}
        if encoding == "urlencoded"
        else {"files": {name: (None, value) for name, value in ONE_CLICK.items()}}
    )
    answer = await web.post(path, headers=ELSEWHERE, **sent)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "set-cookie" not in answer.headers
    assert "location" not in answer.headers
    assert await state_of(house, cast.bo) == "unsubscribed"


async def test_one_click_twice_is_one_leaving_with_one_notice(
    web: httpx.AsyncClient, cast: Cast, path: str, facts: Facts
) -> None:
    first = await web.post(path, data=ONE_CLICK)
    after = await facts()
    second = await web.post(path, data=ONE_CLICK)
    assert (second.status_code, second.text) == (first.status_code, first.text)
    assert await facts() == after
    notices = [one for one in after["letter"] if "'unsubscribed:" in one]
    assert len(notices) == 2  # Bo's, and Chidi's of long ago


async def test_one_click_works_for_years(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    async with house.work(reading=True) as work:
        no = (await bulletin(work)).no
    old = link(Purpose.UNSUBSCRIBE, cast.bo.no, no, ago=dt.timedelta(days=3650))
    assert (await web.get(old)).status_code == 200
    assert (await web.post(old, data=ONE_CLICK)).status_code == 200
    assert await state_of(house, cast.bo) == "unsubscribed"


async def test_one_click_remembers_the_campaign(
    web: httpx.AsyncClient, cast: Cast, path: str, facts: Facts
) -> None:
    await web.post(path, data=ONE_CLICK)
    [line] = [one for one in (await facts())["activity"] if "'campaign': 7" in one]
    assert "'unsubscribed'" in line


@pytest.mark.parametrize("who", [987_654, NOBODY])
async def test_one_click_for_somebody_who_is_gone_is_done_already(
    web: httpx.AsyncClient, cast: Cast, link: Link, facts: Facts, who: int
) -> None:
    before = await facts()
    answer = await web.post(link(Purpose.UNSUBSCRIBE, who, 1), data=ONE_CLICK)
    assert (answer.status_code, answer.text) == (200, "You get no more of these emails.")
    assert await facts() == before


async def test_one_click_with_a_forged_link_does_nothing(
    web: httpx.AsyncClient, cast: Cast, path: str, facts: Facts
) -> None:
    before = await facts()
    forged = path[:-2] + ("AA" if path[-2:] != "AA" else "BB")
    answer = await web.post(forged, data=ONE_CLICK)
    assert (answer.status_code, answer.headers["content-type"][:10]) == (404, "text/plain")
    assert await facts() == before


async def test_one_click_with_a_link_of_a_page_that_has_run_out_does_nothing(
    web: httpx.AsyncClient, house: House, cast: Cast, facts: Facts
) -> None:
    earlier = clock() - dt.timedelta(hours=1)
    links = Links("", Signer(house.keys), earlier)
    path = links.to(Purpose.UNSUBSCRIBE, cast.bo.no, until=earlier + dt.timedelta(minutes=30))
    before = await facts()
    said = await web.post(path, data=ONE_CLICK)
    assert (said.status_code, "run out" in said.text) == (404, True)
    assert await facts() == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"List-Unsubscribe",
        b"List-Unsubscribe=one-click",
        b"List-Unsubscribe=One-Click&List-Unsubscribe=One-Click",
        b"List-Unsubscribe=One-Click&answer=no",
        b"\xff\xfe",
    ],
)
async def test_any_other_post_asks(
    web: httpx.AsyncClient, cast: Cast, path: str, facts: Facts, body: bytes
) -> None:
    before = await facts()
    page = await web.post(
        path, content=body, headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert page.status_code == 200
    assert 'name="answer" value="no"' in page.text
    assert await facts() == before


# --- the page ------------------------------------------------------------------------------------


async def test_leaving_is_one_question_and_can_be_undone(
    web: httpx.AsyncClient, house: House, cast: Cast, path: str
) -> None:
    assert "Stop all emails?" in (await web.get(path)).text
    left = await web.post(path, data={"answer": "yes"})
    page = await web.get(left.headers["location"])
    assert "<title>Done. · You are off the list." in page.text
    assert await state_of(house, cast.bo) == "unsubscribed"

    back = await web.post(left.headers["location"], data={"answer": "yes"}, follow_redirects=True)
    assert "<title>Done. · You are back on the list." in back.text
    assert await state_of(house, cast.bo) == "active"


async def test_somebody_on_several_lists_may_leave_one_or_all(
    web: httpx.AsyncClient, house: House, cast: Cast, path: str
) -> None:
    alerts = await another_list(house, cast)
    question = (await web.get(path)).text
    assert "Leave the list Bulletin?" in question
    assert 'value="all"' in question

    left = await web.post(path, data={"answer": "yes"}, follow_redirects=True)
    assert "no email of Bulletin comes" in left.text
    async with house.work(reading=True) as work:
        standing = await consents.subscriptions_of(work, cast.bo.no)
        assert {one.list_no: one.state.value for one in standing}[alerts] == "confirmed"

    question = (await web.get(path)).text  # of this list there is nothing left to leave
    assert "Stop all emails?" in question
    await web.post(path, data={"answer": "all"})
    assert await state_of(house, cast.bo) == "unsubscribed"


async def test_an_old_mail_does_not_put_back_who_has_left(
    web: httpx.AsyncClient, house: House, cast: Cast, path: str
) -> None:
    await web.post(path, data={"answer": "yes"})
    page = (await web.get(path)).text
    assert "You are off the list." in page
    assert "put me back" not in page  # that stands in the letter, which only its reader has
    for answer in ("yes", "all", "pause", "lowest", "urgent"):
        await web.post(path, data={"answer": answer})
        assert await state_of(house, cast.bo) == "unsubscribed"


async def test_fewer_emails_instead_of_none(
    web: httpx.AsyncClient, house: House, cast: Cast, path: str
) -> None:
    left = await web.post(path, data={"answer": "yes"})
    fewer = await web.post(left.headers["location"], data={"answer": "lowest"})
    assert await state_of(house, cast.bo) == "active"
    assert await level_of(house, cast.bo) == "follower"

    assert "Your level is now Follower." in (await web.get(fewer.headers["location"])).text
    undone = await web.post(
        fewer.headers["location"], data={"answer": "yes"}, follow_redirects=True
    )
    assert "Your level is Supporter again." in undone.text
    assert await state_of(house, cast.bo) == "active"
    assert await level_of(house, cast.bo) == "supporter"


async def test_only_what_is_urgent_instead_of_leaving(
    web: httpx.AsyncClient, house: House, cast: Cast, path: str
) -> None:
    alerts = await another_list(house, cast)
    left = await web.post(path, data={"answer": "all"})
    assert "Only when urgent" in (await web.get(left.headers["location"])).text
    page = await web.post(
        left.headers["location"], data={"answer": "urgent"}, follow_redirects=True
    )
    assert "You are back on the list." in page.text
    assert "You get only what is urgent" in page.text
    assert "All is as it was before" not in page.text
    assert await state_of(house, cast.bo) == "active"
    async with house.work(reading=True) as work:
        only = {one.list_no for one in await consents.only_urgent_of(work, cast.bo.no)}
    assert only == {cast.bulletin.no, alerts}


async def test_a_pause_instead_of_leaving(
    web: httpx.AsyncClient, house: House, cast: Cast, path: str
) -> None:
    left = await web.post(path, data={"answer": "yes"})
    page = await web.post(left.headers["location"], data={"answer": "pause"}, follow_redirects=True)
    assert "We are quiet until" in page.text
    assert await state_of(house, cast.bo) == "paused"


async def test_who_never_agreed_has_nothing_to_leave(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    await web.post(link(Purpose.UNSUBSCRIBE, cast.dana.no), data=ONE_CLICK)
    async with house.work() as work:
        records = [one.given for one in await consents.records_of(work, cast.dana.no)]
    assert True not in records
    page = await web.get(link(Purpose.UNSUBSCRIBE, cast.dana.no))
    assert page.status_code == 200
