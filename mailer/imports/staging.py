"""Writing down read lines as fast as each database takes them.

The one place of this slice that speaks to the drivers: `executemany` of SQLite takes 2 µs a row,
COPY of PostgreSQL takes 3; SQLAlchemy's way takes 10.
"""

from collections.abc import Sequence
from typing import Any

from mailer.kit.work import Work

LINE = (
    "import_no line fate why facts cells address address_key mark uid first_name last_name name_key"
    " called_key middle_key second_key city postcode region country time_zone source language"
    " tier_no agreed_at never_agreed phone phone_mark"
).split()
ITEM = "import_no line gives ref value number".split()

Row = tuple[Any, ...]


async def keep(work: Work, lines: Sequence[Row], items: Sequence[Row]) -> None:
    """Write lines and what they give, in the order of `LINE` and `ITEM`."""
    connection = await work.session.connection()
    driver: Any = (await connection.get_raw_connection()).driver_connection
    write = _copy if connection.dialect.name == "postgresql" else _execute_many
    await write(driver, "import_line", LINE, lines)
    await write(driver, "import_item", ITEM, items)


async def _execute_many(
    driver: Any, table: str, columns: Sequence[str], rows: Sequence[Row]
) -> None:
    holes = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({holes})"  # noqa: S608
    cursor = await driver.executemany(statement, rows)
    await cursor.close()


async def _copy(driver: Any, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    async with driver.cursor() as cursor:
        statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
        async with cursor.copy(statement) as copy:
            for row in rows:
                await copy.write_row(row)
