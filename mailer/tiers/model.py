"""Tiers, chosen tiers, changes, requests, and what is asked of people about them."""

import enum
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Index, SmallInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column

from mailer.kit.orm import Base, Json, one_of, where
from mailer.kit.work import Door

UNDO_FOR = timedelta(days=30)

ANSWER_WITHIN = timedelta(days=30)
"""After so long a request that nobody answered ends, and whoever asked is told."""


class Tier(Base):
    """A rung of the ladder. Members read "level"."""

    __tablename__ = "tier"

    no: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    rank: Mapped[int] = mapped_column(SmallInteger, unique=True)  # 1 is the lowest
    name: Mapped[dict[str, str]]
    often: Mapped[dict[str, str]]  # "One email a month"
    you_get: Mapped[dict[str, str]]
    we_ask: Mapped[dict[str, str]]
    most_mails: Mapped[int] = mapped_column(SmallInteger)  # the promise: so many
    most_in_days: Mapped[int] = mapped_column(SmallInteger)  # in so many days
    needs_approval: Mapped[bool] = mapped_column(default=False)
    minutes: Mapped[int] = mapped_column(SmallInteger, default=0)  # what we ask for, a month
    # After so many days without a sign of life we ask whether they are still with us. None: never,
    # and on the lowest rung never, whatever stands here.
    lapse_days: Mapped[int | None] = mapped_column(SmallInteger)
    # The lists that go with it: named to whoever steps up to it, and never joined for them.
    list_nos: Mapped[list[int]] = mapped_column(Json, default=list)
    # Nobody stands on a closed rung and nobody can step to it. It keeps its rank, so that an old
    # move still went up or down.
    closed_at: Mapped[datetime | None]


class TierPromise(Base):
    """What a tier promised until it began to promise more emails.

    Who chose it before `until` was promised this, and it holds for them until they choose again.
    """

    __tablename__ = "tier_promise"

    no: Mapped[int] = mapped_column(primary_key=True)
    tier_no: Mapped[int] = mapped_column(ForeignKey("tier.no", ondelete="CASCADE"), index=True)
    until: Mapped[datetime]
    most_mails: Mapped[int] = mapped_column(SmallInteger)
    most_in_days: Mapped[int] = mapped_column(SmallInteger)


class ChosenTier(Base):
    """The tier that holds for a subscriber. One row each; its history is in the changes."""

    __tablename__ = "chosen_tier"
    __table_args__ = (Index("ix_chosen_tier_tier_no", "tier_no", "subscriber_no"),)

    subscriber_no: Mapped[int] = mapped_column(
        ForeignKey("subscriber.no", ondelete="CASCADE"), primary_key=True
    )
    tier_no: Mapped[int] = mapped_column(ForeignKey("tier.no"))
    since: Mapped[datetime]


class Source(enum.StrEnum):
    """How somebody came to move."""

    SELF_LINK = "self_link"
    SELF_FORM = "self_form"
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    LAPSED = "lapsed"
    HELD = "held"  # a doubtful sign-up, held at the lowest rung
    IMPORT = "import"
    API = "api"
    UNDO = "undo"


STANDS = text("from_no IS NOT NULL AND undone_at IS NULL AND source <> 'undo'")
_MOVED: dict[str, Any] = {"sqlite_where": STANDS, "postgresql_where": STANDS}


_MADE = ("made_at", "from_no", "to_no", "source", "subscriber_no")


