"""The ledger's rows, the workers that hold them, and why somebody was left out."""

import enum
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from mailer.kit.i18n import N_, _
from mailer.kit.orm import Base


class Delivery(Base):
    """One message to one subscriber.

    No foreign key to the subscriber: the row outlives an erasure, so that states always sum to the
    number frozen. No index on the state: PostgreSQL's updates are then HOT (sending.md 5).
    """

    __tablename__ = "delivery"
    __table_args__ = (
        # Keys come in order, so SQLite keeps the row in the key's own tree, and PostgreSQL leaves
        # room beside each row for its next version.
        {"sqlite_with_rowid": False, "postgresql_with": {"fillfactor": 70}},
    )

    campaign_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    run: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    subscriber_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    worker: Mapped[int | None]
    state: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    attempt: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    code: Mapped[int | None] = mapped_column(SmallInteger)
    due_at: Mapped[datetime | None]
    at: Mapped[datetime | None]
    reply: Mapped[str | None] = mapped_column(String(200))  # the server's last word, or a Reason


class Worker(Base):
    """A process that sends. Its number is given once per start and never again."""

    __tablename__ = "worker"
    __table_args__ = ({"sqlite_autoincrement": True},)

    no: Mapped[int] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    returned_at: Mapped[datetime | None]  # when its claims were given back because it was silent
    ended_at: Mapped[datetime | None]


FIRST_RUN = 1
"""Newsletters and alerts have one run; standing campaigns will have one each time they go."""

LONGEST_REPLY = 200


class Key(NamedTuple):
    """What one message is called in the ledger. Letters are campaign 0, run 0, and their number."""

    campaign: int
    run: int
    number: int

    @property
    def is_letter(self) -> bool:
        """Say whether it is a letter and no campaign's."""
        return self.campaign == 0


def key_of_letter(no: int) -> Key:
    """Name a letter as the ledger does."""
    return Key(0, 0, no)


class Reason(enum.StrEnum):
    """Why we did not write to somebody. Kept in rows, beside the words of servers."""

    # Of campaigns, when they are frozen and again in the last moment before the body.
    SUPPRESSED = "suppressed"
    UNSUBSCRIBED = "unsubscribed"
    UNCONFIRMED = "unconfirmed"
    NOT_ON_LIST = "not_on_list"
    PAUSED = "paused"
    ONLY_URGENT = "only_urgent"
    STOPPED = "stopped"
    ERASED = "erased"
    NO_ADDRESS = "no_address"
    BAD_ADDRESS = "bad_address"
    OTHER_LEVEL = "other_level"
    NOT_IN_SEGMENT = "not_in_segment"
    OFTEN_ENOUGH = "often_enough"
    CANCELLED = "cancelled"
    # Of letters.
    POINTLESS = "pointless"
    NO_ACCOUNT = "no_account"
    # Of what a person or a fault of ours ended.
    LEFT_IN_DOUBT = "left_in_doubt"
    UNWRITABLE = "unwritable"
    # Not final: why it is tried again, or is in doubt.
    NOT_BEGUN = "not_begun"
    WORKER_ENDED = "worker_ended"
    CONNECTION_LOST = "connection_lost"
    NO_REPLY = "no_reply"
    BAD_REPLY = "bad_reply"


_WORDS = {
    Reason.SUPPRESSED: N_("Never write to them"),
    Reason.UNSUBSCRIBED: N_("Left the list"),
    Reason.UNCONFIRMED: N_("Never confirmed"),
    Reason.NOT_ON_LIST: N_("Is not on the list"),
    Reason.PAUSED: N_("On a break"),
    Reason.ONLY_URGENT: N_("Wants only what is urgent"),
    Reason.STOPPED: N_("Stopped by an organiser"),
    Reason.ERASED: N_("Erased"),
    Reason.NO_ADDRESS: N_("Has no address"),
    Reason.BAD_ADDRESS: N_("The address cannot be written to"),
    Reason.OTHER_LEVEL: N_("On another level"),
    Reason.NOT_IN_SEGMENT: N_("Does not answer to the segment"),
    Reason.OFTEN_ENOUGH: N_("Has had as many newsletters as their level promises"),
    Reason.CANCELLED: N_("The campaign was stopped"),
    Reason.POINTLESS: N_("There was nothing to say any more"),
    Reason.NO_ACCOUNT: N_("The account is closed"),
    Reason.LEFT_IN_DOUBT: N_("Nobody knows whether it arrived; somebody decided to leave it"),
    Reason.UNWRITABLE: N_("We could not write this email; the records of the server say why"),
    Reason.NOT_BEGUN: N_("Not begun"),
    Reason.WORKER_ENDED: N_("Our own server stopped while it was sending"),
    Reason.CONNECTION_LOST: N_("The connection broke"),
    Reason.NO_REPLY: N_("Their server did not answer in time"),
    Reason.BAD_REPLY: N_("Their server answered with what we could not read"),
}


def last_word(reply: str | None) -> str:
    """Say why, in the reader's language, or what the server said, in its own."""
    if not reply:
        return ""
    try:
        return _(_WORDS[Reason(reply)])
    except ValueError:
        return reply
