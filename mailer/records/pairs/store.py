"""Every question about pairs: rows that seem to be one person, are one by now, or are not.

People are looked through from the newest on, some thousand at a time, and each is compared by an
index with all who came before: what a page costs does not grow with the roll.
"""

import itertools
from collections.abc import Collection, Iterable, Sequence

import msgspec
from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.phones.model import Phone
from mailer.records.model import AlsoMe, Merging, TwoPeople
from mailer.subscribers.model import Subscriber, visible

WINDOW = 10_000  # people that one page looks through
MOST = 50  # pairs that one page shows, of each sort

# The same mailbox whatever dots stand in it (support.google.com/mail/answer/7436150).
_DOTLESS = frozenset({"gmail.com", "googlemail.com"})


class Pair(msgspec.Struct, frozen=True):
    """Two who seem to be one, the newer first, and why."""

    newer: int
    older: int
    why: str


class Looked(msgspec.Struct, frozen=True):
    """What one look found, and the number below which the next goes on (None: that was all)."""

    pairs: list[Pair]
    below: int | None


async def suggest(work: Work, *, below: int | None = None) -> Looked:
    """Look for pairs among the newest people, or among those with a number lower than `below`."""
    window = await _window(work, below)
    if window is None:
        return Looked([], None)
    low, high = window
    found: dict[tuple[int, int], Pair] = {}
    for why, pairs in (
        ("phone", await _rows(work, _same_phone(work, low, high))),
        ("address", await _same_mailbox(work, low, high)),
        ("name", await _rows(work, _same_name(work, low, high))),
    ):
        for newer, older in pairs:
            found.setdefault((newer, older), Pair(newer, older, why))
    seem = sorted(found.values(), key=lambda pair: (-pair.newer, -pair.older))
    return Looked(seem, low if await _is_anybody_below(work, low) else None)


async def _window(work: Work, below: int | None) -> tuple[int, int] | None:
    """Give the lowest and the highest number of the people whom this look goes through."""
    newest = (
        select(Subscriber.no)
        .where(visible(work), Subscriber.erased_at.is_(None))
        .order_by(Subscriber.no.desc())
        .limit(1)
    )
    if below is not None:
        newest = newest.where(Subscriber.no < below)
    high = await work.session.scalar(newest)
    return None if high is None else (max(high - WINDOW + 1, 1), high)


async def _is_anybody_below(work: Work, no: int) -> bool:
    found = select(exists().where(Subscriber.no < no, visible(work)))
    return bool(await work.session.scalar(found))


async def _rows(work: Work, pairs: Select[int, int]) -> list[tuple[int, int]]:
    return [(newer, older) for newer, older in await work.session.execute(pairs)]


_Newer, _Older = aliased(Subscriber, name="newer"), aliased(Subscriber, name="older")


def _same_name(work: Work, low: int, high: int) -> Select[int, int]:
    return (
        select(_Newer.no, _Older.no)
        .join(_Older, and_(_Older.name_key == _Newer.name_key, _Older.no < _Newer.no))
        .where(
            _Newer.no.between(low, high),
            _Newer.name_key != "",
            or_(
                and_(_Newer.postcode != "", _Older.postcode == _Newer.postcode),
                and_(_Newer.city != "", _Older.city == _Newer.city),
            ),
            visible(work, _Newer),
            visible(work, _Older),
            _Newer.erased_at.is_(None),
            _Older.erased_at.is_(None),
            _not_said_to_be_two(_Newer.no, _Older.no),
        )
        .order_by(_Newer.no.desc(), _Older.no.desc())
        .limit(MOST)
    )


def _same_phone(work: Work, low: int, high: int) -> Select[int, int]:
    theirs, others = aliased(Phone, name="theirs"), aliased(Phone, name="others")
    return (
        select(_Newer.no, _Older.no)
        .join(theirs, theirs.subscriber_no == _Newer.no)
        .join(others, and_(others.mark == theirs.mark, others.subscriber_no < _Newer.no))
        .join(_Older, _Older.no == others.subscriber_no)
        .where(
            _Newer.no.between(low, high),
            visible(work, _Newer),
            visible(work, _Older),
            _Newer.erased_at.is_(None),
            _Older.erased_at.is_(None),
            _not_said_to_be_two(_Newer.no, _Older.no),
        )
        .order_by(_Newer.no.desc(), _Older.no.desc())
        .limit(MOST)
    )


def _not_said_to_be_two(
    newer: InstrumentedAttribute[int], older: InstrumentedAttribute[int]
) -> ColumnElement[bool]:
    said = exists().where(TwoPeople.one_no == older, TwoPeople.other_no == newer)
    return ~said.correlate(_Newer, _Older)


# --- one mailbox, spelt in two ways ---------------------------------------------------------------


