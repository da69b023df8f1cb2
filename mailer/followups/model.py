"""The case, its steps, and what follows from each outcome of a call."""

import enum
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import ForeignKey, Index, LargeBinary, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from mailer.kit.orm import Base, Facts, one_of, where
from mailer.kit.work import Door

UNDO_FOR = timedelta(days=30)

HELD_FOR = timedelta(hours=1)
"""So long a case is with whoever opened it to call, and their number stays in sight."""

TRIES = 3
"""Calls that nobody answered, after which we let somebody be who did not ask to be called."""


class CaseKind(enum.StrEnum):
    """Why somebody waits for us."""

    BLOCKED = "blocked"  # they asked for help with what they said yes to
    SUPPORT = "support"  # they said yes to an ask that comes with support
    PAST_DUE = "past_due"  # its date went by, and no word came
    READY = "ready"  # what they do is what people on a higher level do
    QUIET = "quiet"  # they were asked whether they are still with us, and no word came
    ALERT = "alert"  # they did not say that they have read an alert
    MANUAL = "manual"  # an organiser wants to remember them


OF_A_PLEDGE = frozenset({CaseKind.BLOCKED, CaseKind.SUPPORT, CaseKind.PAST_DUE})
"""Whose subject is a pledge. Of the others it is a suggestion, a question, a campaign, or none."""

STAYS = frozenset({CaseKind.BLOCKED, CaseKind.SUPPORT, CaseKind.MANUAL})
"""What was promised to somebody: it stays in the queue until somebody was talked to."""

UNASKED = frozenset(CaseKind) - STAYS
"""What nobody asked for: only readers who did not forbid it are called about it."""

NOTES_KEPT_FOR = timedelta(days=365)
"""So long after a case has ended we keep what was noted and written about it."""


class Rank(enum.IntEnum):
    """What comes first in the queue. Numbers are in rows: never reuse one."""

    CALL_BACK = 0  # we said when we would call
    PAST_DUE = 1
    HELP = 2
    READY = 3
    QUIET = 4
    ALERT = 5


RANKS = {
    CaseKind.BLOCKED: Rank.HELP,
    CaseKind.SUPPORT: Rank.HELP,
    CaseKind.MANUAL: Rank.HELP,
    CaseKind.PAST_DUE: Rank.PAST_DUE,
    CaseKind.READY: Rank.READY,
    CaseKind.QUIET: Rank.QUIET,
    CaseKind.ALERT: Rank.ALERT,
}

DUE_WITHIN = {
    CaseKind.BLOCKED: timedelta(days=2),
    CaseKind.SUPPORT: timedelta(days=3),
    CaseKind.PAST_DUE: timedelta(days=7),
    CaseKind.READY: timedelta(days=14),
    CaseKind.QUIET: timedelta(days=10),  # four days before they step down
    CaseKind.ALERT: timedelta(days=1),
    CaseKind.MANUAL: timedelta(days=7),
}
"""How soon somebody should have been talked to."""


class CaseState(enum.StrEnum):
    """How far a case has come."""

    NEW = "new"  # nobody's
    ASSIGNED = "assigned"
    CONTACTED = "contacted"  # they were talked or written to, and it is not over
    WAITING = "waiting"  # it comes back at its hour
    RESOLVED = "resolved"


class Resolution(enum.StrEnum):
    """How a case ended."""

    REACHED = "reached"  # they were talked to, and it is settled
    ANSWERED = "answered"  # by themselves, or it is not so any more
    NOT_NOW = "not_now"
    NOT_REACHED = "not_reached"
    NOTED = "noted"  # nobody waited: something was written down
    MERGED = "merged"  # two entries turned out to be one person, and both had one


class Outcome(enum.StrEnum):
    """What came of trying to reach somebody."""

    REACHED = "reached"
    NO_ANSWER = "no_answer"
    CALL_BACK = "call_back"
    LEFT_MESSAGE = "left_message"
    WRONG_NUMBER = "wrong_number"
    NOT_NOW = "not_now"
    NEVER_CALL = "never_call"


TALKED = frozenset({Outcome.REACHED, Outcome.CALL_BACK})


class StepKind(enum.StrEnum):
    """What was done about a case."""

    TRIED = "tried"  # with an outcome
    ASSIGNED = "assigned"
    NOTED = "noted"
    WROTE = "wrote"  # an email with words of the organiser's own
    ENDED = "ended"  # nothing is left to do: they have answered otherwise since
    DATED = "dated"  # another day by which they should hear from us


