"""Review: who gets it is fixed and counted, and confirmed by that number and a fresh code."""

import asyncio
import re
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select

from mailer.audit.model import AuditLine
from mailer.bootstrap import House
from mailer.campaigns.model import CampaignState
from mailer.deliveries import freezing
from mailer.deliveries.model import Delivery
from mailer.relays.model import DomainPace, Relay
from tests import makers as make
from tests.cast import Cast
from tests.support.campaigning import (
    BASE,
    ENGLISH,
    FRENCH,
    as_it_is,
    draft,
    fresh_code,
    frozen,
    how_many,
    words_of,
)
from tests.support.signing_in import post, seed_of
from web.admin.counting import MINUS


async def test_a_review_saves_the_words_and_counts_who_gets_it(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast, words={})
    typed = {"language": "en", **ENGLISH, "list": "1", "reach": "everybody"}

    answer = await post(
        admin,
        f"/admin/campaigns/{campaign.uid}/review",
        typed,
        page=f"/admin/campaigns/{campaign.uid}/write",
    )
    shown = (await admin.get(answer.headers["location"])).text

    assert (await words_of(house, campaign))["en"] == ENGLISH
    assert (await as_it_is(house, campaign)).state is CampaignState.FROZEN
    assert await how_many(house, of=Delivery, campaign=campaign) == 2
    assert '<strong class="big__n">2</strong>' in shown
    assert "people: everybody on Bulletin, whatever their level." in shown
    assert "Schedule for 2 people" in shown
    assert "You have 5 minutes to undo after you confirm." in shown


async def test_everybody_who_is_left_out_is_counted_with_the_reason(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await frozen(house, cast, tier_nos=[cast.supporter.no])

    shown = (await admin.get(f"/admin/campaigns/{campaign.uid}/review")).text
    who = shown.partition('id="who"')[2].partition("</table>")[0]

    assert "people: Supporter on Bulletin." in shown
    for reason in ("On another level", "Left the list", "Never confirmed"):
        assert reason in who
        assert f">{MINUS}1</td>" in who.partition(reason)[2]
    assert ">4</td>" in who.partition("On the list")[2]
    assert ">1</td>" in who.partition("Get the email")[2]


async def test_levels_and_languages_of_those_who_get_it_are_told(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await frozen(house, cast, words={"en": ENGLISH})
    both = await frozen(house, cast, words={"en": ENGLISH, "fr": FRENCH})

    shown = (await admin.get(f"/admin/campaigns/{campaign.uid}/review")).text
    other = (await admin.get(f"/admin/campaigns/{both.uid}/review")).text

    levels = shown.partition('id="levels"')[2].partition("</table>")[0]
    assert ">1</td>" in levels.partition("Supporter")[2]
    assert ">1</td>" in levels.partition("Follower")[2]
    assert "1 in English, 1 in French." in shown
    assert "It is not written in French" in shown
    assert "1 person gets it in English." in shown
    assert "Everybody gets it in their own language" in other


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"reach": "levels"}, "Nobody gets this yet"),
        ({"list": ""}, "Choose the list whose people get it"),
        ({"markdown": ""}, "Nothing has been written yet"),
        ({"subject": ""}, "needs a subject and a headline"),
    ],
)
async def test_what_is_not_ready_is_not_reviewed_and_says_why(
    admin: httpx.AsyncClient, house: House, cast: Cast, typed: dict[str, str], said: str
) -> None:
    campaign = await draft(house, cast, words={})
    whole = {"language": "en", **ENGLISH, "list": "1", "reach": "everybody", **typed}

    answer = await post(
        admin,
        f"/admin/campaigns/{campaign.uid}/review",
        whole,
        page=f"/admin/campaigns/{campaign.uid}/write",
    )

    assert answer.status_code == 422
    assert said in answer.text
    assert ENGLISH["preheader"] in answer.text, "what was typed is still there"
    assert (await as_it_is(house, campaign)).state is CampaignState.DRAFT


# --- confirming ---------------------------------------------------------------------------------


