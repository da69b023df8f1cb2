"""One reminder of a sign-up that waits, after a day, and never more letters than is right."""

import itertools
from datetime import timedelta

import pytest

from mailer.bootstrap import House
from mailer.consent import actions as consent
from mailer.consent import store
from mailer.consent.model import Confirmation, MailingList
from mailer.consent.reminding import remind_due, remind_some
from mailer.kit.work import Work
from mailer.outbox import store as outbox
from mailer.outbox.model import Letter
from mailer.subscribers.actions import add, change_address, stop_silently
from mailer.subscribers.model import Subscriber
from tests import makers as make
from tests.cast import Cast


async def came(work: Work, person: Subscriber, mailing_list: MailingList) -> Confirmation:
    """Sign somebody up as an open page does."""
    return await consent.ask(
        work, person, mailing_list, wording="Yes.", language="fr", came=consent.Came()
    )


async def reminders(work: Work, person: Subscriber) -> list[Letter]:
    return [one for one in await outbox.letters_to(work, person.no) if one.kind == "reminder"]


async def test_who_has_not_answered_for_a_day_is_reminded_once(cast: Cast, work: Work) -> None:
    new = await add(work, address="new@example.org")
    confirmation = await came(work, new, cast.bulletin)

    await remind_due(make.later(work, hours=23))
    assert await reminders(work, new) == []
    assert await remind_due(make.later(work, hours=24)) > 0
    for hours in (24, 50, 500):
        assert await remind_due(make.later(work, hours=hours)) == 0

    [letter] = await reminders(work, new)
    assert letter.facts == {"confirmation": confirmation.no, "list": cast.bulletin.no}
    assert letter.language == "fr"
    await consent.confirm(make.later(work, days=3), confirmation.no)


@pytest.mark.parametrize(
    "why", ["confirmed", "declined", "left", "taken off", "stopped", "moved away", "came again"]
)
async def test_nobody_is_reminded_who_has_answered_or_must_not_be_written_to(
    cast: Cast, work: Work, why: str
) -> None:
    new = await add(work, address="new@example.org")
    confirmation = await came(work, new, cast.bulletin)
    match why:
        case "confirmed":
            await consent.confirm(work, confirmation.no)
        case "declined":
            await consent.decline(work, confirmation.no)
        case "left":
            await consent.unsubscribe(make.later(work, hours=1), new, list_no=None)
        case "taken off":
            await consent.take_off(work, new)
        case "stopped":
            await stop_silently(work, new)
        case "moved away":
            await change_address(work, new, "newer@example.org")
        case _:
            # The worker was away for days; the newer sign-up has its own letter.
            await came(make.later(work, hours=49), new, cast.bulletin)

    await remind_due(make.later(work, hours=50))

    assert await reminders(work, new) == []


async def test_a_file_and_an_organiser_remind_nobody(cast: Cast, work: Work) -> None:
    new = await add(work, address="new@example.org")
    other = await add(work, address="other@example.org")
    await consent.ask_many(work, [new.no], cast.bulletin, wording="Yes.")
    await consent.ask(work, other, cast.bulletin, wording="Yes.", language="en")

    await remind_due(make.later(work, days=2))
    assert await reminders(work, new) == await reminders(work, other) == []


async def test_what_nobody_can_confirm_comes_due_and_sends_nothing(cast: Cast, work: Work) -> None:
    blind = await consent.blind_confirmation(
        make.later(work, days=3),
        cast.bulletin,
        mark=str(cast.bo.mark),
        wording="Yes.",
        language="en",
        came=consent.Came(),
    )
    after = make.later(work, days=4)
    await remind_due(after)
    assert blind.reminded_at == after.now
    assert await reminders(work, cast.bo) == []


async def test_who_had_left_before_and_comes_again_is_reminded(cast: Cast, work: Work) -> None:
    later = make.later(work, days=2)
    await came(later, cast.chidi, cast.bulletin)
    await remind_due(make.later(later, days=1))
    assert len(await reminders(work, cast.chidi)) == 1


async def test_with_reminders_it_is_still_one_letter_a_day_and_three_in_all(
    cast: Cast, work: Work
) -> None:
    new = await add(work, address="new@example.org")
    for hour in range(0, 400, 3):
        now = make.later(work, hours=hour)
        await came(now, new, cast.bulletin)
        await remind_due(now)

    sent = await outbox.letters_to(work, new.no)

    due = sorted(letter.due_at for letter in sent)
    assert sorted(letter.kind for letter in sent) == ["confirm", "confirm", "reminder"]
    for one, next_one in itertools.pairwise(due):
        assert next_one - one >= timedelta(days=1)


async def test_a_worker_reminds_by_itself(cast: Cast, house: House) -> None:
    async with house.work() as work:
        new = await add(work, address="new@example.org")
        await came(make.later(work, hours=-25), new, cast.bulletin)
        await came(work, await add(work, address="newer@example.org"), cast.bulletin)

    assert await remind_some(house)
    assert not await remind_some(house)

    async with house.work() as work:
        assert len(await reminders(work, new)) == 1


async def test_telling_us_that_it_was_not_you_is_told_once_and_takes_nothing_away(
    cast: Cast, work: Work
) -> None:
    new = await add(work, address="new@example.org")
    confirmation = await came(work, new, cast.bulletin)
    await consent.decline(work, confirmation.no)
    again = await consent.decline(make.later(work, hours=1), confirmation.no)
    assert again.declined_at == work.now

    await consent.confirm(work, confirmation.no)

    with pytest.raises(consent.ConfirmationUnknown):
        await consent.decline(work, 404)
    assert [one.given for one in await store.records_of(work, new.no)] == [True]
    last = await consent.decline(work, confirmation.no)
    assert last.confirmed_at is not None
