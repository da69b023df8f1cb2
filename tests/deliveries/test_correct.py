"""A correction: exactly those who got the first, as far as they may still be written to."""

from typing import Any

import pytest

from mailer.audit import store as audit
from mailer.bootstrap import House
from mailer.campaigns import composing, correcting, sending
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign, CampaignState, Kind, OnDoubt
from mailer.consent import actions as consent
from mailer.deliveries import freezing
from mailer.deliveries.model import Reason
from mailer.kit.i18n import speaking
from mailer.kit.work import Door, Work
from mailer.outbox.model import DeliveryState
from mailer.subscribers import actions as subscribers
from mailer.subscribers import store as roll
from tests import makers as make
from tests.cast import Cast
from tests.support.campaigning import (
    BASE,
    ENGLISH,
    FRENCH,
    as_it_is,
    became,
    begun,
    draft,
    ended,
    scheduled,
    words_of,
)
from tests.support.sending import rows

SENT, IN_DOUBT, REFUSED, FAILED = (
    DeliveryState.SENT,
    DeliveryState.IN_DOUBT,
    DeliveryState.REFUSED,
    DeliveryState.FAILED,
)


async def found(work: Work, no: int) -> Campaign:
    campaign = await campaigns.by_no(work, no)
    assert campaign
    return campaign


async def corrected(house: House, cast: Cast, first: Campaign) -> Campaign:
    """Begin the correction of a campaign."""
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        return await correcting.correct(work, await found(work, first.no))


async def reviewed(house: House, correction: Campaign) -> Campaign:
    async with house.work() as work:
        return await freezing.review(work, await found(work, correction.no), base=BASE)


async def test_it_is_an_alert_with_the_same_words_and_a_subject_to_tell(
    house: House, cast: Cast
) -> None:
    first = await begun(house, cast, words={"en": ENGLISH, "fr": FRENCH})

    correction = await corrected(house, cast, first)

    assert correction.state is CampaignState.DRAFT
    assert correction.kind is Kind.ALERT
    assert correction.on_doubt is OnDoubt.RESEND
    assert correction.name == "Correction: The right to work"
    assert correction.list_no == first.list_no
    assert correction.corrects_no == first.no
    words = await words_of(house, correction)
    assert words["en"] == {**ENGLISH, "subject": f"Correction: {ENGLISH['subject']}"}
    assert words["fr"]["markdown"] == FRENCH["markdown"]
    with speaking("fr"):
        assert words["fr"]["subject"] == correcting._marked("fr", FRENCH)["subject"]
    assert words["fr"]["subject"].endswith(FRENCH["subject"])
    assert words["fr"]["subject"] != FRENCH["subject"]
    async with house.work(reading=True) as work:
        newest = (await audit.newest(work)).rows[0]
        assert (newest.act, newest.facts["campaign"]) == ("correction_begun", first.no)
        assert [one.no for one in await campaigns.corrections(work, first)] == [correction.no]


async def test_the_correction_of_a_correction_says_so_once(house: House, cast: Cast) -> None:
    first = await begun(house, cast)
    second = await corrected(house, cast, first)
    async with house.work() as work:
        again = await found(work, second.no)
        again.started_at = work.now
        third = await correcting.correct(work, again)

    words = await words_of(house, third)
    assert words["en"]["subject"] == f"Correction: {ENGLISH['subject']}"


async def test_a_subject_that_leaves_no_room_is_not_cut_in_a_merge_field(
    house: House, cast: Cast
) -> None:
    subject = "y" * 226 + "{{ first_name|friend }}"
    assert len(subject) < 250 < len(f"Correction: {subject}")
    first = await begun(house, cast, words={"en": {**ENGLISH, "subject": subject}})

    words = await words_of(house, await corrected(house, cast, first))

    assert words["en"]["subject"] == "A correction"


