"""Questions about the organisation."""

from sqlalchemy import select

from mailer.kit.work import Work
from mailer.organisation.model import THE_ONE, Organisation


async def the_one(work: Work) -> Organisation:
    """Give the organisation's row, which `furnish` put in."""
    found = await work.session.scalars(select(Organisation).where(Organisation.no == THE_ONE))
    return found.one()