async def test_the_exact_number_and_a_fresh_code_confirm_it(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await frozen(house, cast)
    review = f"/admin/campaigns/{campaign.uid}/review"

    answer = await post(
        admin,
        f"/admin/campaigns/{campaign.uid}/schedule",
        {"when": "now", "count": "2", "code": await fresh_code(house, cast.amina)},
        page=review,
    )

    confirmed = await as_it_is(house, campaign)
    assert answer.headers["location"] == f"/admin/campaigns/{campaign.uid}"
    assert confirmed.state is CampaignState.SCHEDULED
    assert confirmed.confirmed_by == cast.amina.no
    assert confirmed.confirmed_at
    assert confirmed.send_at == confirmed.confirmed_at + timedelta(seconds=300)


@pytest.mark.parametrize("typed", ["3", "", "two", "2.0001", "22"])
async def test_another_number_is_refused_and_does_not_use_up_the_code(
    admin: httpx.AsyncClient, house: House, cast: Cast, typed: str
) -> None:
    campaign = await frozen(house, cast)
    code = await fresh_code(house, cast.amina)
    review = f"/admin/campaigns/{campaign.uid}/review"
    schedule = f"/admin/campaigns/{campaign.uid}/schedule"

    answer = await post(admin, schedule, {"count": typed, "code": code}, page=review)
    again = await post(admin, schedule, {"count": "2", "code": code}, page=review)

    assert answer.status_code == 422
    assert "Type the exact number, 2" in answer.text.partition('id="count-error"')[2]
    assert code not in answer.text, "a code never comes back"
    assert not typed or f'value="{typed}"' in answer.text
    assert again.status_code == 303


async def test_a_number_from_before_a_change_is_refused(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await frozen(house, cast)
    review = f"/admin/campaigns/{campaign.uid}/review"
    seen = (await admin.get(review)).text
    async with house.work(account=cast.esra.no) as work:  # somebody else reviews it afresh
        work.session.add(campaign)
        await freezing.unfreeze(work, campaign)
        await make.people(work, 3)
        await freezing.review(work, campaign, base=BASE)

    answer = await post(
        admin,
        f"/admin/campaigns/{campaign.uid}/schedule",
        {"count": "2", "code": await fresh_code(house, cast.amina)},
        page=review,
    )

    assert "Schedule for 2 people" in seen
    assert answer.status_code == 422
    assert "Type the exact number, 5" in answer.text
    assert (await as_it_is(house, campaign)).state is CampaignState.FROZEN


@pytest.mark.parametrize("code", ["000000", "", "12345", "one two", "١٢٣٤٥٦"])
async def test_a_wrong_code_sends_nothing(
    admin: httpx.AsyncClient, house: House, cast: Cast, code: str
) -> None:
    campaign = await frozen(house, cast)

    answer = await post(
        admin,
        f"/admin/campaigns/{campaign.uid}/schedule",
        {"when": "later", "day": "2031-01-02", "hour": "10:30", "count": "2", "code": code},
        page=f"/admin/campaigns/{campaign.uid}/review",
    )

    assert answer.status_code == 422
    assert 'id="code-error"' in answer.text
    for kept in ('value="2"', 'value="2031-01-02"', 'value="10:30"', 'value="later" checked'):
        assert kept in answer.text
    left = await as_it_is(house, campaign)
    assert (left.state, left.confirmed_at, left.send_at) == (CampaignState.FROZEN, None, None)


async def test_the_code_that_one_signed_in_with_does_not_count_again(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    first, second = await frozen(house, cast), await frozen(house, cast)
    code = await fresh_code(house, cast.amina)

    answers = [
        await post(
            admin,
            f"/admin/campaigns/{campaign.uid}/schedule",
            {"count": "2", "code": code},
            page=f"/admin/campaigns/{campaign.uid}/review",
        )
        for campaign in (first, second)
    ]

    assert [answer.status_code for answer in answers] == [303, 422]
    assert "This code has been used" in answers[1].text
    assert (await as_it_is(house, second)).state is CampaignState.FROZEN


async def test_somebody_elses_code_does_not_count(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await frozen(house, cast)
    assert await seed_of(house, cast.esra) != await seed_of(house, cast.amina)

    answer = await post(
        admin,
        f"/admin/campaigns/{campaign.uid}/schedule",
        {"count": "2", "code": await fresh_code(house, cast.esra)},
        page=f"/admin/campaigns/{campaign.uid}/review",
    )

    assert answer.status_code == 422
    assert (await as_it_is(house, campaign)).state is CampaignState.FROZEN


async def test_who_guesses_codes_has_to_wait(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await frozen(house, cast)
    guess = {"count": "2", "code": "000000"}
    review = f"/admin/campaigns/{campaign.uid}/review"
    schedule = f"/admin/campaigns/{campaign.uid}/schedule"

    said = [(await post(admin, schedule, guess, page=review)).text for _try in range(6)]

    assert "This is not the code" in said[0]
    assert "Too many tries" in said[-1]


async def test_pressing_twice_confirms_once(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await frozen(house, cast)
    seen = (await admin.get(f"/admin/campaigns/{campaign.uid}/review")).text
    form = {
        "count": "2",
        "code": await fresh_code(house, cast.amina),
        "csrf": seen.partition('name="csrf" value="')[2].partition('"')[0],
    }

    schedule = f"/admin/campaigns/{campaign.uid}/schedule"
    both = await asyncio.gather(*(admin.post(schedule, data=form) for _press in range(2)))
    third = await admin.post(schedule, data=form)

    assert 303 in {answer.status_code for answer in both}
    assert third.headers["location"] == f"/admin/campaigns/{campaign.uid}"
    assert await _times(house, "campaign_confirmed") == 1
    assert await how_many(house, of=Delivery, campaign=campaign) == 2


async def test_it_can_go_at_a_later_hour_in_utc(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await frozen(house, cast)

    await post(
        admin,
        f"/admin/campaigns/{campaign.uid}/schedule",
        {
            "when": "later",
            "day": "2031-06-12",
            "hour": "10:00",
            "count": "2",
            "code": await fresh_code(house, cast.amina),
        },
        page=f"/admin/campaigns/{campaign.uid}/review",
    )
    shown = (await admin.get(f"/admin/campaigns/{campaign.uid}")).text

    at = (await as_it_is(house, campaign)).send_at
    assert at
    assert at.isoformat() == "2031-06-12T10:00:00+00:00"
    assert "UTC on Thursday 12 June 2031" in shown


@pytest.mark.parametrize(
    ("day", "hour", "said"),
    [
        ("2001-06-12", "10:00", "This time has passed"),
        ("", "", "Choose a day and a time"),
        ("2031-13-45", "10:00", "Choose a day and a time"),
        ("2031-06-12", "half past", "Choose a day and a time"),
    ],
)
async def test_an_hour_that_cannot_be_is_refused(
    admin: httpx.AsyncClient, house: House, cast: Cast, day: str, hour: str, said: str
) -> None:
    campaign = await frozen(house, cast)

    answer = await post(
        admin,
        f"/admin/campaigns/{campaign.uid}/schedule",
        {"when": "later", "day": day, "hour": hour, "count": "2", "code": "000000"},
        page=f"/admin/campaigns/{campaign.uid}/review",
    )

    assert answer.status_code == 422
    assert said in answer.text.partition('id="day-error"')[2]


async def test_nobody_left_cannot_be_confirmed(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await frozen(house, cast, tier_nos=[cast.organiser.no])

    answer = await post(
        admin,
        f"/admin/campaigns/{campaign.uid}/schedule",
        {"count": "0", "code": await fresh_code(house, cast.amina)},
        page=f"/admin/campaigns/{campaign.uid}/review",
    )

    assert answer.status_code == 422
    assert "Nobody is left to get this campaign" in answer.text


async def test_back_to_the_draft_takes_the_count_away(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await frozen(house, cast)

    answer = await post(
        admin,
        f"/admin/campaigns/{campaign.uid}/draft",
        page=f"/admin/campaigns/{campaign.uid}/review",
    )

    assert answer.headers["location"] == f"/admin/campaigns/{campaign.uid}/write"
    back = await as_it_is(house, campaign)
    assert (back.state, back.recipients) == (CampaignState.DRAFT, None)
    assert await how_many(house, of=Delivery, campaign=campaign) == 0


async def _times(house: House, act: str) -> int:
    async with house.work(reading=True) as work:
        found = await work.session.scalar(
            select(func.count()).select_from(AuditLine).where(AuditLine.act == act)
        )
    return found or 0


async def test_how_long_it_takes_is_told_by_the_pace_of_earlier_ones(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await frozen(house, cast)
    page = f"/admin/campaigns/{campaign.uid}/review"

    nobody_knows = (await admin.get(page)).text
    async with house.work() as work:
        relay = await work.session.get_one(Relay, 1)
        relay.per_hour = 1  # the second of two people waits for the next hour
    known = (await admin.get(page)).text

    assert "can be told once a larger campaign has been sent" in nobody_knows
    assert "It takes about" not in nobody_knows
    assert re.search(r"It takes about [^:]+: confirmed now, it is done by about", known)


async def test_domains_that_get_it_later_are_among_the_checks(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await frozen(house, cast)
    async with house.work() as work:
        slow = DomainPace(domain="example.org")
        slow.slow_down(work.now, observed=60.0, code=451, reply="4.7.1 greylisted")
        work.session.add(slow)

    shown = (await admin.get(f"/admin/campaigns/{campaign.uid}/review")).text

    assert "Slower to example.org: " in shown
    assert "“451 4.7.1 greylisted”" in shown
