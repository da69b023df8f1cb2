"""A campaign to those who answer to a saved question: chosen, seen, frozen and refused in words."""

import re

import httpx

from mailer.bootstrap import House
from mailer.deliveries.model import Delivery
from mailer.kit.work import Door
from mailer.segments import saving
from mailer.segments.model import Segment
from tests.cast import Cast
from tests.support.campaigning import as_it_is, draft, how_many
from tests.support.signing_in import post
from tests.web.admin.test_campaigns_writing import typed


async def saved(house: House, cast: Cast) -> Segment:
    """Save the question for French readers on the bulletin: Gil alone."""
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        tree = {"all": [{"is": "language", "language": "fr"}]}
        return await saving.save(work, name="French readers", tree=tree)


async def test_a_segment_is_chosen_with_its_sentence_and_its_number_in_sight(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    segment = await saved(house, cast)
    campaign = await draft(house, cast)
    page = f"/admin/campaigns/{campaign.uid}/write"

    answer = await post(admin, page, typed(cast, reach="segment", segment=str(segment.no)))
    shown = (await admin.get(answer.headers["location"])).text

    assert "1 person answers to it today, and 1 could be written to." in shown
    assert f"/admin/segments/{segment.uid}" in shown
    assert (await as_it_is(house, campaign)).segment_no == segment.no


async def test_the_review_counts_those_who_answer_and_says_why_others_are_left_out(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    segment = await saved(house, cast)
    campaign = await draft(house, cast)
    page = f"/admin/campaigns/{campaign.uid}"
    chosen = typed(cast, reach="segment", segment=str(segment.no))

    answer = await post(admin, f"{page}/review", chosen, page=f"{page}/write")
    shown = (await admin.get(answer.headers["location"])).text

    frozen = await as_it_is(house, campaign)
    assert (frozen.recipients, frozen.segment_version) == (1, segment.version)
    assert await how_many(house, of=Delivery, campaign=campaign) == 1
    assert "French readers" in shown


async def test_to_a_segment_means_that_one_is_chosen(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await saved(house, cast)
    campaign = await draft(house, cast)
    page = f"/admin/campaigns/{campaign.uid}"

    for none in ("0", "", "99", "x"):
        chosen = typed(cast, reach="segment", segment=none)
        answer = await post(admin, f"{page}/review", chosen, page=f"{page}/write")
        assert answer.status_code == 422, none
        assert "Choose one of the segments." in answer.text
        assert re.search(r'value="segment"[^>]* checked', answer.text), "the choice was lost"
        assert await how_many(house, of=Delivery, campaign=campaign) == 0
