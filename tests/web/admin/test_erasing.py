"""Erasing somebody as an organiser does it, and who looked at whom."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select, update

from mailer.accounts.model import Role
from mailer.bootstrap import House
from mailer.kit.work import Door
from mailer.records import looking
from mailer.records.model import Look
from mailer.subscribers import store as people
from mailer.subscribers.actions import add
from tests.cast import Cast
from tests.support.dumps import everything
from tests.support.signing_in import CSRF, signed_in

pytestmark = pytest.mark.any_database

YES = {
    "answer": "yes",
    "ground": "asked",
    "remains": "mark",
    "typed": " BO@example.org ",
}
TRACES = ("session", "sign_in_try", "audit_line", "look")


def here(cast: Cast) -> str:
    return f"/admin/people/{cast.bo.uid}"


async def send(client: httpx.AsyncClient, path: str, **form: str) -> httpx.Response:
    found = CSRF.search((await client.get("/admin")).text)
    assert found
    return await client.post(path, data={"csrf": found[1], **form})


async def is_erased(house: House, no: int) -> bool:
    async with house.work(reading=True) as work:
        person = await people.by_no(work, no)
        return person is not None and person.erased_at is not None


async def test_the_page_of_a_person_leads_to_a_question(
    admin: httpx.AsyncClient, cast: Cast
) -> None:
    assert f'href="{here(cast)}/erasure"' in (await admin.get(here(cast))).text
    page = (await admin.get(f"{here(cast)}/erasure")).text

    assert "Nobody can undo it" in page
    assert "bo@example.org" in page
    assert page.index("No, change nothing") < page.index("Yes, erase for good")


async def test_yes_with_a_reason_and_the_address_erases(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    done = await send(admin, f"{here(cast)}/erasure", **YES)

    assert (done.status_code, done.headers["location"]) == (303, "/admin/people")
    assert await is_erased(house, cast.bo.no)
    assert (await admin.get(here(cast))).status_code == 404
    record = (await admin.get("/admin/record")).text
    assert "Erased somebody for good: They asked for it" in record
    assert "bo@example.org" not in (await admin.get("/admin/people")).text


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"typed": "gil@example.org"}, "This is not what stands above."),
        ({"typed": ""}, "This is not what stands above."),
        ({"ground": ""}, "Please say why."),
        ({"ground": "they_did"}, "Please say why."),
        ({"remains": "all"}, "Please choose what remains."),
    ],
)
async def test_what_is_missing_is_said_and_nothing_is_changed(
    admin: httpx.AsyncClient, house: House, cast: Cast, changed: dict[str, str], words: str
) -> None:
    before = await everything(house, but=TRACES)
    page = await send(admin, f"{here(cast)}/erasure", **{**YES, **changed})

    assert page.status_code == 422
    assert words in page.text
    assert await everything(house, but=TRACES) == before


@pytest.mark.parametrize("answer", ["no", ""])
async def test_without_its_button_nothing_is_changed(
    admin: httpx.AsyncClient, house: House, cast: Cast, answer: str
) -> None:
    before = await everything(house, but=TRACES)
    done = await send(admin, f"{here(cast)}/erasure", **{**YES, "answer": answer})

    assert done.headers["location"] == here(cast)
    assert await everything(house, but=TRACES) == before


async def test_who_has_no_address_is_named_as_they_are_called(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    async with house.work(door=Door.ADMIN) as work:
        paper = await add(work, address=None, first_name="Paper", last_name="Only")
    path = f"/admin/people/{paper.uid}/erasure"
    assert "What they are called here: Paper Only" in (await admin.get(path)).text

    await send(admin, path, **{**YES, "typed": "paper only"})

    assert await is_erased(house, paper.no)


async def test_one_who_sees_some_groups_is_told_to_ask(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await signed_in(web, house, cast.farid)
    path = f"/admin/people/{cast.gil.uid}/erasure"

    assert "erasure" not in (await web.get(f"/admin/people/{cast.gil.uid}")).text
    for page in (await web.get(path), await send(web, path, **YES)):
        assert page.status_code == 403
        assert "Please ask somebody who looks after everybody." in page.text
    assert not await is_erased(house, cast.gil.no)


async def test_who_was_erased_has_no_page(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await send(admin, f"{here(cast)}/erasure", **YES)
    async with house.work(reading=True) as work:
        row = await people.by_no(work, cast.bo.no)
    assert row is not None
    assert (await admin.get(f"/admin/people/{row.uid}/erasure")).status_code == 404


# --- who looked -----------------------------------------------------------------------------------


async def looks(house: House) -> list[tuple[int, Role]]:
    async with house.work(reading=True) as work:
        found = await work.session.scalars(select(Look).order_by(Look.no))
        return [(one.subscriber_no, one.role) for one in found]


async def later(house: House, by: timedelta) -> None:
    """Let all looks have been so much earlier."""
    async with house.work() as work:
        for one in await work.session.scalars(select(Look)):
            await work.session.execute(update(Look).where(Look.no == one.no).values(at=one.at - by))


async def test_opening_a_page_is_noted_once_in_a_quarter_of_an_hour(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    before = await everything(house, but=TRACES)
    for _again in range(3):
        await admin.get(here(cast))
    assert await looks(house) == [(cast.bo.no, Role.OWNER)]
    await admin.get(f"/admin/people/{cast.gil.uid}")
    await later(house, timedelta(minutes=16))
    await admin.get(here(cast))

    assert await looks(house) == [
        (cast.bo.no, Role.OWNER),
        (cast.gil.no, Role.OWNER),
        (cast.bo.no, Role.OWNER),
    ]
    assert await everything(house, but=TRACES) == before


async def test_a_page_that_one_may_not_see_is_no_look(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await signed_in(web, house, cast.farid)
    await web.get(here(cast))
    await web.get("/admin/people/nobody")
    assert await looks(house) == []
    await web.get(f"/admin/people/{cast.gil.uid}")
    assert await looks(house) == [(cast.gil.no, Role.GROUP_ORGANISER)]


async def test_looks_are_forgotten_after_ninety_days(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await admin.get(here(cast))
    await later(house, timedelta(days=91))
    await admin.get(here(cast))

    assert not await looking.forget_looks(house)

    assert len(await looks(house)) == 1
    assert not await looking.forget_looks(house)
    assert len(await looks(house)) == 1
