"""One line of the audit."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from mailer.kit.orm import Base, Facts, one_of
from mailer.kit.work import Door


class AuditLine(Base):
    """One act of one account (or of the server's shell, which has no account)."""

    __tablename__ = "audit_line"

    no: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    account_no: Mapped[int | None] = mapped_column(ForeignKey("account.no"))
    door: Mapped[Door] = mapped_column(one_of(Door))
    act: Mapped[str] = mapped_column(String(60))
    facts: Mapped[Facts] = mapped_column(default=dict)
