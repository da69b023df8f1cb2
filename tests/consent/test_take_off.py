"""Never writing to somebody again."""

import pytest
from sqlalchemy import select

from mailer.activity import store as activity
from mailer.audit.model import AuditLine
from mailer.consent import actions as consent
from mailer.consent import store
from mailer.consent.model import SubscriberState
from mailer.kit.work import Work
from mailer.outbox import store as outbox
from mailer.subscribers.actions import SubscriberUnknown, add
from mailer.subscribers.model import SuppressionReason
from mailer.tiers.joining import sign_up
from tests import makers as make
from tests.cast import Cast


async def acts(work: Work) -> list[str]:
    return list(await work.session.scalars(select(AuditLine.act).order_by(AuditLine.no)))


async def test_somebody_is_taken_off_without_a_letter_and_it_is_written_down(
    cast: Cast, work: Work
) -> None:
    esras = make.by_account(work, cast.esra.no)
    before = await outbox.letters_to(work, cast.bo.no)

    await consent.take_off(esras, cast.bo)
    await consent.take_off(esras, cast.bo)

    assert await consent.state_of(work, cast.bo) is SubscriberState.SUPPRESSED
    assert await store.is_suppressed(work, cast.bo)
    assert await outbox.letters_to(work, cast.bo.no) == before
    assert (await activity.kinds(work, cast.bo.no)).count("taken_off") == 1
    assert (await acts(work)).count("subscriber_taken_off") == 1


async def test_a_mistake_is_taken_back_and_they_stand_where_they_stood(
    cast: Cast, work: Work
) -> None:
    await consent.take_off(work, cast.bo)
    await consent.put_back(work, cast.bo)
    await consent.put_back(work, cast.bo)

    assert await consent.state_of(work, cast.bo) is SubscriberState.ACTIVE
    assert (await activity.kinds(work, cast.bo.no)).count("put_back") == 1
    assert "subscriber_put_back" in await acts(work)


async def test_a_complaint_is_not_ours_to_take_back(cast: Cast, work: Work) -> None:
    await consent.take_off(work, cast.bo, reason=SuppressionReason.COMPLAINT)
    with pytest.raises(consent.ComplaintStands):
        await consent.put_back(work, cast.bo)


async def test_the_first_reason_stands(cast: Cast, work: Work) -> None:
    await consent.take_off(work, cast.bo, reason=SuppressionReason.COMPLAINT)
    await consent.take_off(work, cast.bo, reason=SuppressionReason.ASKED)
    with pytest.raises(consent.ComplaintStands):
        await consent.put_back(work, cast.bo)


async def test_without_an_address_there_is_nothing_to_take_off(cast: Cast, work: Work) -> None:
    ola = await add(work, address=None)
    with pytest.raises(consent.NoAddress):
        await consent.take_off(work, ola)
    await consent.put_back(work, ola)
    assert not await store.is_suppressed(work, ola)


async def test_known_opt_outs_hold_for_those_who_come_later(cast: Cast, work: Work) -> None:
    addresses = ["bo@example.org", "Later@Example.org", "later@example.org"]

    assert await consent.suppress_many(work, addresses, SuppressionReason.IMPORTED) == 2
    assert await consent.suppress_many(work, addresses, SuppressionReason.IMPORTED) == 0

    assert await consent.state_of(work, cast.bo) is SubscriberState.SUPPRESSED
    assert (await activity.kinds(work, cast.bo.no))[-1] == "taken_off"
    later = await add(work, address="later@example.org")
    agreed = await consent.agree_many(
        work, [later.no], cast.bulletin, wording="Yes.", language="en"
    )
    assert agreed == []
    assert await consent.state_of(work, later) is SubscriberState.SUPPRESSED


async def test_a_suppressed_address_cannot_sign_itself_up_again(cast: Cast, work: Work) -> None:
    await consent.take_off(work, cast.bo)
    for address in ("bo@example.org",):
        await sign_up(
            work,
            address=address,
            first_name="Bo",
            language="en",
            tier_slug="follower",
            list_slug="bulletin",
            wording="Yes.",
        )
    assert await consent.state_of(work, cast.bo) is SubscriberState.SUPPRESSED


async def test_a_group_organiser_takes_off_nobody_out_of_sight(cast: Cast, work: Work) -> None:
    farids = make.seen_by(work, cast.harbour)
    with pytest.raises(SubscriberUnknown):
        await consent.take_off(farids, cast.bo)
    await consent.take_off(farids, cast.gil)
    assert await consent.state_of(farids, cast.gil) is SubscriberState.SUPPRESSED
