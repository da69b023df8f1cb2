"""Past newsletters: what was sent, readable by anybody, with nobody's data in it."""

import re

import httpx
import pytest

from mailer.asks import demands
from mailer.asks.model import OfferTally
from mailer.bootstrap import House
from mailer.campaigns import composing
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import CampaignState
from mailer.kit.work import Door
from tests.cast import Cast
from tests.support.asking import opened, raised

pytestmark = pytest.mark.any_database

WORDS = {
    "en": {
        "subject": "June: the right to work",
        "headline": "{{ first_name|Friend }}, the right to work is everyone’s fight",
        "preheader": "What your letters did.",
        "markdown": (
            "Dear {{ first_name|friend }},\n\n# What your letters did\n\nRead *this* and"
            " [change your level]({{ link.preferences }}) or [see more](https://example.org/more)."
            "\n\n<script>alert(1)</script>"
        ),
    },
    "fr": {
        "subject": "Juin : le droit de travailler",
        "headline": "Le droit de travailler est l’affaire de tous",
        "preheader": "",
        "markdown": "Chère {{ first_name|amie }}, voici les nouvelles.",
    },
}


async def published(house: House, state: CampaignState = CampaignState.SENT, **changes) -> str:
    async with house.work(door=Door.CLI) as work:
        campaign = await composing.begin(work, name="June")
        await composing.revise(work, campaign, words=WORDS)
        campaign.state, campaign.started_at = state, work.now
        for name, value in changes.items():
            setattr(campaign, name, value)
        return campaign.slug


async def test_an_empty_archive_says_so(web: httpx.AsyncClient, cast: Cast) -> None:
    page = await web.get("/n")
    assert page.status_code == 200
    assert "None yet" in page.text


async def test_a_sent_newsletter_is_listed_and_readable(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    slug = await published(house)
    assert f'href="/n/{slug}"' in (await web.get("/n")).text
    page = (await web.get(f"/n/{slug}")).text
    assert "<title>Friend, the right to work is everyone’s fight" in page
    assert "<h2>What your letters did</h2>" in page
    assert 'href="https://example.org/more"' in page


async def test_the_archive_holds_nobodys_data_and_no_token(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    page = (await web.get(f"/n/{await published(house)}")).text
    article = page.partition("<article")[2].partition("</article>")[0]
    assert "Dear friend," in article
    assert "change your level" in article
    assert not re.search(r'href="(#|/l/|/u/)', article)
    assert "{{" not in article
    assert "<script>" not in article
    assert "&lt;script&gt;" in article


async def test_a_newsletter_is_read_in_each_language_it_was_written_in(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    slug = await published(house)
    french = (await web.get(f"/n/{slug}", headers={"accept-language": "fr"})).text
    assert "Chère amie" in french
    assert re.search(r'<article class="issue" lang="fr"', french)
    assert f'href="/n/{slug}?language=en"' in french
    english = await web.get(f"/n/{slug}?language=en", headers={"accept-language": "fr"})
    assert re.search(r'<article class="issue" lang="en"', english.text)
    assert (await web.get(f"/n/{slug}?language=xx")).status_code == 200


@pytest.mark.parametrize("state", list(CampaignState))
async def test_only_what_was_handed_to_readers_is_in_the_archive(
    web: httpx.AsyncClient, house: House, cast: Cast, state: CampaignState
) -> None:
    slug = await published(house, state)
    is_public = state in {CampaignState.SENDING, CampaignState.PAUSED, CampaignState.SENT}
    assert ((await web.get(f"/n/{slug}")).status_code == 200) == is_public
    assert (f"/n/{slug}" in (await web.get("/n")).text) == is_public


async def test_what_was_kept_out_of_the_archive_stays_out(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    slug = await published(house, in_archive=False)
    assert (await web.get(f"/n/{slug}")).status_code == 404
    assert (await web.get("/n/no-such-newsletter")).status_code == 404


async def test_where_each_was_asked_for_something_of_their_own_it_says_what_it_is_for(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    won, served, other = [await raised(house, name) for name in ("Won already", "Served", "Other")]
    async with house.work(door=Door.ADMIN) as work:
        await demands.win(work, won)
    offered = [await opened(house, demand_no=one.no) for one in (won, served)]
    await opened(house, demand_no=other.no)
    slug = await published(house, best_ask=True)
    async with house.work(door=Door.CLI) as work:
        campaign = await campaigns.by_slug(work, slug)
        assert campaign
        for ask in offered:
            tally = OfferTally(campaign_no=campaign.no, ask_no=ask.no, count=1, at=work.now)
            work.session.add(tally)

    page = (await web.get(f"/n/{slug}")).text

    assert f'<a href="/demands/{served.uid}"><strong>Served</strong>' in page
    assert "Won already" not in page
    assert f"/demands/{other.uid}" not in page
    async with house.work(door=Door.CLI) as work:
        asked_all = await campaigns.by_slug(work, slug)
        assert asked_all
        asked_all.best_ask = False
    assert "one thing of their own" not in (await web.get(f"/n/{slug}")).text