UNDONE = frozenset({StepKind.TRIED, StepKind.ASSIGNED, StepKind.ENDED, StepKind.DATED})
"""What can be taken back. A note stays, and an email has gone."""


_OPEN = "resolved_at IS NULL"
_NOTED = "resolved_at IS NOT NULL AND forgotten_at IS NULL"


_KEY = ("kind", "subject_no", "subscriber_no")


class FollowUp(Base):
    """A case: somebody who waits for an organiser, and why.

    `subject_no` is what it is about: a pledge, a suggestion, a question, a campaign; 0 where it is
    about nothing but the person. What they wrote stands with the pledge that they wrote it about.
    """

    __tablename__ = "follow_up"
    __table_args__ = (
        # One person is not two cases about one thing; of those that are over there may be many.
        Index("uq_follow_up_open", *_KEY, unique=True, **where(_OPEN)),
        Index("ix_follow_up_about", *_KEY),
        Index("ix_follow_up_subscriber", "subscriber_no", "no"),
        # The queue: the cases that are over are many and stand in neither.
        Index("ix_follow_up_queue", "rank", "next_at", "no", **where(_OPEN)),
        Index("ix_follow_up_owner", "owner_no", "rank", "next_at", "no", **where(_OPEN)),
        # Those whose notes are to be forgotten when their year is over.
        Index("ix_follow_up_noted", "resolved_at", **where(_NOTED)),
        # A number stands in letters that wait to be sent: it is never given a second time.
        {"sqlite_autoincrement": True},
    )

    no: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    subscriber_no: Mapped[int] = mapped_column(ForeignKey("subscriber.no", ondelete="CASCADE"))
    kind: Mapped[CaseKind] = mapped_column(one_of(CaseKind))
    subject_no: Mapped[int] = mapped_column(default=0)
    state: Mapped[CaseState] = mapped_column(one_of(CaseState))
    rank: Mapped[int] = mapped_column(SmallInteger)
    opened_at: Mapped[datetime]
    opened_by: Mapped[int | None] = mapped_column(ForeignKey("account.no"))
    next_at: Mapped[datetime]  # from when on it stands in the queue
    due_at: Mapped[datetime]  # by when they should have been talked to
    owner_no: Mapped[int | None] = mapped_column(ForeignKey("account.no"))
    held_by: Mapped[int | None] = mapped_column(ForeignKey("account.no"))
    held_until: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)  # calls that nobody answered
    last_at: Mapped[datetime | None]
    last_outcome: Mapped[Outcome | None] = mapped_column(one_of(Outcome))
    resolved_at: Mapped[datetime | None]
    resolution: Mapped[Resolution | None] = mapped_column(one_of(Resolution))
    forgotten_at: Mapped[datetime | None]  # what was noted about it, a year after its end

    @property
    def is_open(self) -> bool:
        """Say whether they still wait."""
        return self.resolved_at is None

    def is_overdue(self, now: datetime) -> bool:
        """Say whether they have waited for longer than they should."""
        return self.is_open and self.due_at < now

    def ended_otherwise(self, step: "FollowUpStep") -> bool:
        """Say whether it is over by something else than a step."""
        return self.resolved_at is not None and self.resolved_at != step.at

    def holder(self, now: datetime) -> int | None:
        """Give the account that is at it just now."""
        is_held = self.held_until is not None and self.held_until > now
        return self.held_by if is_held else None


class FollowUpStep(Base):
    """Something that was done about a case.

    `before` holds the columns of the case as they were, for an undo; `rests_until` how long nobody
    calls this person who was not asked to.
    """

    __tablename__ = "follow_up_step"
    __table_args__ = (
        Index("ix_follow_up_step_case", "case_no", "no"),
        Index("ix_follow_up_step_subscriber", "subscriber_no", "rests_until"),
        # A number stands in letters that wait to be sent: it is never given a second time.
        {"sqlite_autoincrement": True},
    )

    no: Mapped[int] = mapped_column(primary_key=True)
    case_no: Mapped[int] = mapped_column(ForeignKey("follow_up.no", ondelete="CASCADE"))
    subscriber_no: Mapped[int] = mapped_column(ForeignKey("subscriber.no", ondelete="CASCADE"))
    kind: Mapped[StepKind] = mapped_column(one_of(StepKind))
    outcome: Mapped[Outcome | None] = mapped_column(one_of(Outcome))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)  # what was noted or written
    at: Mapped[datetime]
    door: Mapped[Door] = mapped_column(one_of(Door))
    account_no: Mapped[int | None] = mapped_column(ForeignKey("account.no"))
    to_no: Mapped[int | None] = mapped_column(ForeignKey("account.no"))  # whom it was passed on to
    rests_until: Mapped[datetime | None]
    before: Mapped[Facts] = mapped_column(default=dict)
    undone_at: Mapped[datetime | None]

    def is_open_to_undo(self, now: datetime) -> bool:
        """Say whether it can be taken back, if nothing was done since."""
        return self.kind in UNDONE and self.undone_at is None and now <= self.at + UNDO_FOR


