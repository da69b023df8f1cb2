"""The library: asks that come with Rollcall, to be taken as drafts and made one's own."""

from sqlalchemy.exc import IntegrityError

from mailer.asks import store
from mailer.asks.composing import draft
from mailer.asks.model import Ask
from mailer.asks.shipped import LIBRARY, Shipped
from mailer.kit.errors import NotFound
from mailer.kit.work import Work

__all__ = ["LIBRARY", "NotInLibrary", "take_from_library"]


class NotInLibrary(NotFound):
    """There is no such ask in the library."""


async def take_from_library(work: Work, key: str) -> Ask:
    """Make a draft of a shipped ask. While that one is not closed, taking again gives the same.

    Also when two take it at the same time: there is one draft of each.
    """
    shipped = next((one for one in LIBRARY if one.key == key), None)
    if shipped is None:
        raise NotInLibrary
    standing = await store.from_library(work, key)
    if standing is not None:
        return standing
    try:
        async with work.session.begin_nested():
            return await _drafted(work, shipped)
    except IntegrityError:
        standing = await store.from_library(work, key)
        if standing is None:
            raise
        return standing


async def _drafted(work: Work, shipped: Shipped) -> Ask:
    ask = await draft(
        work,
        title=shipped.title,
        text=shipped.text,
        why=shipped.why,
        minutes=shipped.minutes,
        unit=shipped.unit,
        target=shipped.target,
        audience=[one.value for one in shipped.audience],
        turn=shipped.turn,
        repeat_days=shipped.repeat_days,
        risk=shipped.risk,
        rights=shipped.rights,
        evidence=shipped.evidence,
        needs_support=shipped.needs_support,
    )
    ask.library_key = shipped.key
    await work.session.flush()
    return ask
