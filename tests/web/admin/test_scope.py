"""Two group organisers, two groups, and somebody in both: each tries everything on the other's.

Farid looks after Harbour and Rosa after Northgate; Hana belongs to both. What one of them may not
see is not there: 404 on every way in, no row written, and in no name, number or suggestion.
"""

import re
from collections.abc import Iterator

import httpx
import pyotp
import pytest

from mailer.accounts import signing_in
from mailer.accounts.actions import open_account
from mailer.accounts.model import POWERS, Account, Role
from mailer.bootstrap import House
from mailer.groups import actions as groups
from mailer.groups import store as group_store
from mailer.kit.work import Door, Work
from mailer.subscribers.model import Subscriber
from mailer.tags import actions as tags
from tests import makers as make
from tests.cast import PASSWORD_HASH, Cast
from tests.house.routes import WayIn, ways_in
from tests.support.dumps import everything
from tests.support.signing_in import CSRF, signed_in

pytestmark = [pytest.mark.any_database, pytest.mark.timeout(240)]

MAY = {f"power:{power}" for power in POWERS[Role.GROUP_ORGANISER]} | {"power"}
OPEN = [way for way in ways_in() if way.gate in MAY and way.method in {"GET", "POST"}]
# What signing in and looking leaves behind.
TRACES = ("session", "sign_in_try", "audit_line")


@pytest.fixture
async def rosa(house: House, cast: Cast) -> Account:
    """Open the account of Northgate's own organiser."""
    async with house.work(door=Door.CLI) as work:
        account = await open_account(
            work,
            address="rosa@war.example.org",
            name="Rosa",
            role=Role.GROUP_ORGANISER,
            password_hash=PASSWORD_HASH,
            groups=[cast.northgate.no],
        )
        seed = await signing_in.begin_factor(work, account)
        await signing_in.confirm_factor(work, account, pyotp.TOTP(seed).at(work.now))
        return account


@pytest.fixture
async def hana(house: House, cast: Cast) -> Subscriber:
    """Put somebody into both groups, with a tag that each of them may see."""
    async with house.work(door=Door.CLI) as work:
        person = await make.person(work, "hana@example.org", first_name="Hana")
        for group in (cast.northgate, cast.harbour):
            await groups.join(work, person, group)
        tag = await tags.make(work, name="Night shift")
        await tags.tag_many(work, [person.no, cast.bo.no], tag)
        return person


@pytest.fixture
async def farid(
    web: httpx.AsyncClient, house: House, cast: Cast, hana: Subscriber
) -> httpx.AsyncClient:
    await signed_in(web, house, cast.farid)
    return web


def filled(way: WayIn, uid: str) -> str:
    return re.sub(r"\{[^}]+\}", uid, way.path)


def with_a_name() -> Iterator[WayIn]:
    return (way for way in OPEN if "{" in way.path)


async def csrf(client: httpx.AsyncClient) -> str:
    found = CSRF.search((await client.get("/admin")).text)
    assert found
    return found[1]


async def test_every_way_in_is_shut_for_the_people_of_another_group(
    farid: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    token = await csrf(farid)
    before = await everything(house, but=TRACES)
    tried = 0
    for way in with_a_name():
        for uid in (cast.bo.uid, cast.northgate.uid, str(cast.bo.no), str(cast.northgate.no)):
            answer = await farid.request(
                way.method,
                filled(way, uid),
                data={
                    "csrf": token,
                    "answer": "yes",
                    "first_name": "Robert",
                    "name": "Mine now",
                    "group": cast.harbour.uid,
                    "days": "30",
                    "tier": "activist",
                    "reason": "because I can",
                }
                if way.method == "POST"
                else None,
            )
            assert answer.status_code in {403, 404}, (way, uid, answer.status_code)
            assert "bo@example.org" not in answer.text, way
            tried += 1
    assert tried > 60
    assert await everything(house, but=TRACES) == before


async def test_no_page_says_a_word_of_them(farid: httpx.AsyncClient, cast: Cast) -> None:
    looked_at = 0
    for way in OPEN:
        if way.method == "POST" or "{" in way.path:
            continue
        for headers in ({}, {"hx-request": "true"}):
            for query in ("", "?q=b", "?q=northgate", "?q=chidi", f"?group={cast.northgate.uid}"):
                shown = await farid.get(way.path + query, headers=headers)
                said = shown.text.replace('value="northgate"', "")
                for secret in ("bo@example", "chidi@", ">Bo<", ">Chidi<", "Northgate Transport"):
                    assert secret not in said, (way, query, secret)
                looked_at += 1
    assert looked_at > 40


async def test_the_page_says_whom_the_numbers_are_about(
    farid: httpx.AsyncClient, cast: Cast
) -> None:
    for path in ("/admin", "/admin/people", "/admin/groups", "/admin/levels"):
        shown = " ".join((await farid.get(path)).text.split())
        assert "You look after Harbour Workers’ Centre." in shown, path
        assert "these 2 people" in shown, path


async def test_who_looks_after_everybody_is_told_nothing_of_the_kind(
    admin: httpx.AsyncClient,
) -> None:
    assert "You look after" not in (await admin.get("/admin/people")).text


async def test_a_shared_person_shows_each_only_their_own(
    farid: httpx.AsyncClient, house: House, hana: Subscriber, cast: Cast, rosa: Account
) -> None:
    harbours = await farid.get(f"/admin/people/{hana.uid}")
    assert "Harbour Workers’ Centre" in harbours.text
    assert "Northgate Transport" not in harbours.text
    await signed_in(farid, house, rosa)
    northgates = await farid.get(f"/admin/people/{hana.uid}")
    assert "Northgate Transport Branch" in northgates.text
    assert "Harbour Workers" not in northgates.text


async def test_changing_a_shared_person_leaves_alone_what_is_not_seen(
    farid: httpx.AsyncClient, house: House, hana: Subscriber, cast: Cast
) -> None:
    token = await csrf(farid)
    gone = await farid.post(
        f"/admin/people/{hana.uid}/groups", data={"csrf": token, "leave": cast.northgate.uid}
    )
    assert gone.status_code in {403, 404}
    await farid.post(
        f"/admin/people/{hana.uid}/details",
        data={"csrf": token, "first_name": "Hana", "last_name": "Osei", "language": "en"},
    )
    await farid.post(
        f"/admin/people/{hana.uid}/groups", data={"csrf": token, "leave": cast.harbour.uid}
    )
    async with house.work(reading=True) as work:
        assert [one.no for one in await group_store.of(work, hana.no)] == [cast.northgate.no]
    assert (await farid.get(f"/admin/people/{hana.uid}")).status_code == 404


async def test_counts_are_of_ones_own(work: Work, cast: Cast, hana: Subscriber) -> None:
    mine = make.seen_by(work, cast.harbour)
    theirs = make.seen_by(work, cast.northgate)
    [(_, at_harbour)] = await group_store.all_groups(mine)
    [(_, at_northgate)] = await group_store.all_groups(theirs)
    assert (at_harbour, at_northgate) == (2, 3)
