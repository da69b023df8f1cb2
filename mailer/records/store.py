"""Finding people: by how a name or an address begins, among those who answer to a question.

At a million rows every way of finding goes by an index: beginnings are ranges of sorted keys, and
pages go on after a number instead of counting what they skip. What so many begin with that nobody
would read them all ("a") is found as far as `MOST_FOUND`, and said to be more.
"""

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import ColumnElement, CompoundSelect, Select, exists, func, select, union_all
from sqlalchemy.orm import InstrumentedAttribute

from mailer.activity.model import DECLARED, Activity
from mailer.consent import store as consents
from mailer.consent.model import SubscriberState
from mailer.groups import store as groups
from mailer.groups.model import Group
from mailer.kit.addresses import key_of
from mailer.kit.pages import Page, cut
from mailer.kit.texts import one_line
from mailer.kit.work import Work
from mailer.subscribers.model import Subscriber, visible
from mailer.tiers import store as tiers
from mailer.tiers.model import Tier

MOST_FOUND = 1000
"""So many are found of each way in which a name or an address begins."""

MOST_COUNTED = 50_000
"""So far people are counted for a page; beyond it the page says "more than"."""

_LONGEST = 320

# Sorts after every text that goes on from where it stands.
_AFTER_ALL = "\U0010ffff"


class Person(msgspec.Struct, frozen=True):
    """Somebody on the roll, and where they stand."""

    subscriber: Subscriber
    tier: Tier | None
    groups: list[Group]
    state: SubscriberState
    last_sign: Activity | None = None


class Matching(msgspec.Struct, frozen=True):
    """How many there are; `is_more`: at least so many."""

    number: int
    is_more: bool = False


async def people(
    work: Work,
    *,
    search: str = "",
    among: Select[int] | None = None,
    after: int = 0,
    limit: int = 25,
) -> Page[Person]:
    """Give the people whom the actor may see and who match all that is said, oldest first.

    `search` is how a name or an address begins; `among` gives the numbers of who answers to a
    question. A page goes on after the last number of the one before it.
    """
    found = await work.session.scalars(
        _in_order(work, search, among, after).limit(limit + 1),
    )
    page = cut(found.all(), limit, lambda no: no)
    rows = await work.session.execute(
        select(Subscriber, consents.state_now(work.now))
        .where(Subscriber.no.in_(page.rows), visible(work))
        .order_by(Subscriber.no)
    )
    return Page(await _with_more(work, [(one, state) for one, state in rows]), page.next_after)


def _in_order(work: Work, search: str, among: Select[int] | None, after: int) -> Select[int]:
    """Give the numbers of a page, in their order.

    A question that is asked alone goes by its own numbers: the index that answers it mostly has
    them in order, so that 26 are read of however many there are.
    """
    if among is None or _one_line(search):
        return (
            select(Subscriber.no)
            .where(*_matching(work, search, among), Subscriber.no > after)
            .order_by(Subscriber.no)
        )
    [no] = among.selected_columns
    return among.where(no > after).order_by(no)


async def how_many_match(
    work: Work, *, search: str = "", among: Select[int] | None = None
) -> Matching:
    """Count all whom the pages of `people` would give, as far as `MOST_COUNTED`."""
    if among is None and not _one_line(search):
        return await _how_many_live(work)
    found = select(Subscriber.no).where(*_matching(work, search, among)).limit(MOST_COUNTED + 1)
    number = await _count(work, found)
    if number > MOST_COUNTED:
        return Matching(MOST_COUNTED, is_more=True)
    cut_short = bool(_one_line(search)) and await _is_cut_short(work, search)
    return Matching(number, is_more=cut_short)


async def _how_many_live(work: Work) -> Matching:
    """Count who is on the roll: all rows, by the narrowest index, without the few who were erased.

    2 ms at a million. To look at each row whether it was erased would take fifty times as long.
    """
    everybody = select(Subscriber.no).where(visible(work)).limit(MOST_COUNTED + 1)
    number = await _count(work, everybody)
    if number > MOST_COUNTED:
        return Matching(MOST_COUNTED, is_more=True)
    erased = select(Subscriber.no).where(visible(work), Subscriber.erased_at.is_not(None))
    return Matching(number - await _count(work, erased))


