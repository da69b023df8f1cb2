"""Taking those who are new onto the roll, and finding those who are there.

In the transaction that acts: who has said no or has joined by themselves since the rehearsal is
found out here.
"""

from typing import Any, cast

from sqlalchemy import Table, and_, case, func, literal, not_, null, or_, select, update

from mailer.imports.batch import KNOWN, Batch
from mailer.imports.judging import L, S, refusal, there
from mailer.imports.model import Fate, Why
from mailer.subscribers.model import Subscriber, Suppression


async def add(batch: Batch) -> int:
    """Take those who are new onto the roll, unless they have said no since the rehearsal."""
    await batch.do(
        update(L.line.table)
        .where(
            batch.here,
            L.fate.in_([Fate.NEW, *KNOWN]),
            L.address.is_not(None),
            there(Suppression, Suppression.mark == L.mark),
        )
        .values(fate=Fate.REFUSED, why=Why.SUPPRESSED)
    )
    words = ("city", "postcode", "region", "country", "time_zone")
    columns: dict[str, Any] = {
        "uid": L.uid,
        "address": L.address,
        "address_key": L.address_key,
        "mark": case((L.address.is_not(None), L.mark), else_=null()),
        "first_name": L.first_name,
        "last_name": L.last_name,
        "name_key": L.name_key,
        "called_key": L.called_key,
        "middle_key": L.middle_key,
        "second_key": L.second_key,
        **{name: func.coalesce(L[name], "") for name in words},
        "source": func.coalesce(func.nullif(L.source, ""), batch.import_.source),
        "language": func.coalesce(L.language, batch.ground.us.language),
        "door": literal(batch.work.door, Subscriber.__table__.c.door.type),
        "joined_at": batch.now(),
    }
    new = select(L.line).where(batch.here, L.fate == Fate.NEW).order_by(L.line)
    return await batch.do(batch.insert(Subscriber, columns, new))


async def find(batch: Batch, missing: int) -> int:
    """Find those who were added, and who has joined by themselves since; count the latter."""
    new = and_(batch.here, L.fate == Fate.NEW)
    table = L.line.table
    await batch.do(update(table).where(new, S.uid == L.uid).values(subscriber_no=S.no))
    if missing <= 0:
        return 0
    return await batch.do(
        update(table)
        .where(new, L.subscriber_no.is_(None), S.address_key == L.address_key)
        .values(subscriber_no=func.coalesce(S.merged_no, S.no), uid=null())
    )


async def look_again(batch: Batch) -> None:
    """Refuse the lines of those who have said no since, or are others now."""
    table = L.line.table
    owner = cast(Table, Subscriber.__table__).alias("owner")
    is_theirs = there(
        owner,
        owner.c.address_key == L.address_key,
        func.coalesce(owner.c.merged_no, owner.c.no) == L.subscriber_no,
    )
    gone = and_(L.address_key.is_not(None), not_(is_theirs))
    reasons = [*refusal(batch.import_), (gone, Why.GONE)]
    refused = or_(*[condition for condition, _ in reasons])
    await batch.do(
        update(table)
        .where(batch.was_here, S.no == L.subscriber_no, refused)
        .values(fate=Fate.REFUSED, why=case(*reasons, else_=""))
    )
