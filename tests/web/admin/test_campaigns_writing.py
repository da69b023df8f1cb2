"""Writing a campaign: its words in each language, who gets it, and the test to oneself."""

import httpx
import pytest
from sqlalchemy import select

from mailer.bootstrap import House
from mailer.campaigns import composing
from mailer.campaigns.model import Campaign, CampaignState, OnDoubt, Revision
from mailer.kit.work import Work
from mailer.outbox.model import Letter
from tests.cast import Cast
from tests.support.campaigning import (
    ENGLISH,
    FRENCH,
    as_it_is,
    draft,
    frozen,
    how_many,
    words_of,
)
from tests.support.signing_in import post


def typed(cast: Cast, **more: str | list[str]) -> dict[str, str | list[str]]:
    """What the form of a draft sends."""
    return {
        "language": "en",
        "then": "en",
        **ENGLISH,
        "list": str(cast.bulletin.no),
        "reach": "everybody",
        "on_doubt": "hold",
        **more,
    }


async def test_what_is_typed_is_saved_and_said_so(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast, words={})
    page = f"/admin/campaigns/{campaign.uid}/write"

    answer = await post(admin, page, typed(cast, in_archive="yes"))
    shown = (await admin.get(answer.headers["location"])).text

    assert await words_of(house, campaign) == {"en": ENGLISH}
    assert "<p>Saved.</p>" in shown
    assert "by Amina" in shown
    assert ENGLISH["headline"] in shown


async def test_each_language_is_saved_by_itself(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast)
    page = f"/admin/campaigns/{campaign.uid}/write"

    empty = (await admin.get(f"{page}?language=fr")).text
    answer = await post(admin, page, typed(cast, language="fr", then="en", **FRENCH))

    assert ENGLISH["headline"] not in empty.partition("<iframe")[0]
    assert answer.headers["location"] == f"{page}?language=en"
    assert await words_of(house, campaign) == {"en": ENGLISH, "fr": FRENCH}


async def test_a_draft_may_be_half_written(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast, words={})
    page = f"/admin/campaigns/{campaign.uid}/write"

    await post(admin, page, typed(cast, subject="Soon", headline="", preheader="", markdown=""))

    assert (await words_of(house, campaign))["en"]["subject"] == "Soon"
    assert 'value="Soon"' in (await admin.get(page)).text


async def test_saving_the_same_words_twice_adds_no_revision(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast)
    page = f"/admin/campaigns/{campaign.uid}/write"

    for _again in range(2):
        await post(admin, page, typed(cast))

    assert await how_many(house, of=Revision, campaign=campaign) == 1


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        (
            {"markdown": "Fine.\n\n[Here](javascript:alert(1))"},
            "markdown",
            "Line 3: A link goes to javascript:alert(1)",
        ),
        (
            {"markdown": "Dear {{ firstname }}"},
            "markdown",
            "Line 1: There is no merge field firstname",
        ),
        ({"subject": "For {{ first_name }}"}, "subject", "Not everybody has a first_name"),
        ({"headline": "{{ tier"}, "headline", "This is not a merge field"),
        ({"list": "4711"}, "list", "Choose one of the lists"),
        ({"reach": "levels", "tier": ["4711"]}, "tier", "Choose among the levels"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    admin: httpx.AsyncClient,
    house: House,
    cast: Cast,
    wrong: dict[str, str],
    field: str,
    said: str,
) -> None:
    campaign = await draft(house, cast, words={})
    page = f"/admin/campaigns/{campaign.uid}/write"

    answer = await post(admin, page, typed(cast, preheader="Do not lose this", **wrong))

    assert answer.status_code == 422
    assert said in answer.text.partition(f'id="{field}-error"')[2]
    assert f'href="#{field}"' in answer.text
    assert 'value="Do not lose this"' in answer.text
    assert "data-typed" in answer.text, "the page knows that this is not saved"
    assert await words_of(house, campaign) == {}


