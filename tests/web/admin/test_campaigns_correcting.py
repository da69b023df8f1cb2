"""A correction, from the button on the first campaign's page to its own review."""

import re

import httpx
from sqlalchemy import select

from mailer.bootstrap import House
from mailer.campaigns import sending
from mailer.campaigns.model import Campaign, CampaignState
from mailer.outbox.model import DeliveryState
from tests import makers as make
from tests.cast import Cast
from tests.support.campaigning import (
    ENGLISH,
    as_it_is,
    became,
    begun,
    editor,
    ended,
    fresh_code,
    scheduled,
    words_of,
)
from tests.support.signing_in import post, signed_in


async def the_correction(house: House, first: Campaign) -> Campaign:
    """Find the correction of a campaign."""
    async with house.work(reading=True) as work:
        found = await work.session.scalars(select(Campaign).where(Campaign.corrects_no == first.no))
        return found.one()


async def test_from_the_button_to_the_last_confirmation(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    first = await begun(house, cast)
    await became(house, first, DeliveryState.SENT, cast.bo.no, cast.gil.no, code=250)
    await ended(house, first)
    page = f"/admin/campaigns/{first.uid}"

    assert f'href="{page}/correction"' in (await admin.get(page)).text
    asked = (await admin.get(f"{page}/correction")).text
    begun_ = await post(admin, f"{page}/correction")
    correction = await the_correction(house, first)
    own = f"/admin/campaigns/{correction.uid}"
    writing = (await admin.get(begun_.headers["location"])).text

    assert "By now: 2 people." in asked
    assert "is not over." not in asked
    assert begun_.headers["location"] == f"{own}/write"
    assert f"Correction: {ENGLISH['subject']}" in writing
    assert "It goes to those who got “The right to work”" in writing
    assert 'name="list"' not in writing
    assert 'name="reach"' not in writing

    typed = {"language": "en", **ENGLISH, "markdown": "It is the 19th.", "on_doubt": "resend"}
    await post(admin, f"{own}/review", typed, page=f"{own}/write")
    review = (await admin.get(f"{own}/review")).text
    assert (await words_of(house, correction))["en"]["markdown"] == "It is the 19th."
    assert '<strong class="big__n">2</strong>' in review
    assert "people: those who got “The right to work”." in review
    assert "Got “The right to work”" in review
    assert "On the list" not in review

    code = await fresh_code(house, cast.amina)
    confirmed = {"when": "now", "count": "2", "code": code}
    await post(admin, f"{own}/schedule", confirmed, page=f"{own}/review")
    assert (await as_it_is(house, correction)).state is CampaignState.SCHEDULED
    assert "“The right to work”, which it corrects" in (await admin.get(own)).text
    assert "“Correction: The right to work”, which corrects it" in (await admin.get(page)).text


async def test_of_one_that_still_runs_it_says_who_is_missed_and_offers_to_stop_it(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    async with house.work() as work:
        await make.people(work, 3)
    first = await begun(house, cast)
    await became(house, first, DeliveryState.SENT, cast.bo.no, code=250)
    page = f"/admin/campaigns/{first.uid}"

    asked = (await admin.get(f"{page}/correction")).text
    await post(admin, f"{page}/correction")
    own = f"/admin/campaigns/{(await the_correction(house, first)).uid}"
    writing = (await admin.get(f"{own}/write")).text
    await post(admin, f"{own}/review", page=f"{own}/write")
    review = (await admin.get(f"{own}/review")).text
    async with house.work() as work:
        work.session.add(first)
        await sending.cancel(work, first)
    stopped = (await admin.get(f"{page}/correction")).text

    for shown in (asked, writing, review):
        assert "4 people still wait for it." in shown
    assert f'href="{page}/cancel"' in asked
    assert "still wait for it" not in stopped
    assert f'href="{page}/cancel"' not in stopped
    assert "Write the correction" in stopped


async def test_who_may_only_write_begins_it_and_stops_nothing(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await signed_in(web, house, await editor(house))
    first = await begun(house, cast)
    page = f"/admin/campaigns/{first.uid}"

    shown = (await web.get(page)).text
    asked = (await web.get(f"{page}/correction")).text
    answer = await post(web, f"{page}/correction")

    assert "Send a correction" in shown
    assert f"{page}/cancel" not in asked
    assert answer.status_code == 303
    assert (await the_correction(house, first)).state is CampaignState.DRAFT


async def test_what_has_not_begun_is_changed_instead(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    first = await scheduled(house, cast)
    page = f"/admin/campaigns/{first.uid}"

    shown = (await admin.get(page)).text
    asked = await admin.get(f"{page}/correction")
    answer = await post(admin, f"{page}/correction", page=page)
    told = (await admin.get(answer.headers["location"])).text

    assert "Send a correction" not in shown
    assert asked.headers["location"] == page
    assert "nobody has anything to be corrected" in re.sub(r"\s+", " ", told)
