"""The telephone of somebody."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from mailer.kit.orm import Base


class Phone(Base):
    """How somebody is called, or that they are not."""

    __tablename__ = "phone"

    subscriber_no: Mapped[int] = mapped_column(
        ForeignKey("subscriber.no", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)  # the number in E.164
    # The scrambled mark of the number: two people with one are suggested as one.
    mark: Mapped[str | None] = mapped_column(String(32), index=True)
    best_time: Mapped[str] = mapped_column(String(80), default="")
    never_call: Mapped[bool] = mapped_column(default=False)
    consent_no: Mapped[int | None] = mapped_column(ForeignKey("consent_record.no"))
    at: Mapped[datetime]
