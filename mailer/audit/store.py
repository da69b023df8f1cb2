"""Questions about the audit."""

from sqlalchemy import select

from mailer.audit.model import AuditLine
from mailer.kit.pages import Page, cut
from mailer.kit.work import Work


async def newest(work: Work, *, before: int | None = None, limit: int = 50) -> Page[AuditLine]:
    """Give the newest lines, newest first, a page at a time."""
    lines = select(AuditLine).order_by(AuditLine.no.desc()).limit(limit + 1)
    if before is not None:
        lines = lines.where(AuditLine.no < before)
    found = (await work.session.scalars(lines)).all()
    return cut(found, limit, lambda line: line.no)
