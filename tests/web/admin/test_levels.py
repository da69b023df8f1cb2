"""The page of the levels: seen by many, changed by few, saved all at once."""

import httpx
import pytest

from mailer.bootstrap import House
from mailer.tiers import store
from mailer.tiers.model import Tier
from tests import makers as make
from tests.cast import Cast
from tests.support.forms import form_on
from tests.support.looking import viewer
from tests.support.signing_in import post, signed_in

PAGE = "/admin/levels"


async def ladder(house: House) -> dict[str, Tier]:
    async with house.work(reading=True) as work:
        return {tier.slug: tier for tier in await store.ladder(work)}


async def as_they_stand(admin: httpx.AsyncClient, **changed: str) -> dict[str, str]:
    """Give the form as it is shown, with some fields typed anew."""
    return {**form_on((await admin.get(PAGE)).text), **changed}


async def test_they_stand_highest_first_with_the_people_on_each(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    async with house.work() as work:
        await make.people(work, 1200, tier=cast.follower)

    shown = (await admin.get(PAGE)).text

    headings = [shown.index(f'<h2 id="{slug}">') for slug in ("organiser", "activist", "supporter")]
    assert headings == sorted(headings)
    assert shown.index('<h2 id="follower">') > headings[-1]
    assert '<h2 id="follower">Follower</h2><span class="meta">1,201 people</span>' in shown
    assert '<h2 id="supporter">Supporter</h2><span class="meta">1 person</span>' in shown


async def test_all_are_saved_at_once_and_nobody_moves(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    low, high = cast.follower.no, cast.activist.no
    typed = await as_they_stand(
        admin,
        **{
            f"name-{low}-en": "Friend",
            f"we_ask-{low}-fr": "",
            f"most_mails-{high}": "3",
            f"most_in_days-{high}": "14",
            f"needs_approval-{high}": "no",
        },
    )

    answer = await post(admin, PAGE, typed)
    shown = (await admin.get(answer.headers["location"])).text

    found = await ladder(house)
    assert found["follower"].name == {"en": "Friend", "fr": "À l’écoute"}
    assert set(found["follower"].we_ask) == {"en"}
    activist = found["activist"]
    assert (activist.most_mails, activist.most_in_days, activist.needs_approval) == (3, 14, False)
    assert found["organiser"].needs_approval, "what nobody touched is as it was"
    assert "The levels are saved. Nobody has moved" in shown
    assert "1 person" in shown


async def test_saving_what_stands_there_is_no_change(
    admin: httpx.AsyncClient, house: House
) -> None:
    await post(admin, PAGE, await as_they_stand(admin))

    assert "Changed the level" not in (await admin.get("/admin/record")).text


@pytest.mark.parametrize(
    ("field", "typed", "at", "said"),
    [
        ("name-{}-fr", "x" * 61, "name-{}-fr", "This is too long: 60 characters at most."),
        ("name-{}-en", " ", "name-{}-en", "Please fill this in."),
        ("often-{}-en", "x" * 121, "often-{}-en", "This is too long"),
        ("you_get-{}-fr", "x" * 301, "you_get-{}-fr", "This is too long"),
        ("most_mails-{}", "0", "most_mails-{}", "A promise is 1 to 100 emails"),
        ("most_mails-{}", "", "most_mails-{}", "A promise is 1 to 100 emails"),
        ("most_mails-{}", "9" * 20, "most_mails-{}", "A promise is 1 to 100 emails"),
        ("most_in_days-{}", "a week", "most_in_days-{}", "A promise is 1 to 100 emails"),
        ("needs_approval-{}", "yes", "needs_approval-{}", "The lowest level is open to all"),
    ],
)
async def test_a_mistake_is_shown_at_its_field_of_its_level(
    admin: httpx.AsyncClient, house: House, cast: Cast, field: str, typed: str, at: str, said: str
) -> None:
    low, field, at = cast.follower.no, field.format(cast.follower.no), at.format(cast.follower.no)
    form = await as_they_stand(admin)
    if field.startswith("name") and not typed.strip():
        form[f"name-{low}-fr"] = ""  # it may stand in one language alone

    answer = await post(admin, PAGE, {**form, field: typed})

    assert answer.status_code == 422
    assert f'<a href="#{at}">Follower: ' in answer.text
    assert f'id="{at}-error"' in answer.text
    assert said in answer.text
    assert form_on(answer.text)[field] == typed


async def test_mistakes_in_several_levels_are_shown_together_and_nothing_is_saved(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    before = await ladder(house)
    typed = await as_they_stand(
        admin,
        **{
            f"name-{cast.organiser.no}-en": "Anchor",
            f"most_mails-{cast.activist.no}": "101",
            f"name-{cast.follower.no}-fr": "x" * 61,
        },
    )

    answer = await post(admin, PAGE, typed)

    assert "2 things to mend" in answer.text
    assert form_on(answer.text) == {**typed, "csrf": form_on(answer.text)["csrf"]}
    assert (await ladder(house))["organiser"].name == before["organiser"].name


async def test_an_organiser_describes_them(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await signed_in(web, house, cast.esra)

    typed = form_on((await web.get(PAGE)).text)
    await post(web, PAGE, {**typed, f"name-{cast.organiser.no}-en": "Anchor"})

    assert (await ladder(house))["organiser"].name["en"] == "Anchor"


async def test_a_viewer_and_a_group_organiser_see_them_and_cannot_change_them(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    for account in (await viewer(house), cast.farid):
        await signed_in(web, house, account)
        shown = (await web.get(PAGE)).text
        answer = await post(web, PAGE, {}, page="/admin/groups")

        assert "One ten-minute action a month." in shown
        assert "2 emails at most in 30 days" in shown
        assert "An organiser approves" in shown
        assert "Save the levels" not in shown
        assert answer.status_code == 403
        web.cookies.clear()


async def test_farid_counts_the_people_of_his_group_alone(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await signed_in(web, house, cast.farid)

    shown = (await web.get(PAGE)).text

    assert '<h2 id="follower">Follower</h2><span class="meta">1 person</span>' in shown  # Gil
    assert '<h2 id="supporter">Supporter</h2><span class="meta">0 people</span>' in shown  # not Bo
    assert "among those you look after" in shown
