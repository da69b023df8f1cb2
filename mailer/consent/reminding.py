"""Reminding somebody once of a sign-up that waits for their word."""

from mailer.consent import store
from mailer.consent.agreeing import writable
from mailer.consent.asking import letters_since_a_click
from mailer.consent.model import LETTERS_UNTIL_A_CLICK, Confirmation, SubscriptionState
from mailer.kit.rooms import Rooms
from mailer.kit.work import Work
from mailer.outbox.actions import Post, post_many
from mailer.outbox.model import Needs
from mailer.subscribers.model import Subscriber

BATCH = 50


async def remind_some(house: Rooms) -> bool:
    """Send the next reminders that are due; False when there are none."""
    async with house.work(reading=True) as work:
        if not await store.is_a_reminder_due(work):
            return False
    async with house.work() as work:
        return await remind_due(work) > 0


async def remind_due(work: Work) -> int:
    """Owe a letter to those who signed up a day ago and have not answered; say how many were due.

    Once for each sign-up. None to who has answered, with a yes or a no, to who has left or is
    never written to, and none beyond the letters that an address gets until a click.
    """
    due = await store.claim_reminders(work, BATCH)
    theirs = [one for one in due if one.subscriber_no is not None]
    people = {
        one.no: one for one in await writable(work, {one.subscriber_no or 0 for one in theirs})
    }
    asked = await store.asked(work, [one.mark for one in theirs])
    await post_many(
        work,
        [
            _letter(one, people[one.subscriber_no])
            for one in theirs
            if one.subscriber_no in people
            and people[one.subscriber_no].mark == one.mark
            and one.confirmed_at is None
            and one.declined_at is None
            # This one is among them: it was written down when it was claimed.
            and len(letters_since_a_click(asked[one.mark])) <= LETTERS_UNTIL_A_CLICK
            and one == _newest(asked[one.mark], one.list_no)
            and await _still_waits(work, one)
        ],
    )
    return len(due)


def _newest(asked: list[Confirmation], list_no: int) -> Confirmation:
    return [one for one in asked if one.list_no == list_no][-1]


async def _still_waits(work: Work, confirmation: Confirmation) -> bool:
    assert confirmation.subscriber_no is not None
    standing = await store.subscription(work, confirmation.subscriber_no, confirmation.list_no)
    if standing is None or standing.state is SubscriptionState.CONFIRMED:
        return False
    # Somebody who had left before, and wants to come back, has left until they say yes.
    return standing.ended_at is None or standing.ended_at <= confirmation.made_at


def _letter(confirmation: Confirmation, subscriber: Subscriber) -> Post:
    return Post(
        kind="reminder",
        dedupe_key=f"reminder:{confirmation.no}",
        language=confirmation.language,
        facts={"confirmation": confirmation.no, "list": confirmation.list_no},
        subscriber=subscriber.no,
        needs=Needs.NOTHING,
    )