class FollowUpRound(Base):
    """When we last looked who waits for an organiser, and when we last told organisers of it.

    A round that walks over many people a stretch at a time says how far it has come.
    """

    __tablename__ = "follow_up_round"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    at: Mapped[datetime]  # when it was begun
    after_no: Mapped[int | None]  # the last number that was looked at; None at the end
    left: Mapped[int] = mapped_column(SmallInteger, default=0)  # cases it may still open


class DigestWish(Base):
    """Whether an account wants the letter of the day. Who said nothing gets it with a case."""

    __tablename__ = "digest_wish"

    account_no: Mapped[int] = mapped_column(
        ForeignKey("account.no", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    wanted: Mapped[bool]


# --- what follows from an outcome -----------------------------------------------------------------


class After(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a case after somebody was called.

    `comes_back` None: it is over, as `resolution` says. `rests`: so long nobody calls them unasked.
    """

    state: CaseState = CaseState.RESOLVED
    comes_back: datetime | None = None
    resolution: Resolution | None = None
    is_promised: bool = False  # we said when we would call
    tries: int = 0
    rests: timedelta | None = None


LEFT_ALONE = timedelta(days=14)
"""Whoever was talked to is not called for another reason so soon."""

NOT_SO_SOON = timedelta(days=30)
"""Nor is, for longer, who said that it is no good time."""

A_MESSAGE_WAITS = timedelta(days=3)
A_WEEK = timedelta(days=7)


def after(
    kind: CaseKind,
    outcome: Outcome,
    *,
    tries: int,
    now: datetime,
    evening: datetime,
    call_at: datetime | None = None,
) -> After:
    """Say what becomes of a case: `evening` is tomorrow's, where the person lives.

    What was promised to somebody is never over because they could not be reached.
    """
    stays = kind in STAYS
    match outcome:
        case Outcome.REACHED:
            return After(resolution=Resolution.REACHED, rests=LEFT_ALONE)
        case Outcome.CALL_BACK:
            return After(
                state=CaseState.WAITING, comes_back=call_at, is_promised=True, rests=LEFT_ALONE
            )
        case Outcome.NO_ANSWER | Outcome.LEFT_MESSAGE:
            tried = tries + 1
            if tried >= TRIES:
                return _enough(stays=stays, tried=tried, now=now)
            waits = outcome is Outcome.LEFT_MESSAGE
            return After(
                state=CaseState.CONTACTED if waits else CaseState.WAITING,
                comes_back=now + A_MESSAGE_WAITS if waits else evening,
                tries=tried,
            )
        case Outcome.WRONG_NUMBER:
            if stays:
                return After(state=CaseState.ASSIGNED, comes_back=now, tries=tries)
            return After(resolution=Resolution.NOT_REACHED, tries=tries)
        case Outcome.NOT_NOW:
            if stays:
                return After(
                    state=CaseState.WAITING, comes_back=now + LEFT_ALONE, rests=NOT_SO_SOON
                )
            return After(resolution=Resolution.NOT_NOW, rests=NOT_SO_SOON)
        case Outcome.NEVER_CALL:
            if stays:
                return After(state=CaseState.ASSIGNED, comes_back=now, tries=tries)
            return After(resolution=Resolution.NOT_NOW, tries=tries)


def _enough(*, stays: bool, tried: int, now: datetime) -> After:
    if stays:
        return After(state=CaseState.WAITING, comes_back=now + A_WEEK, tries=tried)
    return After(resolution=Resolution.NOT_REACHED, tries=tried, rests=LEFT_ALONE)
