"""Does every statement that reads subscribers ask whether the actor may see them?

We look at statements as they are executed, not at source code: a condition lost between a helper
and its caller is seen, and so is a second alias of the table without one. What is never executed
is not seen, therefore coverage of every `store.py` is held at 100 %.

A statement that rightly sees everybody says so: `.execution_options(unscoped="why")`.
"""

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

from sqlalchemy import (
    Connection,
    Delete,
    FromClause,
    Select,
    Table,
    TextClause,
    Update,
    event,
)
from sqlalchemy.engine import Engine
from sqlalchemy.sql import visitors

from mailer.subscribers.model import Subscriber, Visible

TABLE = cast(Table, Subscriber.__table__)
NAMED = re.compile(rf"\b{TABLE.name}\b", re.IGNORECASE)


@contextmanager
def watching() -> Generator[list[str]]:
    """Collect what was executed and should not have been."""
    unseen: list[str] = []

    def look(_c: Connection, statement: Any, _m: Any, _p: Any, options: Any) -> None:
        if not options.get("unscoped"):
            unseen.extend(_known(statement))

    event.listen(Engine, "before_execute", look)
    try:
        yield unseen
    finally:
        event.remove(Engine, "before_execute", look)


def _known(statement: Any) -> list[str]:
    """Give what `blind` gives, once for all statements of one shape: looking is dear.

    The key is the one by which SQLAlchemy keeps compiled statements; what has none is looked at.
    """
    key = None if isinstance(statement, TextClause) else statement._generate_cache_key()
    if key is None:
        return blind(statement)
    if key.key not in _SEEN:
        _SEEN[key.key] = blind(statement)
    return _SEEN[key.key]


_SEEN: dict[Any, list[str]] = {}


def blind(statement: Any) -> list[str]:
    """Name the parts of a statement that read subscribers and do not say `visible`."""
    if isinstance(statement, TextClause):
        return [statement.text] if NAMED.search(statement.text) else []
    return [str(part) for part in visitors.iterate(statement) if _is_blind(part)]


def _is_blind(part: Any) -> bool:
    if isinstance(part, Select):
        # What a subquery takes from the statement around it is read, and asked for, there.
        around = [table for source in part._correlate for table in _tables(source)]
        read = [
            table
            for source in part.get_final_froms()
            for table in _tables(source)
            if table not in around
        ]
        on = [join.onclause for source in part.get_final_froms() for join in _joins(source)]
    elif isinstance(part, Update | Delete):
        read, on = [table for table in [part.table] if _is_subscribers(table)], []
    else:
        return False
    conditions = [part.whereclause, *on]
    seen = [
        _table_of(visible)
        for clause in conditions
        if clause is not None
        for visible in visitors.iterate(clause)
        if isinstance(visible, Visible)
    ]
    return any(table not in seen for table in read)


def _tables(source: Any) -> list[FromClause]:
    """The subscriber table and its aliases in a FROM; not inside subqueries, which are parts."""
    if hasattr(source, "onclause"):
        return [*_tables(source.left), *_tables(source.right)]
    return [source] if _is_subscribers(source) else []


def _joins(source: Any) -> list[Any]:
    if not hasattr(source, "onclause"):
        return []
    return [source, *_joins(source.left), *_joins(source.right)]


def _is_subscribers(source: Any) -> bool:
    # `==`, not `is`: the ORM executes annotated copies of the table, equal but not the same.
    return source == TABLE or getattr(source, "element", None) == TABLE


def _table_of(visible: Visible) -> Any:
    return next(part.table for part in visitors.iterate(visible) if hasattr(part, "table"))