class TierChange(Base):
    """The dated fact that somebody moved. An undo is a change of its own that names the first."""

    __tablename__ = "tier_change"
    __table_args__ = (
        Index("ix_tier_change_subscriber", "subscriber_no", "no"),
        # Who moved, lately or ever: joining is no move, and has no row here.
        Index("ix_tier_change_moved", "from_no", "to_no", "made_at", "subscriber_no", **_MOVED),
        # How many moved between which rungs in a month, and how: told from the index alone.
        Index("ix_tier_change_made", *_MADE, **_MOVED),
        # Few have an ask as their cause.
        Index("ix_tier_change_ask", "ask_no", "made_at", **where("ask_no IS NOT NULL")),
        # A number stands in links and Message-IDs: it is never given a second time.
        {"sqlite_autoincrement": True},
    )

    no: Mapped[int] = mapped_column(primary_key=True)
    subscriber_no: Mapped[int] = mapped_column(ForeignKey("subscriber.no", ondelete="CASCADE"))
    from_no: Mapped[int | None] = mapped_column(ForeignKey("tier.no"))
    to_no: Mapped[int] = mapped_column(ForeignKey("tier.no"))
    source: Mapped[Source] = mapped_column(one_of(Source))
    door: Mapped[Door] = mapped_column(one_of(Door))
    campaign_no: Mapped[int | None] = mapped_column(index=True)  # the cause, if a mail was
    ask_no: Mapped[int | None]  # the cause, if an answer to an ask had suggested it
    account_no: Mapped[int | None] = mapped_column(ForeignKey("account.no"))
    reason: Mapped[str] = mapped_column(String(300), default="")
    made_at: Mapped[datetime]
    undoes_no: Mapped[int | None] = mapped_column(ForeignKey("tier_change.no"))
    undone_at: Mapped[datetime | None]
    lifted: Mapped[str | None] = mapped_column(String(300))  # why they had been held until then

    @property
    def may_be_undone(self) -> bool:
        """Say whether there is a way back at all: not from the first choice, nor from an undo.

        A hold is lifted by an organiser, and not undone by whom it holds.
        """
        return self.from_no is not None and self.source not in {Source.UNDO, Source.HELD}

    def is_open_to_undo(self, now: datetime) -> bool:
        """Say whether an undo may be offered now, if nothing has moved since."""
        return self.may_be_undone and self.undone_at is None and now <= self.made_at + UNDO_FOR


_OPEN = "ended_at IS NULL"
WAITS = "withdrawn_at IS NULL AND answered_at IS NULL AND expired_at IS NULL"


class TierRequest(Base):
    """A wish for a tier that needs approval. One stands at a time.

    It ends with an answer, with being taken back, or after `ANSWER_WITHIN` by itself.
    """

    __tablename__ = "tier_request"
    __table_args__ = (
        # Those that wait are few among those that were answered.
        Index("ix_tier_request_waiting", "made_at", **where(WAITS)),
    )

    no: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    subscriber_no: Mapped[int] = mapped_column(
        ForeignKey("subscriber.no", ondelete="CASCADE"), index=True
    )
    tier_no: Mapped[int] = mapped_column(ForeignKey("tier.no"))
    made_at: Mapped[datetime]
    door: Mapped[Door] = mapped_column(one_of(Door))
    campaign_no: Mapped[int | None]
    ask_no: Mapped[int | None]
    withdrawn_at: Mapped[datetime | None]
    expired_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    granted: Mapped[bool | None]
    account_no: Mapped[int | None] = mapped_column(ForeignKey("account.no"))
    reason: Mapped[str] = mapped_column(String(300), default="")

    @property
    def is_waiting(self) -> bool:
        """Say whether nobody has answered it, taken it back, or waited too long."""
        return self.withdrawn_at is None and self.answered_at is None and self.expired_at is None


class TierHold(Base):
    """A doubtful sign-up: an organiser holds them at the lowest rung, without a word to them.

    Steps up are taken as requests until the hold is lifted.
    """

    __tablename__ = "tier_hold"

    subscriber_no: Mapped[int] = mapped_column(
        ForeignKey("subscriber.no", ondelete="CASCADE"), primary_key=True
    )
    reason: Mapped[str] = mapped_column(String(300))
    held_at: Mapped[datetime]
    account_no: Mapped[int | None] = mapped_column(ForeignKey("account.no"))
    change_no: Mapped[int | None] = mapped_column(ForeignKey("tier_change.no"))  # that it made


# --- what people do, and what it suggests ---------------------------------------------------------


class SignKind(enum.StrEnum):
    """What somebody did that tells how far they go. Opening a mail is none."""

    CONFIRMED = "confirmed"
    MOVED = "moved"
    REPLIED = "replied"
    PLEDGED = "pledged"
    CAME = "came"
    DONE = "done"
    BROUGHT = "brought"