def mailbox_of(key: str) -> str:
    """Give the address under which spellings of one mailbox are one: no `+tag`, no dots at Gmail.

    What stands after the plus is for its owner to sort mail by (RFC 5233).
    """
    local, _, domain = key.rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _DOTLESS:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"


async def _same_mailbox(work: Work, low: int, high: int) -> list[tuple[int, int]]:
    """Find those who wrote their address in another way: whoever is known by its plain form."""
    spelt = await work.session.execute(
        select(Subscriber.no, Subscriber.address_key)
        .where(
            Subscriber.no.between(low, high),
            or_(
                Subscriber.address_key.like("%+%"),
                Subscriber.address_key.like("%@gmail.com"),
                Subscriber.address_key.like("%@googlemail.com"),
            ),
            Subscriber.erased_at.is_(None),
            visible(work),
        )
        .order_by(Subscriber.no.desc())
    )
    by_mailbox: dict[str, list[tuple[int, str]]] = {}
    for no, key in spelt.all():
        assert key is not None  # it is like something
        by_mailbox.setdefault(mailbox_of(key), []).append((no, key))
    plain = await _by_plain_form(work, by_mailbox)
    pairs: list[tuple[int, int]] = []
    for mailbox, spellings in by_mailbox.items():
        numbers = sorted({no for no, _key in spellings} | plain.get(mailbox, set()), reverse=True)
        pairs += itertools.pairwise(numbers)
    pairs.sort(reverse=True)
    two = await _said_to_be_two(work, pairs[: 2 * MOST])
    return [pair for pair in pairs[: 2 * MOST] if pair not in two][:MOST]


async def _by_plain_form(work: Work, mailboxes: Iterable[str]) -> dict[str, set[int]]:
    wanted = {form for one in mailboxes for form in (one, _googlemail(one))}
    found: dict[str, set[int]] = {}
    some = sorted(wanted)
    for at in range(0, len(some), 10_000):
        rows = await work.session.execute(
            select(Subscriber.no, Subscriber.address_key).where(
                Subscriber.address_key.in_(some[at : at + 10_000]),
                Subscriber.erased_at.is_(None),
                visible(work),
            )
        )
        for no, key in rows.all():
            assert key is not None  # it is one of these
            found.setdefault(mailbox_of(key), set()).add(no)
    return found


def _googlemail(mailbox: str) -> str:
    return mailbox.replace("@gmail.com", "@googlemail.com")


# --- what was decided -----------------------------------------------------------------------------


async def _said_to_be_two(
    work: Work, pairs: Sequence[tuple[int, int]]
) -> Collection[tuple[int, int]]:
    if not pairs:
        return set()
    found = await work.session.execute(
        select(TwoPeople.other_no, TwoPeople.one_no).where(
            TwoPeople.other_no.in_({newer for newer, _older in pairs})
        )
    )
    return {(newer, older) for newer, older in found}


async def note_two(work: Work, one_no: int, other_no: int) -> bool:
    """Write down that two are two; False when that was known."""
    older, newer = sorted((one_no, other_no))
    row = {"one_no": older, "other_no": newer, "at": work.now, "account_no": work.account}
    return bool(await add_missing(work, TwoPeople, [row]))


async def merging(work: Work, no: int) -> Merging | None:
    """Find a merge by number. The caller asks whether the actor may see its people."""
    return await work.session.get(Merging, no, populate_existing=True)


async def mergings_of(work: Work, subscriber_no: int) -> Sequence[Merging]:
    """Give the merges that somebody came out of, newest first."""
    found = await work.session.scalars(
        select(Merging)
        .where(or_(Merging.kept_no == subscriber_no, Merging.merged_no == subscriber_no))
        .order_by(Merging.no.desc())
    )
    return found.all()


async def addresses_of(work: Work, nos: Collection[int]) -> dict[int, str]:
    """Give the addresses of rows that were merged, for the one whom they turned out to be."""
    found = await work.session.execute(
        select(Subscriber.no, Subscriber.address)
        .where(Subscriber.no.in_(nos))
        .execution_options(unscoped="a row that was merged is of the person who is seen")
    )
    return {no: address for no, address in found if address is not None}


# --- "this is also me" ----------------------------------------------------------------------------


async def also_me(work: Work, no: int) -> AlsoMe | None:
    """Find what somebody said of another address, by number."""
    return await work.session.get(AlsoMe, no, populate_existing=True)


async def also_mes_of(work: Work, subscriber_no: int) -> Sequence[AlsoMe]:
    """Give what somebody said of other addresses, newest first."""
    found = await work.session.scalars(
        select(AlsoMe).where(AlsoMe.subscriber_no == subscriber_no).order_by(AlsoMe.no.desc())
    )
    return found.all()
