"""Rows that may stand already: adding what is missing, in one statement, whoever else is adding."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy.dialects import postgresql, sqlite

from mailer.kit.orm import Base
from mailer.kit.work import Work

Row = TypeVar("Row", bound=Base)


async def add_missing(
    work: Work,
    kind: type[Row],
    rows: Sequence[Mapping[str, Any]],
) -> Sequence[Row]:
    """Insert the rows whose unique keys are not taken, and give those.

    Not a look and then an insert: on PostgreSQL another transaction may add the same row between
    the two, and its violation would end ours.
    """
    if not rows:
        return []
    on_postgres = work.session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert if on_postgres else sqlite.insert
    statement = insert(kind).on_conflict_do_nothing().returning(kind)
    return (await work.session.scalars(statement, rows)).all()
