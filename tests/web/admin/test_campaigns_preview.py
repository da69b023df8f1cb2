"""How a campaign will look: a document that can do nothing, and words beside the form."""

import re
from html.parser import HTMLParser

import httpx
import pytest
from typing_extensions import override

from mailer.bootstrap import House
from mailer.campaigns.model import Revision
from tests.cast import Cast
from tests.support.campaigning import ENGLISH, FRENCH, draft, how_many
from tests.support.signing_in import post

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</td></table><svg onload=alert(1)>",
    '"><style>*{display:none}</style>',
]


async def test_the_preview_is_a_document_of_its_own_that_can_do_nothing(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast)

    shown = await admin.get(f"/admin/campaigns/{campaign.uid}/preview/en")

    assert shown.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; sandbox;"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
    assert "x-frame-options" not in shown.headers
    assert shown.headers["cache-control"] == "no-store"
    assert "<script" not in shown.text
    assert "968 letters" in shown.text
    assert "Dear Farida," in shown.text


async def test_its_frame_gives_it_no_rights(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast)

    shown = (await admin.get(f"/admin/campaigns/{campaign.uid}/write")).text

    [frame] = re.findall(r"<iframe[^>]*>", shown)
    assert " sandbox " in frame, "an empty sandbox allows nothing"
    assert "allow-" not in frame
    assert 'title="The email as this reader gets it"' in frame


async def test_a_name_is_only_words(admin: httpx.AsyncClient, house: House, cast: Cast) -> None:
    campaign = await draft(house, cast)

    shown = await admin.get(f"/admin/campaigns/{campaign.uid}/preview/en?name=awkward")

    assert "Maria-Zoë “Zee” &lt;O’Brien&gt; &amp; Co" in shown.text
    assert "<O’Brien>" not in shown.text


@pytest.mark.parametrize("attack", HOSTILE)
async def test_what_is_typed_is_only_words(
    admin: httpx.AsyncClient, house: House, cast: Cast, attack: str
) -> None:
    words = dict.fromkeys(("subject", "headline", "preheader", "markdown"), attack)
    campaign = await draft(house, cast, words={"en": words})
    usual = await draft(house, cast)

    framed = (await admin.get(f"/admin/campaigns/{campaign.uid}/preview/en")).text
    expected = (await admin.get(f"/admin/campaigns/{usual.uid}/preview/en")).text
    beside = (await admin.get(f"/admin/campaigns/{campaign.uid}/write")).text

    assert elements(framed) <= elements(expected), "the same elements, and no more attributes"
    assert attack not in beside


def elements(html: str) -> set[tuple[str, str]]:
    """Every element with the name of each of its attributes."""
    found: set[tuple[str, str]] = set()

    class Looker(HTMLParser):
        @override
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.update({(tag, ""), *((tag, name) for name, _value in attrs)})

    Looker().feed(html)
    return found


async def test_it_can_be_seen_as_readers_on_any_level_without_a_name_in_their_language(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast, words={"en": ENGLISH, "fr": FRENCH})
    preview = f"/admin/campaigns/{campaign.uid}/preview"

    supporter = (await admin.get(f"{preview}/en?as=supporter&name=unknown")).text
    organiser = (await admin.get(f"{preview}/fr?as=organiser&name=known")).text

    assert "Dear friend," in supporter
    assert "You are here: Supporter" in supporter
    assert "Bonjour Farida," in organiser
    assert 'lang="fr"' in organiser


async def test_what_is_typed_is_shown_without_being_kept(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast)
    page = f"/admin/campaigns/{campaign.uid}/write"
    typing = {**ENGLISH, "language": "en", "headline": "Not saved", "as": "follower"}

    framed = await post(admin, f"/admin/campaigns/{campaign.uid}/preview/en", typing, page=page)
    beside = await post(admin, f"/admin/campaigns/{campaign.uid}/sketch", typing, page=page)

    assert "Not saved" in framed.text
    assert "sandbox" in framed.headers["content-security-policy"]
    assert "under the 102 kB at which Gmail cuts" in beside.text
    assert "Dear Farida," in beside.text, "as plain text"
    assert "Not written in French" in beside.text
    assert "<html" not in beside.text, "a part of a page, for htmx"
    assert await how_many(house, of=Revision, campaign=campaign) == 1


async def test_what_cannot_be_read_says_why_in_both_places(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast)
    page = f"/admin/campaigns/{campaign.uid}/write"
    typing = {**ENGLISH, "language": "en", "markdown": "{{ nobody }} <b>"}

    framed = await post(admin, f"/admin/campaigns/{campaign.uid}/preview/en", typing, page=page)
    beside = await post(admin, f"/admin/campaigns/{campaign.uid}/sketch", typing, page=page)

    assert framed.status_code == 200
    assert "sandbox" in framed.headers["content-security-policy"]
    assert "This cannot be shown yet" in framed.text
    for shown in (framed, beside):
        assert "There is no merge field nobody" in shown.text


async def test_nothing_written_is_said_so(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast, words={})

    framed = await admin.get(f"/admin/campaigns/{campaign.uid}/preview/en")
    beside = await admin.get(f"/admin/campaigns/{campaign.uid}/write")

    assert "Nothing has been written yet" in framed.text
    assert "Nothing has been written yet" in beside.text


async def test_a_preview_is_not_for_other_sites(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast)

    answer = await admin.post(
        f"/admin/campaigns/{campaign.uid}/preview/en", data={**ENGLISH, "language": "en"}
    )

    assert answer.status_code == 403
