"""An alert is begun with the reason why it cannot wait, and its mails say it."""

import httpx
from sqlalchemy import select

from mailer.bootstrap import House
from mailer.campaigns import composing
from mailer.campaigns.model import Campaign, Kind, Revision
from tests.cast import Cast
from tests.support.signing_in import post

NEW = "/admin/campaigns/new"


async def test_without_a_reason_nothing_is_begun_and_what_was_typed_stays(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    answer = await post(admin, NEW, {"name": "Vote", "kind": "alert", "why_urgent": " "})

    assert answer.status_code == 422
    assert 'id="why_urgent-error"' in answer.text
    assert 'value="Vote"' in answer.text
    async with house.work(reading=True) as work:
        assert (await work.session.scalars(select(Campaign))).all() == []


async def test_the_reason_stands_at_the_top_of_every_language(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await post(admin, NEW, {"name": "Vote", "kind": "alert", "why_urgent": "The vote is tomorrow."})

    async with house.work(reading=True) as work:
        [campaign] = await work.session.scalars(select(Campaign))
        words = {"subject": "Vote", "headline": "Vote", "preheader": "", "markdown": "Come."}
        revision = Revision(document={"en": words, "fr": words})
        said = await composing.newsletter(work, campaign, revision, base="https://example.org")
    assert campaign.kind is Kind.ALERT
    shown = repr(said)
    assert "beyond what your level promises" in shown
    assert shown.count("The vote is tomorrow.") >= 2
