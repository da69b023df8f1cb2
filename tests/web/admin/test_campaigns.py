"""The list of campaigns, and beginning a new one."""

import httpx
import pytest

from mailer.bootstrap import House
from mailer.campaigns.model import CampaignState
from tests.cast import Cast
from tests.support.campaigning import as_it_is, begun, draft, editor, frozen
from tests.support.signing_in import post, signed_in


async def test_before_the_first_one_a_page_says_how_it_goes(admin: httpx.AsyncClient) -> None:
    shown = await admin.get("/admin/campaigns")

    assert "Nothing has been written yet" in shown.text
    assert 'href="/admin/campaigns/new"' in shown.text


async def test_a_name_begins_a_draft(admin: httpx.AsyncClient) -> None:
    answer = await post(admin, "/admin/campaigns/new", {"name": "The right to work"})

    assert answer.status_code == 303
    assert answer.headers["location"].endswith("/write")
    listed = (await admin.get("/admin/campaigns")).text
    assert "The right to work" in listed
    assert "Draft" in listed


@pytest.mark.parametrize(
    ("typed", "said"),
    [("   ", "Give the campaign a name"), ("x" * 201, "This is too long")],
)
async def test_a_name_is_needed_and_has_an_end(
    admin: httpx.AsyncClient, typed: str, said: str
) -> None:
    answer = await post(admin, "/admin/campaigns/new", {"name": typed})

    assert answer.status_code == 422
    assert said in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert f'value="{typed}"' in answer.text


async def test_the_list_says_how_each_stands_and_how_many_get_it(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await draft(house, cast, name="Not ready")
    await begun(house, cast, name="On its way")

    shown = (await admin.get("/admin/campaigns")).text

    assert shown.index("On its way") < shown.index("Not ready"), "the newest comes first"
    assert "Sending" in shown
    assert '<td role="cell" class="n " data-l="People"><span>2</span></td>' in shown


async def test_older_ones_stand_on_the_next_page(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    for number in range(26):
        await draft(house, cast, name=f"Number {number:02}", words={})

    first = await admin.get("/admin/campaigns")
    found = first.text.partition('rel="next" href="')[2].partition('"')[0]
    second = await admin.get(f"/admin/campaigns{found}")

    assert "Number 25" in first.text
    assert "Number 00" not in first.text
    assert "Number 00" in second.text
    assert "Number 01" not in second.text


async def test_the_page_of_a_campaign_is_that_of_its_state(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    writing, reviewed = await draft(house, cast), await frozen(house, cast)

    to_words = await admin.get(f"/admin/campaigns/{writing.uid}")
    to_review = await admin.get(f"/admin/campaigns/{reviewed.uid}")
    not_to_words = await admin.get(f"/admin/campaigns/{reviewed.uid}/write")

    assert to_words.headers["location"] == f"/admin/campaigns/{writing.uid}/write"
    assert to_review.headers["location"] == f"/admin/campaigns/{reviewed.uid}/review"
    assert not_to_words.headers["location"] == f"/admin/campaigns/{reviewed.uid}"


async def test_a_campaign_that_is_none_is_not_found(admin: httpx.AsyncClient) -> None:
    answer = await admin.get("/admin/campaigns/00000000-0000-7000-8000-000000000000")

    assert answer.status_code == 404
    assert "There is no such campaign" in answer.text


async def test_a_group_organiser_sees_no_campaigns(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast)
    await signed_in(web, house, cast.farid)

    for path in ("", "/new", f"/{campaign.uid}", f"/{campaign.uid}/write"):
        assert (await web.get(f"/admin/campaigns{path}")).status_code == 403


async def test_an_editor_writes_and_cannot_send(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ines = await editor(house)
    campaign, ready = await draft(house, cast), await frozen(house, cast)
    await signed_in(web, house, ines)
    page = f"/admin/campaigns/{campaign.uid}/write"

    shown = (await web.get(page)).text
    answers = [
        await post(web, f"/admin/campaigns/{ready.uid}/{act}", {"count": "2"}, page=page)
        for act in "review draft schedule call-off pause resume release cancel doubt".split()
    ]

    assert "Send me a test" in shown
    assert "Review and count" not in shown
    assert {answer.status_code for answer in answers} == {403}
    assert (await as_it_is(house, ready)).state is CampaignState.FROZEN
    counted = (await web.get(f"/admin/campaigns/{ready.uid}")).text
    assert "Somebody who may send has to confirm it" in counted
