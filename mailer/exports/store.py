"""Questions of an export: who is in it, and what is known of a page of them.

An export may hold everybody, so these read plain columns and no objects, a page of people at a
time. Each asks about the people of the page alone, by their numbers.
"""

from array import array
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute
from typing_extensions import TypeVarTuple

from mailer.consent.model import ConsentRecord, MailingList, Subscription, SubscriptionState
from mailer.consent.store import state_now
from mailer.fields.model import FieldValue
from mailer.groups.model import Group
from mailer.kit.work import Work
from mailer.subscribers.model import GroupRole, Membership, Subscriber, visible
from mailer.tags.model import Tag, Tagging
from mailer.tiers.model import ChosenTier, Tier

Columns = TypeVarTuple("Columns")

_AT_ONCE = 10_000  # numbers that a driver hands over in one piece


OWN = (
    "no",
    "address",
    "first_name",
    "last_name",
    "language",
    "city",
    "postcode",
    "region",
    "country",
    "time_zone",
    "source",
    "joined_at",
)
"""What a person's own row says of them, and may leave the house."""

People = dict[str, Sequence[Any]]
"""Some people, a column at a time: what each of `OWN` holds of them, lowest number first."""


class Some:
    """Whom a page is about: numbers, lowest first."""

    def __init__(self, work: Work, nos: Sequence[int]) -> None:
        """Take the numbers of a page, and the work in which it is read."""
        self.work = work
        self.nos = nos

    def among(self, column: InstrumentedAttribute[int]) -> ColumnElement[bool]:
        """Give the condition that a row is about one of them.

        Where they stand close together it is a range, which is twice as fast as a thousand numbers
        and may give others too: whoever asks looks up those they want.
        """
        if self.nos[-1] - self.nos[0] < 2 * len(self.nos):
            return column.between(self.nos[0], self.nos[-1])
        return column.in_(self.nos)

    async def rows(self, statement: Select[*Columns]) -> Sequence[Row[*Columns]]:
        """Ask for plain rows, past the session: it would look among them for objects of ours."""
        found = await (await self.work.session.connection()).execute(statement)
        return found.all()


async def numbers(work: Work, whom: Select[int]) -> "array[int]":
    """Give the numbers of those of a question whom the actor may see, lowest first.

    Eight octets each: a million people are 8 MB, and nobody joins or leaves them half-way.
    """
    wanted = (
        select(Subscriber.no)
        .where(Subscriber.no.in_(whom), Subscriber.erased_at.is_(None), visible(work))
        .order_by(Subscriber.no)
    )
    found: array[int] = array("q")
    streamed = await work.session.stream_scalars(wanted, execution_options={"yield_per": _AT_ONCE})
    async for some in streamed.partitions():
        found.extend(some)
    return found


async def people(some: Some) -> People:
    """Give the people of a page who are still there and may still be seen."""
    found = await some.rows(
        select(*(getattr(Subscriber, column) for column in OWN))
        .where(some.among(Subscriber.no), Subscriber.erased_at.is_(None), visible(some.work))
        .order_by(Subscriber.no)
    )
    wanted = set(some.nos)
    rows = [row for row in found if row[0] in wanted]
    return dict(zip(OWN, zip(*rows, strict=True) if rows else [()] * len(OWN), strict=True))


async def states(some: Some) -> dict[int, str]:
    """Give the derived state of each."""
    found = await some.rows(
        select(Subscriber.no, state_now(some.work.now)).where(
            some.among(Subscriber.no), visible(some.work)
        )
    )
    return dict(found)


async def tiers(some: Some) -> dict[int, str]:
    """Give the slug of each one's level."""
    found = await some.rows(
        select(ChosenTier.subscriber_no, Tier.slug)
        .join(Tier, Tier.no == ChosenTier.tier_no)
        .where(some.among(ChosenTier.subscriber_no))
    )
    return dict(found)


async def lists(some: Some) -> dict[int, list[str]]:
    """Give the slugs of the lists that each has confirmed."""
    found = await some.rows(
        select(Subscription.subscriber_no, MailingList.slug)
        .join(MailingList, MailingList.no == Subscription.list_no)
        .where(
            some.among(Subscription.subscriber_no),
            Subscription.state == SubscriptionState.CONFIRMED,
        )
        .order_by(Subscription.subscriber_no, Subscription.list_no)
    )
    theirs: dict[int, list[str]] = defaultdict(list)
    for no, slug in found:
        theirs[no].append(slug)
    return theirs


async def agreed(some: Some) -> dict[int, datetime]:
    """Give when each agreed, by the evidence, to the lists that they are on: the first of those.

    Whoever agreed to one list several times did so the last time: what came before was taken back.
    """
    found = await some.rows(
        select(ConsentRecord.subscriber_no, func.max(ConsentRecord.at))
        .join(
            Subscription,
            (Subscription.subscriber_no == ConsentRecord.subscriber_no)
            & (Subscription.list_no == ConsentRecord.list_no),
        )
        .where(
            some.among(ConsentRecord.subscriber_no),
            ConsentRecord.given,
            Subscription.state == SubscriptionState.CONFIRMED,
        )
        .group_by(ConsentRecord.subscriber_no, ConsentRecord.list_no)
    )
    first: dict[int, datetime] = {}
    for no, at in found:
        first[no] = min(at, first.get(no, at))
    return first


async def groups(some: Some) -> dict[int, list[tuple[str, GroupRole]]]:
    """Give the groups of each with their role, by name; to an account with a scope only its own."""
    wanted = (
        select(Membership.subscriber_no, Group.name, Membership.role)
        .join(Group, Group.no == Membership.group_no)
        .where(some.among(Membership.subscriber_no))
        .order_by(Membership.subscriber_no, Group.name_key)
    )
    if some.work.scope is not None:
        wanted = wanted.where(Membership.group_no.in_(some.work.scope))
    theirs: dict[int, list[tuple[str, GroupRole]]] = defaultdict(list)
    for no, name, role in await some.rows(wanted):
        theirs[no].append((name, role))
    return theirs


async def tags(some: Some) -> dict[int, list[str]]:
    """Give the tags of each, by name."""
    found = await some.rows(
        select(Tagging.subscriber_no, Tag.name)
        .join(Tag, Tag.no == Tagging.tag_no)
        .where(some.among(Tagging.subscriber_no))
        .order_by(Tagging.subscriber_no, Tag.name_key)
    )
    theirs: dict[int, list[str]] = defaultdict(list)
    for no, name in found:
        theirs[no].append(name)
    return theirs


async def values(some: Some) -> dict[int, dict[int, list[str]]]:
    """Give what all fields hold, by field and person: one look into an index for all of them."""
    found = await some.rows(
        select(FieldValue.field_no, FieldValue.subscriber_no, FieldValue.value).where(
            some.among(FieldValue.subscriber_no)
        )
    )
    held: dict[int, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for field_no, no, value in found:
        held[field_no][no].append(value)
    return held
