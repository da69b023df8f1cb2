"""A level more, one past another, one taken out; and holding somebody back."""

import httpx

from mailer.bootstrap import House
from mailer.tiers import store
from mailer.tiers.model import Tier
from tests.cast import Cast
from tests.support.forms import form_on
from tests.support.looking import viewer
from tests.support.signing_in import post, signed_in

PAGE = "/admin/levels"


async def slugs(house: House) -> list[str]:
    async with house.work(reading=True) as work:
        return [tier.slug for tier in await store.ladder(work)]


async def chosen(house: House, no: int) -> Tier | None:
    async with house.work(reading=True) as work:
        return await store.chosen(work, no)


async def test_a_level_is_added_at_the_top(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    wrong = await post(admin, f"{PAGE}/new", {"name-en": "Anchor"})
    assert wrong.status_code == 422
    assert 'id="often-en-error"' in wrong.text
    await post(admin, f"{PAGE}/new", {"name-en": "Anchor", "often-en": "Weekly"})
    assert (await slugs(house))[-1] == "anchor"


async def test_moving_a_level_saves_what_was_typed(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    form = form_on((await admin.get(PAGE)).text)
    no = cast.activist.no
    typed = {**form, f"name-{no}-en": "Doer", "then": f"up-{no}"}

    answer = await post(admin, PAGE, typed)

    assert answer.headers["location"] == "/admin/levels#activist"
    assert (await slugs(house))[-1] == "activist"
    async with house.work(reading=True) as work:
        tier = await store.by_slug(work, "activist")
        assert tier is not None
        assert tier.name["en"] == "Doer"
    refused = await post(admin, PAGE, {**typed, "then": f"down-{cast.follower.no}"})
    assert "at the end of the ladder" in (await admin.get(refused.headers["location"])).text


async def test_an_empty_level_is_taken_out_and_a_full_one_is_emptied_first(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    full, empty = f"{PAGE}/supporter/closing", f"{PAGE}/organiser/closing"
    assert "Count who moves" in (await admin.get(full)).text
    refused = await post(admin, full, {"do": "close"})
    assert refused.status_code == 422
    assert "There are people on this level" in refused.text
    unsaid = await post(admin, full, {"do": "move", "tier": str(cast.follower.no), "reason": ""})
    assert unsaid.status_code == 422
    counted = await post(
        admin, full, {"do": "move", "tier": str(cast.follower.no), "reason": "It goes."}
    )
    assert counted.headers["location"].startswith("/admin/bulk/")

    await post(admin, empty, {"do": "close"})
    assert await slugs(house) == ["follower", "supporter", "activist"]
    assert (await admin.get(empty)).status_code == 404
    await post(admin, full, {})
    assert "supporter" in await slugs(house)


async def test_only_who_may_change_the_levels_may_add_or_close_one(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await signed_in(web, house, await viewer(house))
    assert (await web.get(f"{PAGE}/new")).status_code == 403
    assert (await web.get(f"{PAGE}/supporter/closing")).status_code == 403


async def test_somebody_doubtful_is_held_back_and_let_go(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    page = f"/admin/people/{cast.bo.uid}/hold"
    assert "Hold Bo back?" in (await admin.get(page)).text
    assert (await post(admin, page, {"do": "hold", "reason": ""})).status_code == 422
    await post(admin, page, {"do": "hold", "reason": "Nobody knows them."})
    here = await chosen(house, cast.bo.no)
    assert here is not None
    assert here.slug == "follower"
    assert "Nobody knows them." in (await admin.get(page)).text
    await post(admin, page, {"do": "let-go"})
    here = await chosen(house, cast.bo.no)
    assert here is not None
    assert here.slug == "supporter"
    await post(admin, page, {})
    async with house.work(reading=True) as work:
        assert await store.hold_of(work, cast.bo.no) is None
