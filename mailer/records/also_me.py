"""“This is also me”: somebody names another address of theirs, and both become one.

It is proven at both: the private page was opened from one, and the letter at the other asks. The
answer is the same whether the other address is on the roll or not.
"""

from datetime import timedelta

from mailer.activity import actions as activity
from mailer.kit.addresses import key_of, read_address
from mailer.kit.errors import Conflict, Invalid, NotFound
from mailer.kit.tokens import LIVES, Purpose
from mailer.kit.work import Work
from mailer.outbox.actions import Post, post
from mailer.outbox.model import Lane, Needs
from mailer.records import merging
from mailer.records.model import AlsoMe, Merging
from mailer.records.pairs import store as pairs
from mailer.subscribers import store as people
from mailer.subscribers.actions import SubscriberUnknown, held
from mailer.subscribers.model import Subscriber, mark_of

ASKS_A_DAY = 3


class AlreadyYours(Invalid):
    """That is the address we write to already."""


class TooManyAsked(Conflict):
    """That is enough addresses for one day. Please try again tomorrow."""


class AlsoMeUnknown(NotFound):
    """There is nothing here to say yes to any more."""


async def ask(work: Work, subscriber: Subscriber, typed: str) -> AlsoMe:
    """Note that somebody says that another address is theirs too, and ask there.

    A letter goes only to an address that is on the roll and may be written to. The same wish
    within a day is the same, and sends no second letter.
    """
    subscriber = await held(work, subscriber)
    address = read_address(typed)
    if key_of(address) == subscriber.address_key:
        raise AlreadyYours(field="other_address")
    asked = [
        one
        for one in await pairs.also_mes_of(work, subscriber.no)
        if one.asked_at > work.now - timedelta(days=1)
    ]
    for one in asked:
        if key_of(one.address) == key_of(address) and one.confirmed_at is None:
            return one
    if len(asked) >= ASKS_A_DAY:
        raise TooManyAsked(field="other_address")
    wish = AlsoMe(subscriber_no=subscriber.no, address=address, asked_at=work.now)
    work.session.add(wish)
    await work.session.flush()
    await activity.record(work, subscriber.no, "also_me_asked", wish=wish.no)
    other = await people.by_address(work, address)
    if other is not None and other.no != subscriber.no and await _may_ask(work, other, address):
        await post(
            work,
            Post(
                kind="also-me",
                dedupe_key=f"also-me:{wish.no}",
                language=other.language,
                facts={"wish": wish.no, "subscriber": subscriber.no},
                address=address,
                lane=Lane.URGENT,
                needs=Needs.NOTHING,
            ),
        )
    return wish


async def _may_ask(work: Work, other: Subscriber, address: str) -> bool:
    if other.erased_at is not None or other.stopped_at is not None:
        return False
    return await people.suppression(work, mark_of(work.keys, address)) is None


async def confirm(work: Work, no: int) -> Merging:
    """Make both one, as the letter at the other address was answered. Both are told, with an undo.

    Who asked stays, with their address and level. Saying yes twice is saying it once.
    """
    wish = await pairs.also_me(work, no)
    if wish is None:
        raise AlsoMeUnknown
    subscriber = await people.by_no(work, wish.subscriber_no)
    if subscriber is None:
        raise SubscriberUnknown
    other = await people.by_address(work, wish.address)
    await people.hold_many(work, {subscriber.no, other.no if other else subscriber.no})
    await work.session.refresh(wish)
    if wish.merging_no is not None:
        done = await pairs.merging(work, wish.merging_no)
        assert done is not None
        return done
    life = LIVES[Purpose.ALSO_ME]
    if other is None or other.no == subscriber.no or (life and work.now > wish.asked_at + life):
        raise AlsoMeUnknown
    made = await merging.merge(work, subscriber, other)
    wish.confirmed_at, wish.merging_no = work.now, made.no
    await _tell_both(work, subscriber, other, made)
    return made


async def _tell_both(work: Work, subscriber: Subscriber, other: Subscriber, made: Merging) -> None:
    for address in {subscriber.address, other.address} - {None}:
        await post(
            work,
            Post(
                kind="also-me-done",
                dedupe_key=f"also-me-done:{made.no}:{mark_of(work.keys, str(address))}",
                language=subscriber.language,
                facts={"merging": made.no, "subscriber": subscriber.no},
                address=address,
                needs=Needs.NOTHING,
            ),
        )
