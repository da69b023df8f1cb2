"""Some lines of an import, applied set-wise in one unit of work.

Every statement asks again what the rehearsal asked: who has said no since, left, or joined by
themselves is found out here, in the transaction that acts. What an undo must know is written into
the lines and into what they give, before anything is changed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Executable,
    Select,
    Table,
    and_,
    func,
    literal,
    not_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from mailer.consent.model import ConsentRecord, MailingList
from mailer.imports.judging import UNSCOPED, L, within
from mailer.imports.model import Fate, Import, ImportItem, ImportName
from mailer.kit.orm import UtcDateTime
from mailer.kit.work import Work
from mailer.organisation.model import Organisation

I = cast(Table, ImportItem.__table__).c  # noqa: E741  # beside L and S it reads well
N = cast(Table, ImportName.__table__).c

KNOWN = (Fate.KNOWN, Fate.CHANGED)


class Ground:
    """What is the same for all lines of an import: the list, the words, the house."""

    def __init__(self, mailing_list: MailingList, us: Organisation, lowest_tier: int) -> None:
        """Take the list they join, who we are, and the tier of whom a file gives none."""
        self.mailing_list = mailing_list
        self.us = us
        self.lowest_tier = lowest_tier


class Batch:
    """The lines of an import from one to another."""

    def __init__(
        self, work: Work, import_: Import, ground: Ground, *, first: int, last: int
    ) -> None:
        """Take the lines; nothing is done yet."""
        self.work, self.import_, self.ground = work, import_, ground
        self.first, self.last = first, last
        self.here = within(import_, first, last)
        self.is_new = and_(L.fate == Fate.NEW, L.uid.is_not(None))
        self.willing = and_(
            self.here,
            L.fate.in_([Fate.NEW, *KNOWN]),
            L.subscriber_no.is_not(None),
        )
        # Of whom something was on the roll before, so that an undo must know what.
        self.was_here = and_(self.willing, not_(self.is_new))
        self.some_known = False

    async def do(self, statement: Executable) -> int:
        """Execute, and give how many rows it was."""
        options: dict[str, Any] = {**UNSCOPED, "preserve_rowcount": True}
        result = await self.work.session.execute(statement.execution_options(**options))
        return max(cast("CursorResult[Any]", result).rowcount, 0)

    def insert(self, kind: type[Any], columns: Mapping[str, Any], wanted: Select[Any]) -> Any:
        """Insert what a question over the lines gives, where it does not stand already."""
        on_postgres = self.work.session.get_bind().dialect.name == "postgresql"
        table = cast(Table, kind.__table__)
        rows = wanted.with_only_columns(*columns.values())
        insert = (postgresql if on_postgres else sqlite).insert(table)
        return insert.from_select(list(columns), rows).on_conflict_do_nothing()

    def now(self) -> ColumnElement[datetime]:
        """Give the moment of this unit of work, as a value of a statement."""
        return literal(self.work.now, UtcDateTime())

    async def fates(self) -> dict[Fate, int]:
        """Count the lines by their fate."""
        # Not by GROUP BY: SQLite would read the whole import in the order of its index of fates.
        counts = [func.count().filter(L.fate == fate) for fate in Fate]
        row = (await self.work.session.execute(select(*counts).where(self.here))).one()
        return dict(zip(Fate, row, strict=True))

    async def mark_did(self, letter: str, condition: ColumnElement[bool]) -> None:
        """Note in lines what was done for somebody who was here before: an undo reads it."""
        if self.some_known:
            await self.do(
                update(L.line.table)
                .where(self.was_here, condition)
                .values(did=func.coalesce(L.did, "").concat(letter))
            )

    def evidence(self) -> dict[str, Any]:
        """Give the columns of the consent that somebody who decided has evidence of."""
        columns = ConsentRecord.__table__.c
        return {
            "subscriber_no": L.subscriber_no,
            "list_no": literal(self.import_.list_no),
            "purpose": literal(self.ground.mailing_list.slug),
            "controller": literal(self.ground.us.name),
            "channel": literal("email"),
            "given": literal(True),  # noqa: FBT003  # the value of a column
            "wording": literal(self.import_.evidence),
            "language": literal(self.ground.us.language),
            "door": literal(self.work.door, columns.door.type),
            "account_no": literal(self.work.account, columns.account_no.type),
            "at": func.coalesce(L.agreed_at, self.now()),
            "import_no": literal(self.import_.no),
        }


def beside() -> ColumnElement[bool]:
    """Say that an item is one of a line."""
    return and_(I.import_no == L.import_no, I.line == L.line)