async def _count(work: Work, found: Select[int]) -> int:
    counted = select(func.count()).select_from(found.subquery("found"))
    return await work.session.scalar(counted) or 0


async def begin_with(work: Work, search: str, *, limit: int) -> Sequence[Subscriber]:
    """Give the first few whose name or address begins so, as names are sorted.

    For somebody who types: however many there are, only so many are looked at.
    """
    if not (typed := _one_line(search)):
        return []
    some = _beginning(work, typed, limit).subquery("beginning")
    found = await work.session.scalars(
        select(Subscriber)
        .where(Subscriber.no.in_(select(some.c.no)), visible(work))
        .order_by(Subscriber.called_key, Subscriber.no)
        .limit(limit)
    )
    return found.all()


async def whole(work: Work, subscriber: Subscriber) -> Person:
    """Give one person as the list of people would."""
    states = await consents.states(work, [subscriber.no])
    return Person(
        subscriber,
        await tiers.chosen(work, subscriber.no),
        await groups.of(work, subscriber.no),
        states[subscriber.no],
    )


async def _with_more(work: Work, rows: Sequence[tuple[Subscriber, str]]) -> list[Person]:
    shown = [subscriber.no for subscriber, _ in rows]
    on_tier, in_groups = await tiers.chosen_of(work, shown), await groups.of_many(work, shown)
    signs = await _last_signs(work, shown)
    return [
        Person(
            one,
            on_tier.get(one.no),
            in_groups.get(one.no, []),
            SubscriberState(state),
            signs.get(one.no),
        )
        for one, state in rows
    ]


async def _last_signs(work: Work, subscriber_nos: Collection[int]) -> dict[int, Activity]:
    """Give the last thing that each of several people did themselves."""
    newest = (
        select(func.max(Activity.no))
        .where(Activity.subscriber_no.in_(subscriber_nos), Activity.door.in_(DECLARED))
        .group_by(Activity.subscriber_no)
    )
    found = await work.session.scalars(select(Activity).where(Activity.no.in_(newest)))
    return {line.subscriber_no: line for line in found}


# --- beginnings -----------------------------------------------------------------------------------


def _matching(work: Work, search: str, among: Select[int] | None) -> list[ColumnElement[bool]]:
    conditions = [visible(work), Subscriber.erased_at.is_(None)]
    if among is not None:
        [no] = among.selected_columns
        conditions.append(exists(among.where(no == Subscriber.no).correlate(Subscriber)))
    if typed := _one_line(search):
        some = _beginning(work, typed, MOST_FOUND).subquery("beginning")
        conditions.append(Subscriber.no.in_(select(some.c.no)))
    return conditions


def _one_line(search: str) -> str:
    # What no name and no address has is dropped: PostgreSQL would refuse the question for a NUL.
    return one_line(search[:_LONGEST], longest=2 * _LONGEST, field="search")


def _beginning(work: Work, typed: str, limit: int) -> CompoundSelect[int]:
    """Find the numbers of those whose names or address begin so: one range of an index each."""
    ranges = [_range(work, column, start).limit(limit).subquery() for column, start in _ways(typed)]
    return union_all(*(select(one.c.no) for one in ranges))


async def _is_cut_short(work: Work, search: str) -> bool:
    """Say whether more begin so than were found."""
    fullest = [
        select(func.count()).select_from(
            _range(work, column, start).limit(MOST_FOUND + 1).subquery()
        )
        for column, start in _ways(_one_line(search))
    ]
    counts = await work.session.execute(select(*(one.scalar_subquery() for one in fullest)))
    return any(number > MOST_FOUND for number in counts.one())


def _range(work: Work, column: InstrumentedAttribute[str | None], start: str) -> Select[int]:
    return (
        select(Subscriber.no)
        .where(column >= start, column < start + _AFTER_ALL, visible(work))
        .order_by(column, Subscriber.no)
    )


def _ways(typed: str) -> list[tuple[InstrumentedAttribute[str | None], str]]:
    key = typed.casefold()
    address = key_of(typed) if "@" in typed else key
    names = (
        Subscriber.called_key,
        Subscriber.name_key,
        Subscriber.middle_key,
        Subscriber.second_key,
    )
    return [*((column, key) for column in names), (Subscriber.address_key, address)]
