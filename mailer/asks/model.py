"""Demands, the asks that belong to them, and what people answered."""

import enum
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, SmallInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column

from mailer.kit.orm import Base, Facts, Json, one_of, where
from mailer.kit.work import Door

UNDO_FOR = timedelta(days=30)


def _is_true(column: str) -> dict[str, Any]:
    return {"sqlite_where": text(f"{column} = 1"), "postgresql_where": text(column)}


_DONE = where("done_at IS NOT NULL")


class DemandState(enum.StrEnum):
    """How far a demand has come."""

    DRAFT = "draft"
    OPEN = "open"
    WON = "won"
    CLOSED = "closed"


class Demand(Base):
    """A one-line aim: "the right to work for people seeking asylum"."""

    __tablename__ = "demand"

    no: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    title: Mapped[dict[str, str]]
    text: Mapped[dict[str, str]] = mapped_column(default=dict)
    progress: Mapped[dict[str, str]] = mapped_column(default=dict)  # what was reached so far
    state: Mapped[DemandState] = mapped_column(one_of(DemandState), default=DemandState.DRAFT)
    made_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]  # won, or given up
    version: Mapped[int] = mapped_column(default=1)  # one more with each change of the words


class AskState(enum.StrEnum):
    """How far an ask has come."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"


class Turn(enum.StrEnum):
    """How often an ask is done."""

    ONCE = "once"
    REPEAT = "repeat"  # open again `repeat_days` after it was done
    STANDING = "standing"  # a habit, never done with: reported at most once a day


class Evidence(enum.StrEnum):
    """What we ask for beside "done". Never demanded: who did it did it."""

    NONE = "none"
    NOTE = "note"
    LINK = "link"
    VERIFIED = "verified"  # an organiser confirms it


class AskFor(enum.StrEnum):
    """To whom an ask is offered. Anybody to whom it is passed on may say yes all the same."""

    MEMBER = "member"  # belongs to a union, branch, chapter or federation, or to a group unsaid
    REP = "rep"  # is the rep of a workplace, in any group
    BRANCH = "branch"  # is an officer or the contact of a branch or chapter
    FEDERATION = "federation"  # is an officer or the contact of a federation
    ALLY = "ally"  # is no member: belongs to a community group, or to none


class Ask(Base):
    """One concrete thing to do."""

    __tablename__ = "ask"
    __table_args__ = (
        # Whoever takes the same from the library at the same time gets the same draft.
        Index(
            "uq_ask_library_draft",
            "library_key",
            unique=True,
            **where("state = 'draft' AND library_key IS NOT NULL"),
        ),
    )

    no: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    demand_no: Mapped[int | None] = mapped_column(ForeignKey("demand.no"), index=True)
    title: Mapped[dict[str, str]]
    text: Mapped[dict[str, str]] = mapped_column(default=dict)  # what to do, step by step
    why: Mapped[dict[str, str]] = mapped_column(default=dict)
    minutes: Mapped[int | None] = mapped_column(SmallInteger)  # the effort; None: is not said
    # What is counted where more than a yes is: "people recruited". Empty: nothing is.
    unit: Mapped[dict[str, str]] = mapped_column(default=dict)
    target: Mapped[int | None]  # in units, or in people who did it
    audience: Mapped[list[str]] = mapped_column(Json, default=list)  # of AskFor; none: everybody
    # From which level on, and which level it shows that somebody who did it is ready for.
    minimum_tier_no: Mapped[int | None] = mapped_column(ForeignKey("tier.no"))
    suggested_tier_no: Mapped[int | None] = mapped_column(ForeignKey("tier.no"))
    turn: Mapped[Turn] = mapped_column(one_of(Turn), default=Turn.ONCE)
    repeat_days: Mapped[int | None] = mapped_column(SmallInteger)
    risk: Mapped[dict[str, str]] = mapped_column(default=dict)
    rights: Mapped[dict[str, str]] = mapped_column(default=dict)  # the rights sheet
    support_contact: Mapped[str] = mapped_column(String(300), default="")
    evidence: Mapped[Evidence] = mapped_column(one_of(Evidence), default=Evidence.NONE)
    needs_support: Mapped[bool] = mapped_column(default=False)
    capacity: Mapped[int | None]  # people who may say yes
    library_key: Mapped[str | None] = mapped_column(String(40))  # of the shipped ask it came from
    state: Mapped[AskState] = mapped_column(one_of(AskState))
    deadline: Mapped[datetime | None]
    made_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)  # one more with each change

    def is_open(self, now: datetime) -> bool:
        """Say whether a yes still counts."""
        return self.state is AskState.OPEN and (self.deadline is None or now <= self.deadline)

    def has_room(self, yeses: int) -> bool:
        """Say whether one more may say yes beside so many."""
        return self.capacity is None or yeses < self.capacity

    @property
    def is_counted(self) -> bool:
        """Say whether those who did it are asked how many."""
        return bool(self.unit)

    @property
    def has_risk(self) -> bool:
        """Say whether something stands before the buttons that must be read first."""
        return bool(self.risk or self.rights or self.support_contact)


class PledgeState(enum.StrEnum):
    """What became of a yes."""

    PLEDGED = "pledged"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    VERIFIED = "verified"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"  # no answer stands: it was taken back, or undone
    BLOCKED = "blocked"  # they need help


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
    """A subscriber's answer to an ask: mostly a yes."""

    __tablename__ = "pledge"
    __table_args__ = (
        Index("uq_pledge_subscriber", "subscriber_no", "ask_no", unique=True),
        Index("ix_pledge_ask", "ask_no", "state", "subscriber_no"),
        Index("ix_pledge_made", "made_at", "state", "subscriber_no"),
        Index("ix_pledge_done", "done_at", "subscriber_no"),
        # Who did an ask, and when: also those for whom it is open again by now.
        Index("ix_pledge_ask_done", "ask_no", "state", "done_at", "subscriber_no", **_DONE),
        # What was delivered where an ask has a unit: added up from the index alone.
        Index("ix_pledge_amount", "ask_no", "amount", **where("amount IS NOT NULL")),
        # What a campaign moved, counted from the index alone.
        Index("ix_pledge_campaign", "campaign_no", "state", **where("campaign_no IS NOT NULL")),
        # Those with a date of their own are few, and looked for by it.
        Index("ix_pledge_due", "due_at", "no", **where("due_at IS NOT NULL")),
        # Whose ask lost its date, or has one since: looked for whenever the worker looks around.
        Index(
            "ix_pledge_dayless",
            "ask_no",
            "state",
            "is_answered",
            "no",
            **where("due_at IS NULL"),
        ),
        Index("ix_pledge_our_day", "ask_no", "no", **_is_true("is_our_day")),
        # A number stands in links: it is never given a second time.
        {"sqlite_autoincrement": True},
    )

    no: Mapped[int] = mapped_column(primary_key=True)
    subscriber_no: Mapped[int] = mapped_column(ForeignKey("subscriber.no", ondelete="CASCADE"))
    ask_no: Mapped[int] = mapped_column(ForeignKey("ask.no"))
    state: Mapped[PledgeState] = mapped_column(one_of(PledgeState))
    made_at: Mapped[datetime]
    done_at: Mapped[datetime | None]  # the last time; with `times` above 0 and never without
    times: Mapped[int] = mapped_column(default=0)  # how often it was done
    amount: Mapped[int | None]  # of the ask's unit, all times together
    # What they wrote, sealed: it may say who is in trouble. Read it with `reporting.note_of`.
    note: Mapped[bytes | None] = mapped_column(LargeBinary)
    # To what shows that it was done, sealed too. Read it with `reporting.link_of`.
    link: Mapped[bytes | None] = mapped_column(LargeBinary)
    due_at: Mapped[datetime | None]  # a date of their own; without one the ask's deadline counts
    # Nobody gave that date: we did, so as to ask how it went. It is told to nobody as a date.
    is_our_day: Mapped[bool] = mapped_column(default=False)
    # Not where the first answer was undone, nor where time opened it again and nothing was said.
    is_answered: Mapped[bool] = mapped_column(default=True)
    verified_at: Mapped[datetime | None]
    verified_by: Mapped[int | None] = mapped_column(ForeignKey("account.no"))
    reminded_at: Mapped[datetime | None]  # of its date
    reminders: Mapped[int] = mapped_column(SmallInteger, default=0)  # of the ask's, or since theirs
    asked_at: Mapped[datetime | None]  # whether it was done
    door: Mapped[Door] = mapped_column(one_of(Door))
    campaign_no: Mapped[int | None]  # the mail that asked

    @property
    def stands(self) -> bool:
        """Say whether it is a yes that was not taken back."""
        return self.state in STANDS

    @property
    def is_done(self) -> bool:
        """Say whether they told us that it is done."""
        return self.state in IS_DONE

    def due(self, ask: Ask) -> datetime | None:
        """Give the date by which it is to be done, where somebody gave one: they, or the ask."""
        return None if self.is_our_day else self.ends(ask)

    def ends(self, ask: Ask) -> datetime | None:
        """Give the date after which we ask how it went: theirs, the ask's, or ours."""
        return self.due_at or ask.deadline

    def is_overdue(self, ask: Ask, now: datetime) -> bool:
        """Say whether its date has gone by without a word."""
        ends = self.ends(ask)
        return self.is_answered and self.state in TO_DO and ends is not None and ends < now


