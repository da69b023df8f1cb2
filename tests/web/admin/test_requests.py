"""Requests for a level, and their answers."""

import httpx
import pytest

from mailer.bootstrap import House
from mailer.campaigns import composing
from mailer.kit.work import Door
from mailer.outbox import store as outbox
from mailer.tiers import actions as tiers
from mailer.tiers import store as ladder
from mailer.tiers.model import SignKind, TierRequest
from tests.cast import Cast
from tests.support.asking import opened
from tests.support.signing_in import post, signed_in
from tests.support.standing import level_of
from tests.support.tables import cells

pytestmark = pytest.mark.any_database


@pytest.fixture
async def wish(cast: Cast, house: House) -> TierRequest:
    """Bo asks to be an organiser."""
    async with house.work() as work:
        return await tiers.wish(work, cast.bo, cast.organiser)


async def answered(
    client: httpx.AsyncClient, wish: TierRequest, said: str, reason: str = ""
) -> httpx.Response:
    return await post(
        client,
        f"/admin/requests/{wish.uid}",
        {"answer": said, "reason": reason},
        page="/admin/requests",
    )


async def test_who_waits_is_named_with_where_they_stand(
    admin: httpx.AsyncClient, wish: TierRequest
) -> None:
    shown = (await admin.get("/admin/requests")).text
    for words in (
        "One person waits.",
        "Bo wants to be Organiser",
        "Today: Supporter.",
        "In Northgate Transport Branch.",
    ):
        assert words in shown


async def test_what_led_to_a_wish_is_named(
    admin: httpx.AsyncClient, house: House, cast: Cast, wish: TierRequest
) -> None:
    chair = await opened(house, "Bring a chair")
    async with house.work(door=Door.ADMIN) as work:
        june = await composing.begin(work, name="June bulletin")
    async with house.work(door=Door.EMAIL) as work:
        await tiers.note_sign(work, cast.gil.no, SignKind.DONE, work.now, ask_no=chair.no)
        asked = await ladder.standing_request(work, cast.bo.no)
        assert asked is not None
        asked.campaign_no = june.no

    shown = (await admin.get("/admin/requests")).text

    assert "After the newsletter “June bulletin”." in shown
    assert cells(shown, cast.gil.first_name, "Why") == ["After the ask “Bring a chair”."]


async def test_nobody_waits(admin: httpx.AsyncClient) -> None:
    assert "Nobody waits" in (await admin.get("/admin/requests")).text


async def test_granting_moves_them_and_they_are_told(
    admin: httpx.AsyncClient, cast: Cast, house: House, wish: TierRequest
) -> None:
    answer = await answered(admin, wish, "grant", "See you on Tuesday.")
    shown = await admin.get(answer.headers["location"])
    assert "Granted." in shown.text
    assert "Nobody waits" in shown.text
    assert await level_of(house, cast.bo) == "organiser"
    async with house.work(reading=True) as work:
        kinds = [letter.kind for letter in await outbox.letters_to(work, cast.bo.no)]
        assert "tier-request-answered" in kinds


async def test_declining_leaves_them_where_they_stand(
    admin: httpx.AsyncClient, cast: Cast, house: House, wish: TierRequest
) -> None:
    answer = await answered(admin, wish, "decline", "Let us meet first.")
    assert "Declined." in (await admin.get(answer.headers["location"])).text
    assert await level_of(house, cast.bo) == "supporter"


@pytest.mark.parametrize("said", ["", "perhaps"])
async def test_without_a_named_button_nothing_is_answered(
    admin: httpx.AsyncClient, cast: Cast, house: House, wish: TierRequest, said: str
) -> None:
    answer = await answered(admin, wish, said)
    assert "Nothing has changed." in (await admin.get(answer.headers["location"])).text
    assert "Bo wants to be Organiser" in (await admin.get("/admin/requests")).text


async def test_a_word_that_is_too_long_is_kept_and_said(
    admin: httpx.AsyncClient, wish: TierRequest
) -> None:
    answer = await answered(admin, wish, "decline", "x" * 301)
    assert answer.status_code == 422
    assert "x" * 301 in answer.text
    assert f'href="#reason-{wish.uid}"' in answer.text


async def test_an_answer_is_given_once(
    admin: httpx.AsyncClient, cast: Cast, house: House, wish: TierRequest
) -> None:
    path = f"/admin/requests/{wish.uid}"
    await answered(admin, wish, "grant")
    again = await post(admin, path, {"answer": "grant"}, page="/admin/groups")
    assert again.status_code == 303
    other = await post(admin, path, {"answer": "decline"}, page="/admin/groups")
    assert "answered already" in (await admin.get(other.headers["location"])).text
    assert await level_of(house, cast.bo) == "organiser"


async def test_a_group_organiser_answers_only_their_own(
    web: httpx.AsyncClient, cast: Cast, house: House, wish: TierRequest
) -> None:
    await signed_in(web, house, cast.farid)
    assert "Nobody waits" in (await web.get("/admin/requests")).text
    answer = await post(
        web, f"/admin/requests/{wish.uid}", {"answer": "grant"}, page="/admin/people/new"
    )
    assert answer.status_code == 404
    assert await level_of(house, cast.bo) == "supporter"


async def test_an_answer_is_taken_back_and_the_request_waits_again(
    admin: httpx.AsyncClient, cast: Cast, house: House, wish: TierRequest
) -> None:
    await answered(admin, wish, "grant", "See you on Tuesday.")
    shown = (await admin.get("/admin/requests")).text
    assert "Answered of late" in shown
    back = f"/admin/requests/{wish.uid}/undo"

    await post(admin, back, {}, page="/admin/requests")
    assert await level_of(house, cast.bo) == "organiser", "without its button nothing happens"
    answer = await post(admin, back, {"answer": "back"}, page="/admin/requests")

    assert "The request waits again" in (await admin.get(answer.headers["location"])).text
    assert await level_of(house, cast.bo) == "supporter"
    assert "Bo wants to be Organiser" in (await admin.get("/admin/requests")).text


async def test_who_is_ready_to_step_up_is_shown(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    async with house.work() as work:
        await tiers.note_sign(work, cast.gil.no, SignKind.DONE, work.now)
    shown = (await admin.get("/admin/requests")).text
    assert "Ready to step up" in shown
    assert f'href="/admin/people/{cast.gil.uid}"' in shown