async def test_nobody_gets_it_until_somebody_is_chosen(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    began = await post(admin, "/admin/campaigns/new", {"name": "New"})
    shown = (await admin.get(began.headers["location"])).text

    assert "Bulletin, 2 people" in shown
    assert "Whatever their level. Today that is 2 people." in shown
    assert 'value="levels" checked' in shown
    assert 'name="tier" type="checkbox" value="1" checked' not in shown


async def test_some_levels_can_be_chosen_and_what_happens_in_doubt(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast)
    page = f"/admin/campaigns/{campaign.uid}/write"
    levels = [str(cast.supporter.no), str(cast.activist.no)]

    await post(admin, page, typed(cast, reach="levels", tier=levels, on_doubt="resend"))

    chosen = await as_it_is(house, campaign)
    assert chosen.tier_nos == [cast.supporter.no, cast.activist.no]
    assert not chosen.to_everybody
    assert chosen.on_doubt is OnDoubt.RESEND
    assert not chosen.in_archive
    shown = (await admin.get(page)).text
    assert f'id="tier-{cast.supporter.no}" name="tier" type="checkbox" value="2" checked' in shown


async def test_what_was_reviewed_cannot_be_changed(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign, other = await frozen(house, cast), await draft(house, cast)

    answer = await post(
        admin,
        f"/admin/campaigns/{campaign.uid}/write",
        typed(cast, subject="Changed"),
        page=f"/admin/campaigns/{other.uid}/write",
    )

    assert answer.status_code == 422
    assert "Only a draft can be changed" in answer.text
    assert (await words_of(house, campaign))["en"] == ENGLISH


async def test_two_who_write_at_once_do_not_lose_each_others_words(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast)
    page = f"/admin/campaigns/{campaign.uid}/write"
    opened = (await admin.get(page)).text.partition('name="opened" value="')[2].partition('"')[0]
    other = {**ENGLISH, "subject": "Esra’s"}
    async with house.work(account=cast.esra.no) as work:
        await composing.revise(work, await _fresh(work, campaign), words={"en": other})

    refused = await post(admin, page, typed(cast, subject="Amina’s", opened=opened))
    kept = await words_of(house, campaign)
    again = refused.text.partition('name="opened" value="')[2].partition('"')[0]
    await post(admin, page, typed(cast, subject="Amina’s", opened=again))

    assert refused.status_code == 422
    assert "Somebody saved other words after you opened these" in refused.text
    assert 'value="Amina’s"' in refused.text
    assert kept["en"]["subject"] == "Esra’s"
    assert (await words_of(house, campaign))["en"]["subject"] == "Amina’s"


async def test_two_can_write_in_two_languages_at_once(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast)
    page = f"/admin/campaigns/{campaign.uid}/write"
    opened = (await admin.get(page)).text.partition('name="opened" value="')[2].partition('"')[0]
    async with house.work(account=cast.esra.no) as work:
        both = {"en": ENGLISH, "fr": FRENCH}
        await composing.revise(work, await _fresh(work, campaign), words=both)

    answer = await post(admin, page, typed(cast, subject="Amina’s", opened=opened))

    assert answer.status_code == 303
    assert await words_of(house, campaign) == {
        "en": {**ENGLISH, "subject": "Amina’s"},
        "fr": FRENCH,
    }


async def _fresh(work: Work, campaign: Campaign) -> Campaign:
    return await work.session.get_one(Campaign, campaign.no)


async def test_a_form_without_its_words_empties_nothing(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast)

    await post(admin, f"/admin/campaigns/{campaign.uid}/write", {"then": "en"})

    assert await words_of(house, campaign) == {"en": ENGLISH}


# --- the test to oneself ------------------------------------------------------------------------


async def test_a_test_saves_the_words_and_goes_to_ones_own_address_only(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast, words={})
    before = await _letters(house)

    answer = await post(
        admin,
        f"/admin/campaigns/{campaign.uid}/test",
        typed(cast, to="bo@example.org", account=str(cast.esra.no)),
        page=f"/admin/campaigns/{campaign.uid}/write",
    )
    shown = (await admin.get(answer.headers["location"])).text

    [letter] = [one for one in await _letters(house) if one.no not in {old.no for old in before}]
    assert letter.kind == "test-newsletter"
    assert (letter.account_no, letter.subscriber_no, letter.address) == (cast.amina.no, None, None)
    assert await words_of(house, campaign) == {"en": ENGLISH}
    assert "your own address, amina@war.example.org, and to nobody else" in shown


async def test_words_that_cannot_be_sent_are_not_sent_as_a_test_either(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast, words={})
    before = await _letters(house)

    answer = await post(
        admin,
        f"/admin/campaigns/{campaign.uid}/test",
        typed(cast, headline=""),
        page=f"/admin/campaigns/{campaign.uid}/write",
    )

    assert answer.status_code == 422
    assert "A language that has a text needs a subject and a headline" in answer.text
    assert len(await _letters(house)) == len(before)


async def test_a_reviewed_campaign_can_be_tested_too(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await frozen(house, cast)

    answer = await post(
        admin,
        f"/admin/campaigns/{campaign.uid}/test",
        page=f"/admin/campaigns/{campaign.uid}/review",
    )

    assert answer.status_code == 303
    assert (await as_it_is(house, campaign)).state is CampaignState.FROZEN
    assert (await _letters(house))[-1].kind == "test-newsletter"


async def _letters(house: House) -> list[Letter]:
    async with house.work(reading=True) as work:
        return list(await work.session.scalars(select(Letter).order_by(Letter.no)))
