"""The bulk act, and whom it touches."""

import enum
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from mailer.kit.orm import Base, Facts, Json, one_of

UNDO_FOR = timedelta(days=30)
WAITS_FOR = timedelta(days=1)
"""So long an act that nobody confirms is kept; who it touches may be others by then."""

TYPED_FROM = 100
"""From so many people on, whoever decides types how many they are."""


class Deed(enum.StrEnum):
    """What is done to each."""

    TAG = "tag"
    UNTAG = "untag"
    TIER = "tier"
    LIST = "list"  # asked by letter whether they want it
    LEAVE_LIST = "leave_list"
    GROUP = "group"
    LEAVE_GROUP = "leave_group"
    PAUSE = "pause"
    TAKE_OFF = "take_off"


class BulkState(enum.StrEnum):
    """How far a bulk act has come."""

    WAITING = "waiting"  # counted, and not yet confirmed
    WORKING = "working"
    DONE = "done"
    STOPPED = "stopped"
    UNDOING = "undoing"
    UNDONE = "undone"


class BulkAct(Base):
    """One thing that is done to many.

    `touches` is how many were chosen. Of those `would` change and `letters` would get a letter, as
    it stood when they were counted. `done` is how many the worker has come to, and `changed` how
    many of them were changed; of these an undo has taken back `returned`, and left those alone who
    had changed since, `left`.
    """

    __tablename__ = "bulk_act"

    no: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    deed: Mapped[Deed] = mapped_column(one_of(Deed))
    facts: Mapped[Facts] = mapped_column(default=dict)  # which tag, tier, list, group; days; why
    tree: Mapped[dict[str, Any] | None]  # the question they answered; None: chosen one by one
    scope: Mapped[list[int] | None] = mapped_column(Json)  # of who decided it; None is everybody
    state: Mapped[BulkState] = mapped_column(one_of(BulkState))
    touches: Mapped[int] = mapped_column(default=0)
    would: Mapped[int] = mapped_column(default=0)
    letters: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    returned: Mapped[int] = mapped_column(default=0)
    left: Mapped[int] = mapped_column(default=0)
    cursor: Mapped[int] = mapped_column(default=0)  # the last subscriber that was come to
    refused: Mapped[str | None] = mapped_column(String(60))  # the refusal that ended it
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("account.no"))
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    @property
    def is_over(self) -> bool:
        """Say whether the worker has come to its end, be it because somebody stopped it."""
        return self.state in {BulkState.DONE, BulkState.STOPPED}

    def is_open_to_undo(self, now: datetime) -> bool:
        """Say whether there is something to take back, and still time for it."""
        in_time = self.ended_at is not None and now <= self.ended_at + UNDO_FOR
        return self.is_over and self.changed > 0 and in_time


class BulkPerson(Base):
    """Somebody whom a bulk act touches, and what to go back to: None, nothing was changed.

    No key to the person: who is erased is only a number here, and goes with the act.
    """

    __tablename__ = "bulk_person"
    __table_args__ = ({"sqlite_with_rowid": False},)

    act_no: Mapped[int] = mapped_column(
        ForeignKey("bulk_act.no", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    subscriber_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    before: Mapped[dict[str, Any] | None]
