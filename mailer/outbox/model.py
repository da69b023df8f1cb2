"""The letter, and the states that letters and deliveries share."""

import enum
from datetime import datetime

from sqlalchemy import ForeignKey, Index, SmallInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column

from mailer.kit.orm import Address, Base, Facts, one_of


class DeliveryState(enum.IntEnum):
    """How far one message to one person has come. Numbers are in rows: never reuse one.

    queued → claimed → sending → sent | deferred (→ queued when due) | refused | failed | in_doubt;
    skipped from queued or claimed. `SENT` means that their mail server accepted it.
    """

    QUEUED = 0
    CLAIMED = 1
    SENDING = 2
    SENT = 3
    DEFERRED = 4
    REFUSED = 5
    FAILED = 6
    IN_DOUBT = 7
    SKIPPED = 8


class Lane(enum.StrEnum):
    """What waits for what: `urgent` before `letters`, and both before campaigns."""

    URGENT = "urgent"  # somebody sits before a page and waits for it: codes, private links
    LETTERS = "letters"


class Needs(enum.StrEnum):
    """The consent that a kind of letter needs. Suppression stops every kind to a subscriber."""

    NOTHING = "nothing"  # they have just asked for it: a confirmation, a private link
    ROLL = "roll"  # they must be on the roll: not stopped, not erased


class Letter(Base):
    """One letter that is owed, or was."""

    __tablename__ = "letter"
    __table_args__ = (
        # Few letters wait and many have gone: this index holds those that wait.
        Index(
            "ix_letter_waiting",
            "lane",
            "due_at",
            postgresql_where=text("state IN (0, 1, 2, 4)"),
            sqlite_where=text("state IN (0, 1, 2, 4)"),
        ),
    )

    no: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    lane: Mapped[Lane] = mapped_column(one_of(Lane))
    needs: Mapped[Needs] = mapped_column(one_of(Needs))
    # To a subscriber or an account by number; an address stands here only where neither has it
    # (the new one of an address change), and is cleared when the letter is settled.
    subscriber_no: Mapped[int | None] = mapped_column(
        ForeignKey("subscriber.no", ondelete="CASCADE"), index=True
    )
    account_no: Mapped[int | None] = mapped_column(ForeignKey("account.no", ondelete="CASCADE"))
    address: Mapped[str | None] = mapped_column(Address)
    language: Mapped[str] = mapped_column(String(12))
    facts: Mapped[Facts] = mapped_column(default=dict)
    dedupe_key: Mapped[str] = mapped_column(String(120), unique=True)
    made_at: Mapped[datetime]
    due_at: Mapped[datetime]

    state: Mapped[int] = mapped_column(SmallInteger, default=DeliveryState.QUEUED)
    worker: Mapped[int | None]
    attempt: Mapped[int] = mapped_column(SmallInteger, default=0)
    code: Mapped[int | None] = mapped_column(SmallInteger)
    reply: Mapped[str | None] = mapped_column(String(200))
    at: Mapped[datetime | None]

    def __repr__(self) -> str:
        return f"<Letter {self.no} {self.kind}>"
