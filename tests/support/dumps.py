"""All there is in a database, to be compared with what there was."""

from collections.abc import Collection

from sqlalchemy import select

from mailer.bootstrap import House
from mailer.kit.orm import Base


async def everything(house: House, *, but: Collection[str] = ()) -> dict[str, list[str]]:
    """Give every row of every table, but for those of the tables that are named."""
    async with house.work(reading=True) as work:
        return {
            table.name: sorted(
                repr(tuple(row))
                for row in await work.session.execute(
                    select(table).execution_options(unscoped="the test compares all there is")
                )
            )
            for table in Base.metadata.sorted_tables
            if table.name not in but
        }
