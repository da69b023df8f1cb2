"""The ladder itself: what each rung is called and promises, and which rungs there are.

A rung can be added, moved past its neighbour, and closed once nobody stands on it. None is ever
deleted: what people did on it stays told.
"""

from collections.abc import Sequence

from mailer.audit import actions as audit
from mailer.consent import store as consents
from mailer.kit.errors import Conflict, Invalid, NotFound
from mailer.kit.ids import slug as slug_of
from mailer.kit.orm import Localised
from mailer.kit.rows import add_missing
from mailer.kit.texts import in_languages
from mailer.kit.work import Work
from mailer.tiers import store
from mailer.tiers.ladder import DEFAULT_LADDER
from mailer.tiers.model import Tier, TierPromise

MOST_MAILS, MOST_DAYS = 100, 365
MOST_MINUTES = 10_000
SHORTEST_LAPSE, LONGEST_LAPSE = 30, 3650
MOST_RUNGS = 12


class PromiseOutOfRange(Invalid):
    """A promise is 1 to 100 emails in 1 to 365 days."""


class MinutesOutOfRange(Invalid):
    """We ask for 0 to 10,000 minutes a month."""


class LapseOutOfRange(Invalid):
    """Ask after 30 to 3,650 days whether people are still with you, or leave it empty: never."""


class ListNotThere(Invalid):
    """One of these lists is closed. Please look again."""


class LowestIsOpen(Invalid):
    """The lowest level is open to all: whoever waits for an answer begins there."""


class TierGone(NotFound):
    """There is no such level."""


class AtTheEnd(Conflict):
    """It is at the end of the ladder already."""


class TooManyRungs(Conflict):
    """A ladder has 12 levels at most. People read all of them before they choose."""


class LastRung(Conflict):
    """One level must stay."""


class PeopleOnIt(Conflict):
    """There are people on this level: move them first, and say why. They are told."""


async def furnish(work: Work) -> None:
    """Put in the ladder that every organisation starts with; one that stands is left alone."""
    if await store.every_tier(work):
        return
    await add_missing(work, Tier, DEFAULT_LADDER)


async def describe_tier(
    work: Work,
    tier: Tier,
    *,
    name: Localised,
    often: Localised,
    you_get: Localised,
    we_ask: Localised,
    most_mails: int | None = None,
    most_in_days: int | None = None,
    needs_approval: bool | None = None,
    minutes: int | None = None,
    lapse_days: int | None = None,
    never_lapses: bool = False,
    list_nos: Sequence[int] | None = None,
) -> Tier:
    """Change what a tier is called and promises. Nobody moves, and nobody gets a mail.

    What is None stays as it is; `never_lapses` takes the days away. Where it begins to promise more
    emails, those who stand on it keep what they were promised until they choose again.
    """
    tier = await _open(work, tier.no)
    described: dict[str, object] = {
        **_words(name=name, often=often, you_get=you_get, we_ask=we_ask),
        "most_mails": tier.most_mails if most_mails is None else most_mails,
        "most_in_days": tier.most_in_days if most_in_days is None else most_in_days,
        "needs_approval": tier.needs_approval if needs_approval is None else needs_approval,
        "minutes": tier.minutes if minutes is None else minutes,
        "lapse_days": None if never_lapses else lapse_days or tier.lapse_days,
        "list_nos": tier.list_nos if list_nos is None else sorted(set(list_nos)),
    }
    _ask_for_range(described, "most_mails", 1, MOST_MAILS, PromiseOutOfRange)
    _ask_for_range(described, "most_in_days", 1, MOST_DAYS, PromiseOutOfRange)
    _ask_for_range(described, "minutes", 0, MOST_MINUTES, MinutesOutOfRange)
    if described["lapse_days"] is not None:
        _ask_for_range(described, "lapse_days", SHORTEST_LAPSE, LONGEST_LAPSE, LapseOutOfRange)
    if described["needs_approval"] and tier.no == (await store.ladder(work))[0].no:
        raise LowestIsOpen(field="needs_approval")
    if list_nos is not None and not set(list_nos) <= {one.no for one in await consents.lists(work)}:
        raise ListNotThere(field="list_nos")
    changed = [key for key, value in described.items() if getattr(tier, key) != value]
    if not changed:
        return tier
    if _promises_more(tier, described):
        work.session.add(
            TierPromise(
                tier_no=tier.no,
                until=work.now,
                most_mails=tier.most_mails,
                most_in_days=tier.most_in_days,
            )
        )
    for key in changed:
        setattr(tier, key, described[key])
    await audit.note(work, "tier_described", tier=tier.no, fields=changed)
    return tier


