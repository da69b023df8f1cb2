"""Acts from their proposal to their end, as Amina decides them."""

from typing import Any

from mailer.bootstrap import House
from mailer.bulk import actions as bulk
from mailer.bulk.model import BulkAct, Deed
from mailer.kit.work import Door
from mailer.subscribers.model import Subscriber
from tests.cast import Cast

EVERYBODY = {"everybody": True}


async def decided(
    house: House,
    cast: Cast,
    deed: Deed,
    *,
    who: list[Subscriber] | None = None,
    tree: dict[str, Any] | None = None,
    **facts: Any,
) -> BulkAct:
    """Count and confirm an act on these people, or on all who answer to a question."""
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        uids = [one.uid for one in who] if who is not None else None
        act = await bulk.propose(work, deed, facts, tree=tree, uids=uids)
        return await bulk.confirm(work, act, typed=act.touches)


async def done(house: House, cast: Cast, deed: Deed, **how: Any) -> BulkAct:
    """Let the worker do an act to its end."""
    act = await decided(house, cast, deed, **how)
    return await bulk.drive(house, act.uid)


async def undone(house: House, cast: Cast, act: BulkAct) -> BulkAct:
    """Take an act back to its end."""
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        work.session.add(act)
        await bulk.undo(work, act)
    return await bulk.drive(house, act.uid)
