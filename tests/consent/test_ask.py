"""Asking somebody whether they want to be on a list, and not more often than is right."""

from datetime import datetime, timedelta

import pytest

from mailer.activity import store as activity
from mailer.consent import actions as consent
from mailer.consent import store
from mailer.consent.asking import _due
from mailer.consent.model import Confirmation, MailingList, SubscriberState, SubscriptionState
from mailer.kit.work import Work
from mailer.outbox import store as outbox
from mailer.outbox.model import Lane, Letter, Needs
from mailer.subscribers.actions import add, change_address, stop_silently
from mailer.subscribers.model import Subscriber
from tests import makers as make
from tests.cast import Cast


async def ask(work: Work, person: Subscriber, mailing_list: MailingList) -> Confirmation:
    return await consent.ask(work, person, mailing_list, wording="Yes.", language="fr")


async def confirm_letters(work: Work, person: Subscriber) -> list[Letter]:
    found = await outbox.letters_to(work, person.no)
    return [letter for letter in reversed(found) if letter.kind == "confirm"]


async def test_asking_sends_one_letter_and_waits(cast: Cast, work: Work) -> None:
    new = await add(work, address="new@example.org")

    confirmation = await consent.ask(
        work, new, cast.bulletin, wording="Yes.", language="fr", tier_no=cast.activist.no
    )

    [letter] = await confirm_letters(work, new)
    assert letter.facts == {
        "confirmation": confirmation.no,
        "list": cast.bulletin.no,
        "tier": cast.activist.no,
    }
    assert (letter.lane, letter.needs, letter.language) == (Lane.URGENT, Needs.NOTHING, "fr")
    standing = await store.subscription(work, new.no, cast.bulletin.no)
    assert standing is not None
    assert standing.state is SubscriptionState.UNCONFIRMED
    assert await activity.kinds(work, new.no) == ["joined", "asked"]
    assert await store.confirmation_by_uid(work, confirmation.uid) == confirmation


async def test_one_letter_a_day_and_three_until_a_click(cast: Cast, work: Work) -> None:
    new = await add(work, address="new@example.org")
    asked = [
        await ask(make.later(work, hours=hours), new, cast.bulletin)
        for hours in (0, 1, 23, 25, 26, 51, 80, 2000)
    ]

    first, second, third, *blind = [asked[at] for at in (0, 3, 5, 6, 7)]
    nos = [one.no for one in asked]
    assert nos == [first.no] * 3 + [second.no] * 2 + [third.no, *[one.no for one in blind]]
    assert [one.subscriber_no for one in blind] == [None, None]
    assert len(await confirm_letters(work, new)) == 3


async def test_a_click_is_a_new_beginning(cast: Cast, work: Work) -> None:
    alerts = await make.mailing_list(work)
    new = await add(work, address="new@example.org")
    *_, last = [await ask(make.later(work, days=day), new, cast.bulletin) for day in (0, 2, 4)]
    await consent.confirm(make.later(work, days=5), last.no)

    await ask(make.later(work, days=6), new, alerts)

    assert len(await confirm_letters(work, new)) == 4


async def test_letters_for_several_lists_are_a_day_apart(cast: Cast, work: Work) -> None:
    new = await add(work, address="new@example.org")
    lists = [cast.bulletin, *[await make.mailing_list(work, name) for name in ("A", "B", "C")]]
    hours = (0, 1, 30, 31)
    for mailing_list, hour in zip(lists, hours, strict=True):
        await ask(make.later(work, hours=hour), new, mailing_list)

    due = [letter.due_at for letter in await confirm_letters(work, new)]

    # The second waits until a day after the first, the third until a day after that; then enough.
    assert due == [work.now + timedelta(hours=late) for late in (0, 24, 48)]
    assert await store.asked_since_a_click(work, [str(new.mark)]) != {}


@pytest.mark.parametrize("why", ["suppressed", "stopped"])
async def test_who_is_never_written_to_gets_no_letter(cast: Cast, work: Work, why: str) -> None:
    new = await add(work, address="new@example.org")
    await (consent.take_off(work, new) if why == "suppressed" else stop_silently(work, new))

    blind = await ask(work, new, cast.bulletin)

    assert blind.subscriber_no is None
    assert await confirm_letters(work, new) == []
    with pytest.raises(consent.ConfirmationUnknown):
        await consent.confirm(work, blind.no)


async def test_who_has_left_has_left_until_they_confirm_anew(cast: Cast, work: Work) -> None:
    asked = await ask(make.later(work, days=2), cast.chidi, cast.bulletin)
    assert await consent.state_of(work, cast.chidi) is SubscriberState.UNSUBSCRIBED

    await consent.confirm(work, asked.no)
    assert await consent.state_of(work, cast.chidi) is SubscriberState.ACTIVE


async def test_who_has_said_yes_is_not_asked_again(cast: Cast, work: Work) -> None:
    before = len(await confirm_letters(work, cast.bo))
    confirmation = await ask(work, cast.bo, cast.bulletin)
    assert confirmation.confirmed_at is not None
    assert len(await confirm_letters(work, cast.bo)) == before


async def test_without_an_address_nobody_can_be_asked(cast: Cast, work: Work) -> None:
    ola = await add(work, address=None)
    with pytest.raises(consent.NoAddress):
        await ask(work, ola, cast.bulletin)


async def test_many_are_asked_at_once_and_nobody_who_has_left_or_said_yes(
    cast: Cast, work: Work
) -> None:
    new = await add(work, address="new@example.org", language="fr")
    gone = await add(work, address="gone@example.org")
    await consent.take_off(work, gone)
    everybody = [one.no for one in (cast.bo, cast.chidi, cast.dana, gone, new)]

    asked = await consent.ask_many(work, everybody, cast.bulletin, wording="Yes.")

    assert asked == [new.no]  # Dana was asked a moment ago
    [letter] = await confirm_letters(work, new)
    assert (letter.lane, letter.language) == (Lane.LETTERS, "fr")
    assert await consent.ask_many(work, everybody, cast.bulletin, wording="Yes.") == []
    after = make.later(work, days=2, hours=1)
    asked = await consent.ask_many(after, everybody, cast.bulletin, wording="Yes.")
    assert asked == [cast.dana.no, new.no]


async def test_one_who_comes_with_an_expired_link_gets_a_fresh_letter(
    cast: Cast, work: Work
) -> None:
    new = await add(work, address="new@example.org")
    *_, last = [await ask(make.later(work, days=day), new, cast.bulletin) for day in (0, 2, 4)]

    fresh = await consent.renew(make.later(work, days=20), last.no)
    again = await consent.renew(make.later(work, days=20, hours=3), last.no)

    assert fresh.no > last.no
    assert fresh == again
    assert len(await confirm_letters(work, new)) == 4
    await consent.confirm(work, fresh.no)
    assert await consent.renew(make.later(work, days=40), fresh.no) == fresh


async def test_what_never_was_is_not_renewed(cast: Cast, work: Work) -> None:
    with pytest.raises(consent.ConfirmationUnknown):
        await consent.renew(work, 404)
    new = await add(work, address="new@example.org")
    asked = await ask(work, new, cast.bulletin)
    await change_address(work, new, "newer@example.org")
    with pytest.raises(consent.ConfirmationUnknown):
        await consent.renew(work, asked.no)


def test_nobody_is_due_before_now() -> None:
    now = datetime.fromisoformat("2026-06-01T12:00:00+00:00")
    assert _due([], now) == now
