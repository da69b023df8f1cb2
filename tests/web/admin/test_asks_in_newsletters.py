"""The ask under the text of a newsletter: none, one for all, or each person's best."""

import httpx
import pytest

from mailer.asks import composing as ask_composing
from mailer.bootstrap import House
from mailer.campaigns.model import Campaign
from mailer.kit.work import Door
from tests.cast import Cast
from tests.support.asking import drafted, opened
from tests.support.campaigning import ENGLISH, as_it_is, draft, words_of
from tests.support.forms import form_on
from tests.support.signing_in import post


def page_of(campaign: Campaign) -> str:
    return f"/admin/campaigns/{campaign.uid}/write"


def offered(shown: str) -> str:
    """Give the choice of the ask as it stands on the page."""
    return shown.partition('<select id="ask"')[2].partition("</select>")[0]


async def typed(admin: httpx.AsyncClient, campaign: Campaign) -> dict[str, str]:
    shown = (await admin.get(page_of(campaign))).text
    return {**form_on(shown, holding="markdown"), "reach": "everybody", "on_doubt": "hold"}


async def test_nothing_is_asked_unless_somebody_chooses_it(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast)
    before = (await admin.get(page_of(campaign))).text
    await opened(house)
    await drafted(house, "Not yet asked")

    shown = (await admin.get(page_of(campaign))).text
    await post(admin, page_of(campaign), await typed(admin, campaign))

    assert "No ask is open." in before
    assert "The best for each person" not in before
    assert "Put a standing item on the agenda" in offered(shown)
    assert "The best for each person" in offered(shown)
    assert "Not yet asked" not in offered(shown)
    kept = await as_it_is(house, campaign)
    assert (kept.ask_no, kept.best_ask) == (None, False)


async def test_one_ask_for_all_is_kept_and_seen_in_the_preview(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast)
    ask = await opened(house, minutes=15)

    await post(admin, page_of(campaign), {**await typed(admin, campaign), "ask": str(ask.no)})

    kept = await as_it_is(house, campaign)
    assert (kept.ask_no, kept.best_ask) == (ask.no, False)
    assert (await typed(admin, campaign))["ask"] == str(ask.no)
    seen = (await admin.get(f"/admin/campaigns/{campaign.uid}/preview/en")).text
    assert "Put a standing item on the agenda" in seen
    assert "15 minutes" in seen


@pytest.mark.parametrize("chosen", ["one", "best"])
async def test_what_is_typed_is_seen_before_it_is_saved(
    admin: httpx.AsyncClient, house: House, cast: Cast, chosen: str
) -> None:
    campaign = await draft(house, cast)
    ask = await opened(house)
    form = {**await typed(admin, campaign), "ask": str(ask.no) if chosen == "one" else "best"}

    seen = await post(
        admin, f"/admin/campaigns/{campaign.uid}/preview/en", form, page=page_of(campaign)
    )

    assert "Put a standing item on the agenda" in seen.text
    kept = await as_it_is(house, campaign)
    assert (kept.ask_no, kept.best_ask) == (None, False)


async def test_the_best_for_each_is_kept_and_taken_back(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast)
    await opened(house)

    await post(admin, page_of(campaign), {**await typed(admin, campaign), "ask": "best"})
    best = await as_it_is(house, campaign)
    assert (await typed(admin, campaign))["ask"] == "best"
    await post(admin, page_of(campaign), {**await typed(admin, campaign), "ask": ""})
    none = await as_it_is(house, campaign)

    assert (best.ask_no, best.best_ask) == (None, True)
    assert (none.ask_no, none.best_ask) == (None, False)


async def test_an_ask_that_is_not_open_is_refused_at_its_field_and_words_are_kept(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast)
    ask = await drafted(house)

    answer = await post(
        admin,
        page_of(campaign),
        {**await typed(admin, campaign), "ask": str(ask.no), "headline": "Another headline"},
    )

    assert answer.status_code == 422
    assert '<a href="#ask">' in answer.text
    assert "Choose one of the asks that are open." in answer.text
    assert 'value="Another headline"' in answer.text
    assert await words_of(house, campaign) == {"en": ENGLISH}


async def test_one_that_was_closed_since_is_shown_as_such(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast)
    ask = await opened(house)
    await post(admin, page_of(campaign), {**await typed(admin, campaign), "ask": str(ask.no)})
    async with house.work(door=Door.ADMIN) as work:
        await ask_composing.close_ask(work, ask)

    shown = (await admin.get(page_of(campaign))).text

    assert "Put a standing item on the agenda (closed)" in offered(shown)
    assert (await typed(admin, campaign))["ask"] == str(ask.no)


async def test_the_review_says_who_is_asked_what(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast)
    await opened(house, minimum_tier_no=cast.supporter.no)
    form = {**await typed(admin, campaign), "ask": "best"}

    answer = await post(
        admin, f"/admin/campaigns/{campaign.uid}/review", form, page=page_of(campaign)
    )
    shown = (await admin.get(answer.headers["location"])).text

    assert "Each is asked what is best for them" in shown
    # Bo is a supporter; Gil, a follower, is below the level that it is for.
    assert "Put a standing item on the agenda: 1 person; no ask: 1 person" in shown


async def test_the_review_names_the_one_ask_of_all(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast)
    ask = await opened(house)
    form = {**await typed(admin, campaign), "ask": str(ask.no)}

    answer = await post(
        admin, f"/admin/campaigns/{campaign.uid}/review", form, page=page_of(campaign)
    )

    assert (
        "It asks: Put a standing item on the agenda"
        in (await admin.get(answer.headers["location"])).text
    )


async def test_the_review_says_how_many_get_it_without_the_ask_for_all(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast)
    ask = await opened(house, minimum_tier_no=cast.supporter.no)
    form = {**await typed(admin, campaign), "ask": str(ask.no)}

    answer = await post(
        admin, f"/admin/campaigns/{campaign.uid}/review", form, page=page_of(campaign)
    )
    shown = (await admin.get(answer.headers["location"])).text

    assert "It asks: Put a standing item on the agenda" in shown
    assert "1 person gets the newsletter without it" in shown
