"""What a timeline says of somebody's pledges, and what becomes of them in a merge or an erasure."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from mailer.activity.model import Entry, Undo, Undoes
from mailer.activity.record import entry_of, lines
from mailer.asks import plain, store
from mailer.asks.model import IS_DONE, UNDO_FOR, Offer, Pledge, PledgeChange, PledgeState
from mailer.asks.offers import store as offers
from mailer.asks.reporting import link_of, note_of, opened
from mailer.kit.i18n import N_, _, in_language
from mailer.kit.known import Part
from mailer.kit.orm import Base, Facts
from mailer.kit.rows import add_missing
from mailer.kit.work import Work

_WORDS = {
    "pledged": N_("Said yes to “%(ask)s”"),
    "pledge_declined": N_("Said “not for me” to “%(ask)s”"),
    "pledge_withdrawn": N_("Took back the yes to “%(ask)s”"),
    "pledge_done": N_("Did “%(ask)s”"),
    "pledge_told": N_("Said more about having done “%(ask)s”"),
    "pledge_later": N_("Is at it, not done yet: “%(ask)s”"),
    "pledge_blocked": N_("Needs help with “%(ask)s”"),
    "pledge_verified": N_("An organiser confirmed that “%(ask)s” was done"),
    "pledge_reopened": N_("Is asked again: “%(ask)s”"),
    "pledge_undone": N_("Took back the answer to “%(ask)s”"),
}


async def entries(work: Work, subscriber_no: int) -> list[Entry]:
    """Tell what somebody answered, and what came of it; the newest step of each can be undone."""
    found = await lines(work, subscriber_no, tuple(_WORDS))
    asks = await store.by_nos(work, {line.facts["ask"] for line in found})
    undos = await _open_undos(work, subscriber_no)
    told: list[Entry] = []
    for line in found:
        words: dict[str, Any] = {
            "words": _(_WORDS[line.kind]) % {"ask": in_language(asks[line.facts["ask"]].title)}
        }
        if line.kind != "pledge_undone":
            words["undo"] = undos.pop((line.facts["pledge"], line.at), None)
        told.append(entry_of(line, words))
    return told


async def _open_undos(work: Work, subscriber_no: int) -> dict[tuple[int, datetime], Undo]:
    """Give what may be undone of each of somebody's pledges, by its number and the step's date."""
    newest: dict[int, PledgeChange] = {}
    for change in await store.changes_of(work, subscriber_no):
        if change.undone_at is None:
            newest.setdefault(change.pledge_no, change)
    return {
        (change.pledge_no, change.at): Undo(
            what=Undoes.PLEDGE, no=change.no, until=change.at + UNDO_FOR
        )
        for change in newest.values()
        if change.is_open_to_undo(work.now)
    }


async def repoint(work: Work, from_no: int, to_no: int) -> Facts:
    """Give one person's pledges to another. Of two to one ask the one that says more stands.

    Done is more than not done, and needing help more than a mere yes; of equals the other's own
    stands. `became` tells of each pledge that goes which one stands for it now.
    """
    theirs = {one.ask_no: one for one in await store.pledges_of(work, to_no)}
    had = await store.pledges_of(work, from_no)
    twice = [(one, theirs[one.ask_no]) for one in had if one.ask_no in theirs]
    dropped = [one for one, own in twice if _says(one) <= _says(own)]
    replaced = [own for one, own in twice if _says(one) > _says(own)]
    stand = {one.ask_no: one.no for one in [*theirs.values(), *had]}
    stand |= {own.ask_no: own.no for one, own in twice if own not in replaced}
    of_dropped = {one.no for one in dropped}
    moved = [one.no for one in had if one.no not in of_dropped]
    offered = {one.campaign_no for one in await offers.offers_to(work, to_no)}
    had_offers = await offers.offers_to(work, from_no)
    offers_moved = [one.campaign_no for one in had_offers if one.campaign_no not in offered]
    offered_twice = [one for one in had_offers if one.campaign_no in offered]
    facts: Facts = {
        "moved": moved,
        "dropped": [_kept(one) for one in dropped],
        "steps": await _steps_of(work, from_no, dropped),
        "replaced": [_kept(one) for one in replaced],
        "replaced_steps": await _steps_of(work, to_no, replaced),
        "became": {one.no: stand[one.ask_no] for one in (*dropped, *replaced)},
        "offers": offers_moved,
        "dropped_offers": [_plain(one, _OFFER) for one in offered_twice],
    }
    await store.drop_pledges(work, [one.no for one in replaced])
    await store.hand_over(work, moved, to_no)
    await offers.hand_offers_over(work, from_no, to_no, offers_moved)
    await store.drop(work, from_no)
    return facts


def _says(pledge: Pledge) -> int:
    """Say how much weight an answer has beside another to the same ask."""
    if pledge.state in IS_DONE:
        return 3
    if pledge.state is PledgeState.BLOCKED:
        return 2
    return 1 if pledge.is_answered else 0


async def _steps_of(work: Work, subscriber_no: int, pledges: Collection[Pledge]) -> list[Facts]:
    of = {one.no for one in pledges}
    return [
        _kept_step(one)
        for one in await store.changes_of(work, subscriber_no)
        if one.pledge_no in of
    ]


async def restore(work: Work, from_no: int, to_no: int, moved: Facts) -> None:
    """Take a `repoint` back: what was moved and still stands there goes home, with what it had."""
    standing = {one.no for one in await store.pledges_of(work, to_no)}
    await store.hand_over(work, standing.intersection(moved["moved"]), from_no)
    await offers.hand_offers_over(work, to_no, from_no, moved["offers"])
    kinds: list[tuple[type[Base], int, list[Facts]]] = [
        (Pledge, from_no, [plain.read(one) for one in moved["dropped"]]),
        (PledgeChange, from_no, [_read_step(one) for one in reversed(moved["steps"])]),
        (Pledge, to_no, [plain.read(one) for one in moved["replaced"]]),
        (PledgeChange, to_no, [_read_step(one) for one in reversed(moved["replaced_steps"])]),
        (Offer, from_no, [_read_step(one) for one in moved["dropped_offers"]]),
    ]
    for kind, whose, rows in kinds:
        await add_missing(work, kind, [{**one, "subscriber_no": whose} for one in rows])


async def forget(work: Work, subscriber_no: int) -> None:
    """Keep no pledge of somebody, no step of one, and nothing that was offered to them."""
    await store.drop(work, subscriber_no)


_STEP = (
    "no",
    "pledge_no",
    "from_state",
    "to_state",
    "at",
    "door",
    "account_no",
    "before",
    "keeps_words",
)
_OFFER = ("campaign_no", "ask_no", "at")


def _kept(pledge: Pledge) -> Facts:
    return {"no": pledge.no, "ask_no": pledge.ask_no, **plain.kept(pledge)}


def _kept_step(change: PledgeChange) -> Facts:
    return _plain(change, (*_STEP, "undone_at"))


def _plain(row: Base, columns: Collection[str]) -> Facts:
    return {name: plain.plain(getattr(row, name)) for name in columns}


_MOMENTS = ("at", "undone_at")


def _read_step(kept: Facts) -> Facts:
    return {
        name: datetime.fromisoformat(value) if value and name in _MOMENTS else value
        for name, value in kept.items()
    }


async def known(work: Work, subscriber_no: int) -> list[Part]:
    """Give what somebody answered, every step of it, and what they were offered."""
    pledges = await store.pledges_of(work, subscriber_no)
    steps = await store.changes_of(work, subscriber_no)
    offered = await offers.offers_to(work, subscriber_no)
    of_pledge = {one.no: one.ask_no for one in pledges}
    asks = await store.by_nos(
        work, {one.ask_no for one in pledges} | {one.ask_no for one in offered}
    )
    titles = {no: in_language(ask.title) for no, ask in asks.items()}
    kept = [(one, _words_of(one)) for one in reversed(steps)]
    return [
        Part(
            name="pledges",
            table="pledge",
            words=_("What you said yes to"),
            rows=[
                {
                    "ask": titles[one.ask_no],
                    "state": one.state.value,
                    "at": one.made_at,
                    "done_at": one.done_at,
                    "times": one.times,
                    "amount": one.amount,
                    "you_wrote": note_of(work, one),
                    "link": link_of(work, one),
                    "due_at": None if one.is_our_day else one.due_at,
                    "asked_after": one.due_at if one.is_our_day else None,
                    "answered": one.is_answered,
                    "verified_at": one.verified_at,
                    "reminded_at": one.reminded_at,
                    "reminders": one.reminders,
                    "asked_at": one.asked_at,
                    "door": one.door.value,
                    "by_campaign": one.campaign_no is not None,
                }
                for one in reversed(pledges)
            ],
        ),
        Part(
            name="pledge_steps",
            table="pledge_change",
            words=_("What became of it, step by step"),
            rows=[
                {
                    "ask": titles[of_pledge[one.pledge_no]],
                    "from": one.from_state.value if one.from_state else "",
                    "to": one.to_state.value,
                    "at": one.at,
                    "undone_at": one.undone_at,
                    "you_wrote_before": opened(work, words["note"]),
                    "link_before": opened(work, words["link"]),
                    "door": one.door.value,
                    "by_organiser": one.account_no is not None,
                }
                for one, words in kept
            ],
        ),
        Part(
            name="offers",
            table="offer",
            words=_("What our emails asked you to do"),
            rows=[{"ask": titles[one.ask_no], "at": one.at} for one in offered],
        ),
    ]


def _words_of(change: PledgeChange) -> dict[str, bytes | None]:
    """Give what somebody wrote before a step, sealed, as long as it is kept."""
    read = plain.read({name: change.before.get(name) for name in plain.WORDS})
    return {name: read[name] for name in plain.WORDS}
