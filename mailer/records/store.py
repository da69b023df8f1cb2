"""Finding people: by the beginning of a name or address, on a tier, in a group, on a list.

At a million rows every way of finding goes by an index: beginnings are ranges of sorted keys, and
pages go on after a number instead of counting what they skip.
"""

import msgspec
from sqlalchemy import ColumnElement, Select, func, select, union_all

from mailer.consent import store as consents
from mailer.consent.model import SubscriberState, Subscription, SubscriptionState
from mailer.groups import store as groups
from mailer.groups.model import Group
from mailer.kit.addresses import key_of
from mailer.kit.pages import Page, cut
from mailer.kit.texts import one_line
from mailer.kit.work import Work
from mailer.subscribers.model import Membership, Subscriber, visible
from mailer.tiers import store as tiers
from mailer.tiers.model import ChosenTier, Tier

_LONGEST = 320

# Sorts after every text that goes on from where it stands.
_AFTER_ALL = "\U0010ffff"


class Person(msgspec.Struct, frozen=True):
    """Somebody on the roll, and where they stand."""

    subscriber: Subscriber
    tier: Tier | None
    groups: list[Group]
    state: SubscriberState


async def people(
    work: Work,
    *,
    search: str = "",
    tier_no: int | None = None,
    group_no: int | None = None,
    list_no: int | None = None,
    after: int = 0,
    limit: int = 25,
) -> Page[Person]:
    """Give the people whom the actor may see and who match all that is said, oldest first.

    `search` is how a name or an address begins. A list has those who have confirmed. A page goes
    on after the last number of the one before it.
    """
    no, found = _matching(work, search, tier_no, group_no, list_no)
    rows = await work.session.execute(
        found.with_only_columns(Subscriber, consents.state_now(work.now))
        .where(no > after)
        .order_by(no)
        .limit(limit + 1),
    )
    page = cut(rows.all(), limit, lambda row: row[0].no)
    shown = [subscriber.no for subscriber, _ in page.rows]
    on_tier, in_groups = await tiers.chosen_of(work, shown), await groups.of_many(work, shown)
    return Page(
        [
            Person(one, on_tier.get(one.no), in_groups.get(one.no, []), SubscriberState(state))
            for one, state in page.rows
        ],
        page.next_after,
    )


async def how_many_match(
    work: Work,
    *,
    search: str = "",
    tier_no: int | None = None,
    group_no: int | None = None,
    list_no: int | None = None,
) -> int:
    """Count all whom the pages of `people` would give."""
    no, found = _matching(work, search, tier_no, group_no, list_no)
    return await work.session.scalar(found.with_only_columns(func.count(no))) or 0


async def whole(work: Work, subscriber: Subscriber) -> Person:
    """Give one person as the list of people would."""
    states = await consents.states(work, [subscriber.no])
    return Person(
        subscriber,
        await tiers.chosen(work, subscriber.no),
        await groups.of(work, subscriber.no),
        states[subscriber.no],
    )


def _matching(
    work: Work, search: str, tier_no: int | None, group_no: int | None, list_no: int | None
) -> tuple[ColumnElement[int], Select[Subscriber]]:
    """Build the question, and name the number that its pages go by.

    Each filter is an index that begins with what is filtered and goes on by subscriber number, so
    the pages go by the number of the first filter there is.
    """
    found = select(Subscriber).where(visible(work), Subscriber.erased_at.is_(None))
    numbers: list[ColumnElement[int]] = []
    if group_no is not None:
        found = found.join(Membership, Membership.subscriber_no == Subscriber.no)
        found = found.where(Membership.group_no == group_no)
        numbers.append(Membership.subscriber_no.expression)
    if tier_no is not None:
        found = found.join(ChosenTier, ChosenTier.subscriber_no == Subscriber.no)
        found = found.where(ChosenTier.tier_no == tier_no)
        numbers.append(ChosenTier.subscriber_no.expression)
    if list_no is not None:
        found = found.join(Subscription, Subscription.subscriber_no == Subscriber.no)
        found = found.where(
            Subscription.list_no == list_no,
            Subscription.state == SubscriptionState.CONFIRMED,
        )
        numbers.append(Subscription.subscriber_no.expression)
    # What no name and no address has is dropped: PostgreSQL would refuse the question for a NUL.
    if search := one_line(search[:_LONGEST], longest=2 * _LONGEST, field="search"):
        found = found.where(Subscriber.no.in_(_beginning(work, search)))
        numbers.insert(0, Subscriber.no.expression)
    return [*numbers, Subscriber.no.expression][0], found


def _beginning(work: Work, search: str) -> Select[int]:
    """Find the numbers of those whose names or address begin so: one range of an index each."""
    key = search.casefold()
    address = key_of(search) if "@" in search else key
    ranges = [
        (Subscriber.called_key, key),
        (Subscriber.name_key, key),
        (Subscriber.address_key, address),
    ]
    return select(
        union_all(
            *(
                select(Subscriber.no).where(
                    column >= start, column < start + _AFTER_ALL, visible(work)
                )
                for column, start in ranges
            )
        )
        .subquery("beginning")
        .c.no
    )