def _words(**texts: Localised) -> dict[str, object]:
    longest = {"name": 60, "often": 120, "you_get": 300, "we_ask": 300}
    return {
        field: in_languages(
            text, longest=longest[field], field=field, needed=field in {"name", "often"}
        )
        for field, text in texts.items()
    }


def _ask_for_range(
    described: dict[str, object], field: str, least: int, most: int, refusal: type[Invalid]
) -> None:
    number = described[field]
    if not isinstance(number, int) or not least <= number <= most:
        raise refusal(field=field)


def _promises_more(tier: Tier, described: dict[str, object]) -> bool:
    """Say whether somebody may get more than before: more emails, or as many in fewer days."""
    mails, days = described["most_mails"], described["most_in_days"]
    assert isinstance(mails, int)
    assert isinstance(days, int)
    return mails > tier.most_mails or days < tier.most_in_days


# --- which rungs there are ------------------------------------------------------------------------


async def add_tier(work: Work, *, name: Localised, often: Localised) -> Tier:
    """Add a rung at the top. It needs approval until somebody says otherwise."""
    ladder = await store.hold_ladder(work)
    standing = [tier for tier in ladder if tier.closed_at is None]
    if len(standing) >= MOST_RUNGS:
        raise TooManyRungs
    words = _words(name=name, often=often, you_get={}, we_ask={})
    tier = Tier(
        slug=_free_slug(next(iter(name.values()), ""), {one.slug for one in ladder}),
        rank=max((one.rank for one in ladder), default=0) + 1,
        most_mails=standing[-1].most_mails if standing else 1,
        most_in_days=standing[-1].most_in_days if standing else 30,
        needs_approval=bool(standing),
        **words,
    )
    work.session.add(tier)
    await work.session.flush()
    await audit.note(work, "tier_added", tier=tier.no)
    return tier


# What links in newsletters call the level above and the level below that of their reader.
_RELATIVE = frozenset({"up", "down"})


def _free_slug(name: str, taken: set[str]) -> str:
    wanted = slug_of(name)[:36] or "level"
    number, free = 1, wanted
    while free in taken | _RELATIVE:
        number += 1
        free = f"{wanted}-{number}"
    return free


async def move_tier(work: Work, tier: Tier, *, up: bool) -> Tier:
    """Let a rung change places with its neighbour above or below. Nobody moves with it."""
    ladder = [one for one in await store.hold_ladder(work) if one.closed_at is None]
    at = next((at for at, one in enumerate(ladder) if one.no == tier.no), None)
    if at is None:
        raise TierGone
    to = at + 1 if up else at - 1
    if not 0 <= to < len(ladder):
        raise AtTheEnd
    here, there = ladder[at], ladder[to]
    lowest = there if at == 0 else here if to == 0 else ladder[0]
    if lowest.needs_approval:
        raise LowestIsOpen
    await store.swap_ranks(work, here, there)
    await audit.note(work, "tier_moved", tier=here.no)
    return here


async def close_tier(work: Work, tier: Tier) -> Tier:
    """Take a rung out of the ladder. Refuses while anybody stands on it; what waits for it ends."""
    ladder = [one for one in await store.hold_ladder(work) if one.closed_at is None]
    tier = next((one for one in ladder if one.no == tier.no), None) or tier
    if tier.closed_at is not None:
        return tier
    left = [one for one in ladder if one.no != tier.no]
    if not left:
        raise LastRung
    if left[0].needs_approval:
        raise LowestIsOpen
    if await store.anybody_on(work, tier.no):
        raise PeopleOnIt
    tier.closed_at = work.now
    await store.end_what_waits_for(work, tier.no)
    await audit.note(work, "tier_closed", tier=tier.no)
    return tier


async def _open(work: Work, no: int) -> Tier:
    tier = await store.by_no(work, no)
    if tier is None or tier.closed_at is not None:
        raise TierGone
    return tier
