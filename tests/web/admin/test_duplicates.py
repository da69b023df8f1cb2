"""The pages of pairs: looking, making one of two, keeping two apart, and taking it back."""

import re

import httpx
import pytest

from mailer.bootstrap import House
from mailer.records.pairs import store as pairs
from mailer.subscribers import store as people
from mailer.subscribers.model import Subscriber
from tests import makers as make
from tests.cast import Cast
from tests.support.signing_in import post, signed_in

pytestmark = pytest.mark.any_database

PAGE = "/admin/duplicates"


@pytest.fixture
async def twin(house: House, cast: Cast) -> Subscriber:
    """Put Bo on the roll a second time."""
    async with house.work() as work:
        return await make.person(work, "bo+news@example.org", first_name="Bobo", tier=cast.activist)


def between(cast: Cast, twin: Subscriber) -> str:
    return f"{PAGE}/{cast.bo.uid}/{twin.uid}"


async def after(client: httpx.AsyncClient, answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    return (await client.get(answer.headers["location"])).text


async def test_pairs_are_shown_with_the_reason(
    admin: httpx.AsyncClient, cast: Cast, twin: Subscriber
) -> None:
    shown = (await admin.get(PAGE)).text

    assert "One mailbox, written in two ways" in shown
    assert "bo@example.org" in shown
    assert f'href="{between(cast, twin)}"' in shown


async def test_nobody_twice_is_said_so(admin: httpx.AsyncClient, cast: Cast) -> None:
    assert "Nobody seems to be twice here" in (await admin.get(PAGE)).text
    assert "Nobody seems to be twice here" in (await admin.get(f"{PAGE}?below=2")).text


async def test_two_are_shown_side_by_side_and_made_one(
    admin: httpx.AsyncClient, house: House, cast: Cast, twin: Subscriber
) -> None:
    at = between(cast, twin)
    shown = (await admin.get(at)).text
    assert "Stays: Bo" in shown
    assert "Bulletin (confirmed)" in shown
    assert "Activist" in shown

    said = {"answer": "one", "take-name": "other", "take-address": "kept", "take-level": "kept"}
    shown = await after(admin, await post(admin, at, said))

    assert "They are one now." in shown
    assert "<h1>Bobo</h1>" in shown
    assert "Two entries were made one" in shown
    assert "They are also known by bo+news@example.org." in shown
    answer = await admin.get(f"/admin/people/{twin.uid}")
    assert answer.headers["location"] == f"/admin/people/{cast.bo.uid}"
    assert (await admin.get(at)).headers["location"] == f"/admin/people/{cast.bo.uid}"


async def test_a_merge_is_undone_from_the_timeline(
    admin: httpx.AsyncClient, house: House, cast: Cast, twin: Subscriber
) -> None:
    shown = await after(admin, await post(admin, between(cast, twin), {"answer": "one"}))
    no = re.search(
        r'name="what" value="merging"><input type="hidden" name="no" value="(\d+)"', shown
    )
    assert no
    at = f"/admin/people/{cast.bo.uid}"

    for who, said in ((cast.gil, "nothing here that could be made two"), (cast.bo, "Undone.")):
        here = f"/admin/people/{who.uid}"
        answer = await post(admin, f"{here}/undo", {"what": "merging", "no": no[1]}, page=at)
        assert said in await after(admin, answer)

    async with house.work(reading=True) as work:
        found = await people.by_address(work, "bo+news@example.org")
        assert found is not None
        assert found.no == twin.no


async def test_two_people_are_not_suggested_again(
    admin: httpx.AsyncClient, house: House, cast: Cast, twin: Subscriber
) -> None:
    at = between(cast, twin)
    assert "Nothing has changed." in await after(admin, await post(admin, at, {"answer": "no"}))

    shown = await after(admin, await post(admin, at, {"answer": "two"}, page=PAGE))

    assert "They are two, and are not suggested again." in shown
    async with house.work(reading=True) as work:
        assert (await pairs.suggest(work)).pairs == []


async def test_somebody_is_asked_for_by_their_other_address(
    admin: httpx.AsyncClient, cast: Cast, twin: Subscriber
) -> None:
    at = f"/admin/people/{cast.bo.uid}/merging"
    assert "Is Bo on the roll twice?" in (await admin.get(at)).text

    found = await admin.get(at, params={"other": " BO+news@example.org"})
    assert found.headers["location"] == between(cast, twin)
    for typed, said in (
        ("nobody@example.org", "Nobody on the roll has this address."),
        ("bo@example.org", "one and the same entry"),
        ("bo", "two parts with an @"),
    ):
        answer = await admin.get(at, params={"other": typed})
        assert answer.status_code == 422
        assert said in answer.text


async def test_who_looks_after_some_makes_nobody_one(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await signed_in(web, house, cast.farid)

    assert (await web.get(PAGE)).status_code == 403
    assert (await web.get(f"/admin/people/{cast.gil.uid}/merging")).status_code == 403
    assert (await web.get(f"{PAGE}/{cast.gil.uid}/{cast.bo.uid}")).status_code == 403
    assert "On the roll twice" not in (await web.get(f"/admin/people/{cast.gil.uid}")).text
