"""The signal."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mailer.activity.model import Activity
from mailer.kit.orm import Base


class Signal(Base):
    """A line of a timeline that somebody has yet to react to.

    It names the line and nothing else: it goes with the line to whom two entries turned out to be,
    and with it when somebody is erased.
    """

    __tablename__ = "signal"
    __table_args__ = (Index("ix_signal_due", "due_at", "activity_no"),)

    activity_no: Mapped[int] = mapped_column(
        ForeignKey("activity.no", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    due_at: Mapped[datetime]
    tried: Mapped[int] = mapped_column(SmallInteger, default=0)  # times that a reaction failed

    line: Mapped[Activity] = relationship(lazy="raise")
