"""What a database has to know of its tables to find the short way through them."""

from sqlalchemy import text

from mailer.kit.orm import Base
from mailer.kit.work import Work


async def count_afresh(work: Work, *tables: type[Base]) -> None:
    """Let PostgreSQL know what was just written to tables; SQLite does without.

    Until its own upkeep comes round, about a minute later, it takes what is new for a single row,
    and walks through thousands where it would go straight to one. It reads a sample, whatever the
    size of the table, and waits for nobody: one that is being vacuumed is left out.
    """
    if work.session.get_bind().dialect.name == "postgresql":
        names = ", ".join(table.__tablename__ for table in tables)
        await work.session.execute(
            text(f"ANALYZE (SKIP_LOCKED) {names}"),
            execution_options={"unscoped": "a sample, of which statistics are kept alone"},
        )