class PledgeChange(Base):
    """One step of a pledge, and what an undo puts back.

    Those that were not undone lead from nothing to what the pledge says now.
    """

    __tablename__ = "pledge_change"
    __table_args__ = (
        Index("ix_pledge_change_pledge", "pledge_no", "no"),
        # Words are kept as long as they may be put back; then they are looked for by their date.
        Index("ix_pledge_change_words", "at", "no", **_is_true("keeps_words")),
        # A number stands in links: it is never given a second time.
        {"sqlite_autoincrement": True},
    )

    no: Mapped[int] = mapped_column(primary_key=True)
    pledge_no: Mapped[int] = mapped_column(ForeignKey("pledge.no", ondelete="CASCADE"))
    subscriber_no: Mapped[int] = mapped_column(
        ForeignKey("subscriber.no", ondelete="CASCADE"), index=True
    )
    from_state: Mapped[PledgeState | None] = mapped_column(one_of(PledgeState))
    to_state: Mapped[PledgeState] = mapped_column(one_of(PledgeState))
    at: Mapped[datetime]
    door: Mapped[Door] = mapped_column(one_of(Door))
    account_no: Mapped[int | None] = mapped_column(ForeignKey("account.no"))
    before: Mapped[Facts] = mapped_column(default=dict)  # the columns that it changed
    keeps_words: Mapped[bool] = mapped_column(default=False)  # sealed ones of theirs, in `before`
    undone_at: Mapped[datetime | None]

    def is_open_to_undo(self, now: datetime) -> bool:
        """Say whether an undo may be offered now, if nothing has changed since."""
        return self.door is not Door.SYSTEM and self.undone_at is None and now <= self.at + UNDO_FOR


class Offer(Base):
    """An ask that a campaign offers to one person, decided when it was frozen.

    No foreign keys: a million of them are written in one statement, by the freezing.
    """

    __tablename__ = "offer"
    __table_args__ = (
        Index("ix_offer_subscriber", "subscriber_no", "ask_no", "campaign_no"),
        {"sqlite_with_rowid": False},
    )

    campaign_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    subscriber_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ask_no: Mapped[int]
    at: Mapped[datetime]


class OfferTally(Base):
    """To how many people a campaign offers an ask. It stays when the offers are forgotten."""

    __tablename__ = "offer_tally"
    __table_args__ = (
        Index("ix_offer_tally_ask_no", "ask_no", "count"),
        Index("ix_offer_tally_kept", "at", **where("forgotten_at IS NULL")),
    )

    campaign_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ask_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int]
    at: Mapped[datetime]
    forgotten_at: Mapped[datetime | None]  # the offers that it counts
