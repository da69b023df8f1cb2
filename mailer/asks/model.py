"""The ask, and a subscriber's yes to it."""

import enum
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from mailer.kit.orm import Base, one_of
from mailer.kit.work import Door


class AskState(enum.StrEnum):
    """How far an ask has come."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"


class Ask(Base):
    """One concrete thing to do."""

    __tablename__ = "ask"

    no: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    title: Mapped[dict[str, str]]
    state: Mapped[AskState] = mapped_column(one_of(AskState))
    deadline: Mapped[datetime | None]
    made_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]

    def is_open(self, now: datetime) -> bool:
        """Say whether a yes still counts."""
        return self.state is AskState.OPEN and (self.deadline is None or now <= self.deadline)


class PledgeState(enum.StrEnum):
    """What became of a yes."""

    PLEDGED = "pledged"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    VERIFIED = "verified"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    BLOCKED = "blocked"


STANDS = (
    PledgeState.PLEDGED,
    PledgeState.IN_PROGRESS,
    PledgeState.BLOCKED,
    PledgeState.DONE,
    PledgeState.VERIFIED,
)
"""A yes that was not taken back."""

IS_DONE = (PledgeState.DONE, PledgeState.VERIFIED)

TO_DO = (PledgeState.PLEDGED, PledgeState.IN_PROGRESS, PledgeState.BLOCKED)
"""Said yes, and has not yet told us that it is done."""


class Pledge(Base):
    """A subscriber's yes to an ask."""

    __tablename__ = "pledge"
    __table_args__ = (
        Index("uq_pledge_subscriber", "subscriber_no", "ask_no", unique=True),
        Index("ix_pledge_ask", "ask_no", "state", "subscriber_no"),
        Index("ix_pledge_made", "made_at", "state", "subscriber_no"),
        Index("ix_pledge_done", "done_at", "subscriber_no"),
        # A number stands in links: it is never given a second time.
        {"sqlite_autoincrement": True},
    )

    no: Mapped[int] = mapped_column(primary_key=True)
    subscriber_no: Mapped[int] = mapped_column(ForeignKey("subscriber.no", ondelete="CASCADE"))
    ask_no: Mapped[int] = mapped_column(ForeignKey("ask.no"))
    state: Mapped[PledgeState] = mapped_column(one_of(PledgeState))
    made_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    door: Mapped[Door] = mapped_column(one_of(Door))
    campaign_no: Mapped[int | None]  # the mail that asked
