"""What a timeline says of somebody's pledges, and what becomes of them in a merge or an erasure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mailer.activity.model import Entry
from mailer.activity.record import entry_of, lines
from mailer.asks import store
from mailer.asks.model import Pledge
from mailer.kit.i18n import N_, _, in_language
from mailer.kit.known import Part
from mailer.kit.orm import Facts
from mailer.kit.rows import add_missing
from mailer.kit.work import Work

_WORDS = {
    "pledged": N_("Said yes to “%(ask)s”"),
    "pledge_done": N_("Did “%(ask)s”"),
    "pledge_withdrawn": N_("Took back their yes to “%(ask)s”"),
}


async def entries(work: Work, subscriber_no: int) -> list[Entry]:
    """Tell what somebody said yes to, did, and took back."""
    found = await lines(work, subscriber_no, tuple(_WORDS))
    asks = await store.by_nos(work, {line.facts["ask"] for line in found})
    return [
        entry_of(
            line,
            {"words": _(_WORDS[line.kind]) % {"ask": in_language(asks[line.facts["ask"]].title)}},
        )
        for line in found
    ]


async def repoint(work: Work, from_no: int, to_no: int) -> Facts:
    """Give one person's pledges to another. Of two to one ask, the other's own stands."""
    theirs = {one.ask_no for one in await store.pledges_of(work, to_no)}
    had = await store.pledges_of(work, from_no)
    moved = [one.no for one in had if one.ask_no not in theirs]
    dropped = [_kept(one) for one in had if one.ask_no in theirs]
    await store.hand_over(work, moved, to_no)
    await store.drop(work, from_no)
    return {"moved": moved, "dropped": dropped}


async def restore(work: Work, from_no: int, to_no: int, moved: Facts) -> None:
    """Take a `repoint` back: what was moved and still stands there goes home, with what it had."""
    standing = {one.no for one in await store.pledges_of(work, to_no)}
    await store.hand_over(work, standing.intersection(moved["moved"]), from_no)
    await add_missing(
        work, Pledge, [{**_read(one), "subscriber_no": from_no} for one in moved["dropped"]]
    )


async def forget(work: Work, subscriber_no: int) -> None:
    """Keep no pledge of somebody."""
    await store.drop(work, subscriber_no)


_PLAIN = ("no", "ask_no", "state", "door", "campaign_no")
_DATES = ("made_at", "done_at")


def _kept(pledge: Pledge) -> Facts:
    dates = {name: getattr(pledge, name) for name in _DATES}
    return {
        **{name: getattr(pledge, name) for name in _PLAIN},
        **{name: date and date.isoformat() for name, date in dates.items()},
    }


def _read(kept: Mapping[str, Any]) -> dict[str, Any]:
    dates = {name: kept[name] and datetime.fromisoformat(kept[name]) for name in _DATES}
    return {**kept, **dates}


async def known(work: Work, subscriber_no: int) -> list[Part]:
    """Give what somebody said yes to, and what became of it."""
    pledges = await store.pledges_of(work, subscriber_no)
    asks = await store.by_nos(work, {one.ask_no for one in pledges})
    return [
        Part(
            name="pledges",
            table="pledge",
            words=_("What you said yes to"),
            rows=[
                {
                    "ask": in_language(asks[one.ask_no].title),
                    "state": one.state.value,
                    "at": one.made_at,
                    "done_at": one.done_at,
                    "door": one.door.value,
                    "by_campaign": one.campaign_no is not None,
                }
                for one in reversed(pledges)
            ],
        )
    ]