async def test_it_goes_to_those_who_got_it_or_may_have(house: House, cast: Cast) -> None:
    async with house.work() as work:
        people = await make.people(work, 6)
    first = await begun(house, cast)
    got, may_have, left, refused, failed, _waits = [one.no for one in people]
    await became(house, first, SENT, cast.bo.no, got, code=250)
    await became(house, first, IN_DOUBT, may_have, reply="")
    await became(house, first, FAILED, left, reply=Reason.LEFT_IN_DOUBT.value)
    await became(house, first, REFUSED, refused, reply="5.1.1 no")
    await became(house, first, FAILED, failed, reply="4.2.2 full")

    correction = await reviewed(house, await corrected(house, cast, first))

    assert correction.recipients == 4
    assert set(await rows(house, correction.no)) == {cast.bo.no, got, may_have, left}
    assert correction.left_out == {}, "who did not get the first is not left out of anything"


async def test_who_may_not_be_written_to_any_more_is_left_out_with_the_reason(
    house: House, cast: Cast
) -> None:
    async with house.work() as work:
        people = await make.people(work, 3)
    first = await begun(house, cast)
    await became(house, first, SENT, cast.bo.no, cast.gil.no, *[one.no for one in people])
    async with house.work() as work:
        left, paused, off = [await roll.by_no(work, one.no) for one in people]
        assert left
        assert paused
        assert off
        await consent.unsubscribe(work, left, list_no=None)
        await subscribers.pause(work, paused)
        await consent.take_off(work, off)

    correction = await reviewed(house, await corrected(house, cast, first))

    assert set(await rows(house, correction.no)) == {cast.bo.no, cast.gil.no}
    assert correction.left_out == {"unsubscribed": 1, "paused": 1, "suppressed": 1}


async def test_whatever_level_they_are_on_now(house: House, cast: Cast) -> None:
    first = await begun(house, cast, tier_nos=[cast.supporter.no])
    await became(house, first, SENT, cast.bo.no, code=250)

    correction = await reviewed(house, await corrected(house, cast, first))

    assert set(await rows(house, correction.no)) == {cast.bo.no}


async def test_it_is_counted_when_it_is_reviewed_and_not_when_it_is_begun(
    house: House, cast: Cast
) -> None:
    first = await begun(house, cast)
    await became(house, first, SENT, cast.bo.no, code=250)
    correction = await corrected(house, cast, first)
    await became(house, first, SENT, cast.gil.no, code=250)
    correction = await reviewed(house, correction)
    assert correction.recipients == 2

    async with house.work() as work:
        back = await found(work, correction.no)
        await freezing.unfreeze(work, back)
        bo = await roll.by_no(work, cast.bo.no)
        assert bo
        await consent.unsubscribe(work, bo, list_no=None)
    assert (await reviewed(house, correction)).recipients == 1


@pytest.mark.parametrize("how", ["paused", "cancelled", "sent"])
async def test_of_a_campaign_that_is_paused_stopped_or_over(
    house: House, cast: Cast, how: str
) -> None:
    first = await begun(house, cast)
    await became(house, first, SENT, cast.bo.no, code=250)
    if how == "sent":
        await ended(house, first)
    else:
        async with house.work() as work:
            now = await found(work, first.no)
            await (sending.pause if how == "paused" else sending.cancel)(work, now)

    correction = await reviewed(house, await corrected(house, cast, first))

    assert set(await rows(house, correction.no)) == {cast.bo.no}


async def test_what_nobody_got_is_changed_and_not_corrected(house: House, cast: Cast) -> None:
    for first in (await draft(house, cast), await scheduled(house, cast)):
        with pytest.raises(correcting.NobodyHasIt):
            await corrected(house, cast, first)


async def test_its_people_are_given_and_the_rest_can_be_chosen(house: House, cast: Cast) -> None:
    first = await begun(house, cast)
    correction = await corrected(house, cast, first)
    given: dict[str, Any] = {"list_no": cast.bulletin.no, "to_everybody": True, "tier_nos": []}
    async with house.work() as work:
        other = await make.mailing_list(work)
        now = await found(work, correction.no)
        for change in ({"list_no": other.no}, {"to_everybody": False}, {"tier_nos": [1]}):
            with pytest.raises(composing.AudienceGiven):
                await composing.choose_audience(work, now, **{**given, **change})
        await composing.choose_audience(
            work,
            now,
            **given,
            on_doubt=OnDoubt.HOLD,
            in_archive=False,
        )

    now = await as_it_is(house, correction)
    assert (now.on_doubt, now.in_archive) == (OnDoubt.HOLD, False)