class Sign(Base):
    """One sign of how far somebody goes. Kept as long as it counts."""

    __tablename__ = "sign"
    __table_args__ = (Index("ix_sign_subscriber", "subscriber_no", "at"),)

    no: Mapped[int] = mapped_column(primary_key=True)
    subscriber_no: Mapped[int] = mapped_column(ForeignKey("subscriber.no", ondelete="CASCADE"))
    kind: Mapped[SignKind] = mapped_column(one_of(SignKind))
    at: Mapped[datetime]


class TierSuggestion(Base):
    """A step up that somebody's deeds suggest; it waits until they say yes, no, or move anyway."""

    __tablename__ = "tier_suggestion"
    __table_args__ = (
        Index("uq_tier_suggestion_standing", "subscriber_no", unique=True, **where(_OPEN)),
        Index("ix_tier_suggestion_subscriber", "subscriber_no", "no"),
        # A number stands in links: it is never given a second time.
        {"sqlite_autoincrement": True},
    )

    no: Mapped[int] = mapped_column(primary_key=True)
    subscriber_no: Mapped[int] = mapped_column(ForeignKey("subscriber.no", ondelete="CASCADE"))
    tier_no: Mapped[int] = mapped_column(ForeignKey("tier.no"))
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    accepted: Mapped[bool | None]  # None: it ended by itself
    ask_no: Mapped[int | None]  # the ask whose answer brought it about, if one did


# --- what we ask and say of ourselves -------------------------------------------------------------


class Stayed(enum.StrEnum):
    """How the question whether somebody is still with us ended."""

    KEPT = "kept"  # they said so
    HEARD = "heard"  # they did something
    GONE_ON = "gone_on"  # they are elsewhere by now, or are not written to
    LAPSED = "lapsed"  # nothing came, and they are one rung lower


class StillWithUs(Base):
    """The question whether somebody is still with us: asked, asked again, and ended."""

    __tablename__ = "still_with_us"
    __table_args__ = (
        Index("uq_still_with_us_standing", "subscriber_no", unique=True, **where(_OPEN)),
        # Who was asked lately, and what came of it.
        Index("ix_still_with_us_asked", "asked_at", "tier_no", "ended", "subscriber_no"),
        Index("ix_still_with_us_next", "next_at", **where(_OPEN)),
        Index("ix_still_with_us_subscriber", "subscriber_no", "no"),
        # A number stands in links: it is never given a second time.
        {"sqlite_autoincrement": True},
    )

    no: Mapped[int] = mapped_column(primary_key=True)
    subscriber_no: Mapped[int] = mapped_column(ForeignKey("subscriber.no", ondelete="CASCADE"))
    tier_no: Mapped[int] = mapped_column(ForeignKey("tier.no"))
    asked_at: Mapped[datetime]
    again_at: Mapped[datetime | None]
    next_at: Mapped[datetime]  # when the next step is due
    ended_at: Mapped[datetime | None]
    ended: Mapped[Stayed | None] = mapped_column(one_of(Stayed))


class Yearly(Base):
    """When somebody was last told that they are still on the roll."""

    __tablename__ = "yearly"

    subscriber_no: Mapped[int] = mapped_column(
        ForeignKey("subscriber.no", ondelete="CASCADE"), primary_key=True
    )
    at: Mapped[datetime]


class Round(Base):
    """A walk over the whole roll in small steps, once a day: how far it has come."""

    __tablename__ = "ladder_round"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    begun_at: Mapped[datetime]
    after_no: Mapped[int | None]  # the last number that was looked at; None at the end
    left: Mapped[int]  # letters that may still be posted in this round


class LadderCount(Base):
    """How many active people stood on a tier when a worker last counted. Nobody's record."""

    __tablename__ = "ladder_count"

    tier_no: Mapped[int] = mapped_column(ForeignKey("tier.no"), primary_key=True)
    people: Mapped[int]
    counted_at: Mapped[datetime]
