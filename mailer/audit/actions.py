"""Writing the audit."""

from typing import Any

from mailer.audit.model import AuditLine
from mailer.kit.work import Work


async def note(work: Work, act: str, **facts: Any) -> None:
    """Write down that the account of this work did something; `facts` hold numbers, no address."""
    work.session.add(
        AuditLine(at=work.now, account_no=work.account, door=work.door, act=act, facts=facts),
    )
