"""Tiers, chosen tiers, changes and requests."""

import enum
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Index, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from mailer.kit.orm import Base, one_of
from mailer.kit.work import Door

UNDO_FOR = timedelta(days=30)


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
    IMPORT = "import"
    API = "api"
    UNDO = "undo"


class TierChange(Base):
    """The dated fact that somebody moved. An undo is a change of its own that names the first."""

    __tablename__ = "tier_change"
    __table_args__ = (
        Index("ix_tier_change_subscriber", "subscriber_no", "no"),
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
    account_no: Mapped[int | None] = mapped_column(ForeignKey("account.no"))
    reason: Mapped[str] = mapped_column(String(300), default="")
    made_at: Mapped[datetime] = mapped_column(index=True)
    undoes_no: Mapped[int | None] = mapped_column(ForeignKey("tier_change.no"))
    undone_at: Mapped[datetime | None]

    @property
    def may_be_undone(self) -> bool:
        """Say whether there is a way back at all: not from the first choice, nor from an undo."""
        return self.from_no is not None and self.source is not Source.UNDO

    def is_open_to_undo(self, now: datetime) -> bool:
        """Say whether an undo may be offered now, if nothing has moved since."""
        return self.may_be_undone and self.undone_at is None and now <= self.made_at + UNDO_FOR


class TierRequest(Base):
    """A wish for a tier that needs approval. One stands at a time."""

    __tablename__ = "tier_request"

    no: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    subscriber_no: Mapped[int] = mapped_column(
        ForeignKey("subscriber.no", ondelete="CASCADE"), index=True
    )
    tier_no: Mapped[int] = mapped_column(ForeignKey("tier.no"))
    made_at: Mapped[datetime]
    door: Mapped[Door] = mapped_column(one_of(Door))
    campaign_no: Mapped[int | None]
    withdrawn_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    granted: Mapped[bool | None]
    account_no: Mapped[int | None] = mapped_column(ForeignKey("account.no"))
    reason: Mapped[str] = mapped_column(String(300), default="")
