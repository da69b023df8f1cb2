"""What a timeline says of somebody's pledges, and what becomes of them in a merge or an erasure."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from mailer.activity.model import Entry, Undo, Undoes
from mailer.activity.record import entry_of, lines
from mailer.asks import plain, store
from mailer.asks.model import UNDO_FOR, Offer, Pledge, PledgeChange
from mailer.asks.offers import store as offers
from mailer.asks.reporting import note_of
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
    """Give one person's pledges to another. Of two to one ask, the other's own stands."""
    theirs = {one.ask_no for one in await store.pledges_of(work, to_no)}
    had = await store.pledges_of(work, from_no)
    moved = [one.no for one in had if one.ask_no not in theirs]
    dropped = [one for one in had if one.ask_no in theirs]
    of_dropped = {one.no for one in dropped}
    steps = [
        _kept_step(one)
        for one in await store.changes_of(work, from_no)
        if one.pledge_no in of_dropped
    ]
    offered = {one.campaign_no for one in await offers.offers_to(work, to_no)}
    had_offers = await offers.offers_to(work, from_no)
    offers_moved = [one.campaign_no for one in had_offers if one.campaign_no not in offered]
    twice = [one for one in had_offers if one.campaign_no in offered]
    await store.hand_over(work, moved, to_no)
    await offers.hand_offers_over(work, from_no, to_no, offers_moved)
    await store.drop(work, from_no)
    return {
        "moved": moved,
        "dropped": [_kept(one) for one in dropped],
        "steps": steps,
        "offers": offers_moved,
        "dropped_offers": [_plain(one, _OFFER) for one in twice],
    }


async def restore(work: Work, from_no: int, to_no: int, moved: Facts) -> None:
    """Take a `repoint` back: what was moved and still stands there goes home, with what it had."""
    standing = {one.no for one in await store.pledges_of(work, to_no)}
    await store.hand_over(work, standing.intersection(moved["moved"]), from_no)
    await offers.hand_offers_over(work, to_no, from_no, moved["offers"])
    kinds: list[tuple[type[Base], list[Facts]]] = [
        (Pledge, [plain.read(one) for one in moved["dropped"]]),
        (PledgeChange, [_read_step(one) for one in reversed(moved["steps"])]),
        (Offer, [_read_step(one) for one in moved["dropped_offers"]]),
    ]
    for kind, rows in kinds:
        await add_missing(work, kind, [{**one, "subscriber_no": from_no} for one in rows])


async def forget(work: Work, subscriber_no: int) -> None:
    """Keep no pledge of somebody, no step of one, and nothing that was offered to them."""
    await store.drop(work, subscriber_no)


_STEP = ("no", "pledge_no", "from_state", "to_state", "at", "door", "account_no", "before")
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
                    "link": one.link,
                    "due_at": one.due_at,
                    "verified_at": one.verified_at,
                    "reminded_at": one.reminded_at,
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
                    "door": one.door.value,
                    "by_organiser": one.account_no is not None,
                }
                for one in reversed(steps)
            ],
        ),
        Part(
            name="offers",
            table="offer",
            words=_("What our emails asked you to do"),
            rows=[{"ask": titles[one.ask_no], "at": one.at} for one in offered],
        ),
    ]
