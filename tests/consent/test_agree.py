"""Agreeing without a letter: from a page that only they could open, or by a file with evidence."""

from mailer.activity import store as activity
from mailer.consent import actions as consent
from mailer.consent import store
from mailer.consent.model import SubscriberState, SubscriptionState
from mailer.kit.work import Work
from mailer.outbox import store as outbox
from mailer.subscribers.actions import add, stop_silently
from tests import makers as make
from tests.cast import Cast


async def test_a_file_with_evidence_makes_people_active_and_writes_to_nobody(
    cast: Cast, work: Work
) -> None:
    new = await add(work, address="new@example.org")

    agreed = await consent.agree_many(
        work, [new.no, cast.dana.no], cast.bulletin, wording="On paper, 1 May.", language="fr"
    )

    assert agreed == sorted([new.no, cast.dana.no])
    assert await consent.state_of(work, new) is SubscriberState.ACTIVE
    [record] = await store.records_of(work, new.no)
    assert (record.given, record.wording, record.language) == (True, "On paper, 1 May.", "fr")
    assert await activity.kinds(work, new.no) == ["joined", "agreed"]
    assert await outbox.letters_to(work, new.no) == []


async def test_a_file_brings_nobody_back(cast: Cast, work: Work) -> None:
    off = await add(work, address="off@example.org")
    await consent.take_off(work, off)
    stopped = await add(work, address="stopped@example.org")
    await stop_silently(work, stopped)
    paper = await add(work, address=None)
    nobody = [one.no for one in (cast.bo, cast.chidi, off, stopped, paper)]

    agreed = await consent.agree_many(
        work, [*nobody, 404], cast.bulletin, wording="On paper.", language="en"
    )

    assert agreed == []
    assert await consent.state_of(work, cast.chidi) is SubscriberState.UNSUBSCRIBED
    assert await store.subscriptions_of(work, off.no) == []


async def test_agreeing_twice_is_agreeing_once(cast: Cast, work: Work) -> None:
    new = await add(work, address="new@example.org")
    for _ in range(2):
        await consent.agree_many(work, [new.no], cast.bulletin, wording="Yes.", language="en")
    assert len(await store.records_of(work, new.no)) == 1


async def test_one_more_list_needs_no_letter_where_it_asks_for_none(cast: Cast, work: Work) -> None:
    strict = await make.mailing_list(work, "Strict")
    easy = await make.mailing_list(work, "Easy", double_opt_in=False)

    asked = await consent.agree(work, cast.bo, strict, wording="Yes.", language="en")
    joined = await consent.agree(work, cast.bo, easy, wording="Yes.", language="en")

    assert asked is not None
    assert joined is None
    standing = {one.list_no: one.state for one in await store.subscriptions_of(work, cast.bo.no)}
    assert standing[strict.no] is SubscriptionState.UNCONFIRMED
    assert standing[easy.no] is SubscriptionState.CONFIRMED
