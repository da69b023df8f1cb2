"""What an organiser does to many at once, and taking it back for those alone whom it changed."""

import pytest

from mailer.activity import store as activity
from mailer.consent import actions as consent
from mailer.consent import store
from mailer.consent.model import SubscriberState, SubscriptionState
from mailer.kit.work import Work
from mailer.outbox import store as outbox
from mailer.subscribers.actions import add
from mailer.subscribers.model import Subscriber, SuppressionReason
from tests import makers as make
from tests.cast import Cast


async def state(work: Work, person: Subscriber, list_no: int) -> SubscriptionState | None:
    standing = await store.subscription(work, person.no, list_no)
    return standing.state if standing else None


async def test_many_are_taken_off_a_list_without_a_letter(cast: Cast, work: Work) -> None:
    admin = make.by_account(work, cast.amina.no)
    everybody = [one.no for one in (cast.bo, cast.chidi, cast.dana, cast.gil)]
    letters = len(await outbox.letters_to(work, cast.bo.no))

    left = await consent.unsubscribe_many(admin, [*everybody, 404], cast.bulletin)

    assert left == sorted([cast.bo.no, cast.dana.no, cast.gil.no])  # Chidi had left before
    assert await consent.state_of(work, cast.bo) is SubscriberState.UNSUBSCRIBED
    assert len(await outbox.letters_to(work, cast.bo.no)) == letters
    [line] = await activity.lines_of(work, cast.bo.no, kinds=["unsubscribed"])
    last = (await store.records_of(work, cast.bo.no))[-1]
    assert line.facts == {"record": last.no, "lists": [cast.bulletin.no]}
    assert (last.given, last.account_no) == (False, cast.amina.no)
    assert await consent.unsubscribe_many(admin, everybody, cast.bulletin) == []


async def test_they_are_put_back_where_they_stood(cast: Cast, work: Work) -> None:
    admin = make.by_account(work, cast.amina.no)
    everybody = [one.no for one in (cast.bo, cast.chidi, cast.dana, cast.gil)]
    left = await consent.unsubscribe_many(admin, everybody, cast.bulletin)

    back = await consent.undo_unsubscribe_many(admin, left, cast.bulletin)

    assert back == left == sorted([cast.bo.no, cast.dana.no, cast.gil.no])
    assert await state(work, cast.bo, cast.bulletin.no) is SubscriptionState.CONFIRMED
    assert await state(work, cast.dana, cast.bulletin.no) is SubscriptionState.UNCONFIRMED
    assert await state(work, cast.chidi, cast.bulletin.no) is SubscriptionState.UNSUBSCRIBED
    last = (await store.records_of(work, cast.bo.no))[-1]
    assert (last.given, last.wording) == (True, cast.wording)
    assert await consent.undo_unsubscribe_many(admin, left, cast.bulletin) == []


async def test_who_has_left_by_themselves_since_stays_gone(cast: Cast, work: Work) -> None:
    admin = make.by_account(work, cast.amina.no)
    both = [cast.bo.no, cast.gil.no]
    await consent.unsubscribe_many(admin, both, cast.bulletin)
    asked = await consent.ask(work, cast.bo, cast.bulletin, wording="Yes.", language="en")
    await consent.confirm(work, asked.no)
    await consent.unsubscribe(work, cast.bo, list_no=None)
    await consent.take_off(work, cast.gil)

    assert await consent.undo_unsubscribe_many(admin, both, cast.bulletin) == []


async def test_after_thirty_days_nobody_is_put_back(cast: Cast, work: Work) -> None:
    admin = make.by_account(work, cast.amina.no)
    await consent.unsubscribe_many(admin, [cast.bo.no], cast.bulletin)
    late = make.later(admin, days=31)
    assert await consent.undo_unsubscribe_many(late, [cast.bo.no], cast.bulletin) == []


async def test_many_are_never_written_to_again_and_may_be_again(cast: Cast, work: Work) -> None:
    paper = await add(work, address=None)
    loud = await add(work, address="loud@example.org")
    await consent.take_off(work, loud, reason=SuppressionReason.COMPLAINT)
    everybody = [cast.bo.no, cast.gil.no, loud.no, paper.no]

    taken = await consent.take_off_many(work, everybody)

    assert taken == sorted([cast.bo.no, cast.gil.no])
    assert await consent.state_of(work, cast.bo) is SubscriberState.SUPPRESSED
    assert await consent.take_off_many(work, everybody) == []
    assert await consent.put_back_many(work, everybody) == taken
    assert await consent.put_back_many(work, everybody) == []
    assert await consent.state_of(work, cast.bo) is SubscriberState.ACTIVE
    assert await consent.state_of(work, loud) is SubscriberState.SUPPRESSED
    kinds = await activity.kinds(work, cast.bo.no)
    assert kinds[-2:] == ["taken_off", "put_back"]


async def test_an_organiser_changes_nobody_whom_they_do_not_see(cast: Cast, work: Work) -> None:
    farids = make.seen_by(work, cast.harbour, account=cast.farid.no)
    both = [cast.bo.no, cast.gil.no]  # Gil alone is of his group

    assert await consent.unsubscribe_many(farids, both, cast.bulletin) == [cast.gil.no]
    assert await consent.undo_unsubscribe_many(farids, both, cast.bulletin) == [cast.gil.no]
    assert await consent.take_off_many(farids, both) == [cast.gil.no]
    assert await consent.put_back_many(farids, both) == [cast.gil.no]
    assert await consent.state_of(work, cast.bo) is SubscriberState.ACTIVE


async def test_so_many_may_sign_up_from_one_network_in_an_hour(cast: Cast, work: Work) -> None:
    hall = make.later(work, minutes=-work.now.minute)
    for _ in range(300):
        await consent.note_sign_up(hall, "192.0.2.0/24")
    with pytest.raises(consent.TooManySignUps):
        await consent.note_sign_up(hall, "192.0.2.0/24")
    await consent.note_sign_up(hall, "198.51.100.0/24")
    await consent.note_sign_up(make.later(hall, hours=1), "192.0.2.0/24")
