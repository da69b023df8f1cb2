"""The campaign, its revisions, and which step may follow which."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from mailer.kit.orm import Base, Facts, Json, one_of


class Kind(enum.StrEnum):
    """What sort of mailing it is."""

    NEWSLETTER = "newsletter"
    ALERT = "alert"  # urgent: may exceed the frequency promise, with a reason
    STANDING = "standing"  # journeys and digests: it has runs


class CampaignState(enum.StrEnum):
    """Where a campaign stands."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    FREEZING = "freezing"
    FROZEN = "frozen"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"
    HELD = "held"
    CANCELLED = "cancelled"


FOLLOWS: dict[CampaignState, frozenset[CampaignState]] = {
    CampaignState.DRAFT: frozenset({CampaignState.IN_REVIEW, CampaignState.CANCELLED}),
    CampaignState.IN_REVIEW: frozenset({CampaignState.FREEZING, CampaignState.DRAFT}),
    CampaignState.FREEZING: frozenset({CampaignState.FROZEN, CampaignState.DRAFT}),
    CampaignState.FROZEN: frozenset(
        {CampaignState.SCHEDULED, CampaignState.DRAFT, CampaignState.CANCELLED}
    ),
    CampaignState.SCHEDULED: frozenset(
        {CampaignState.SENDING, CampaignState.DRAFT, CampaignState.HELD, CampaignState.CANCELLED}
    ),
    CampaignState.SENDING: frozenset(
        {CampaignState.PAUSED, CampaignState.SENT, CampaignState.CANCELLED, CampaignState.HELD}
    ),
    CampaignState.PAUSED: frozenset({CampaignState.SENDING, CampaignState.CANCELLED}),
    CampaignState.HELD: frozenset(
        {CampaignState.SCHEDULED, CampaignState.SENDING, CampaignState.CANCELLED}
    ),
    CampaignState.SENT: frozenset({CampaignState.SENDING}),  # when some are sent again
    CampaignState.CANCELLED: frozenset(),
}


class OnDoubt(enum.StrEnum):
    """What happens when we cannot tell whether a message arrived."""

    HOLD = "hold"  # list it, by name, for a person to decide
    RESEND = "resend"  # send it again, with the same Message-ID


class Campaign(Base):
    """One mailing to one audience."""

    __tablename__ = "campaign"
    __table_args__ = (
        Index("ix_campaign_state", "state", "send_at"),
        # A number stands in links and Message-IDs: it is never given a second time.
        {"sqlite_autoincrement": True},
    )

    no: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)  # of its page in the archive
    kind: Mapped[Kind] = mapped_column(one_of(Kind))
    name: Mapped[str] = mapped_column(String(200))
    state: Mapped[CampaignState] = mapped_column(one_of(CampaignState))
    on_doubt: Mapped[OnDoubt] = mapped_column(one_of(OnDoubt), default=OnDoubt.HOLD)
    # The audience: a list, and of those on it everybody or some tiers. No tiers and not everybody
    # is nobody.
    list_no: Mapped[int | None] = mapped_column(ForeignKey("mailing_list.no"))
    to_everybody: Mapped[bool] = mapped_column(default=False)
    tier_nos: Mapped[list[int]] = mapped_column(Json, default=list)
    # Or those of them who answer to a segment; `segment_version` is what it asked when frozen.
    segment_no: Mapped[int | None] = mapped_column(ForeignKey("segment.no"), index=True)
    segment_version: Mapped[int | None]
    # Or those who got another campaign, and nobody else: its list stays that one's.
    corrects_no: Mapped[int | None] = mapped_column(ForeignKey("campaign.no"), index=True)
    # The ask that stands under the text: one for all, or for each reader their own best one.
    ask_no: Mapped[int | None] = mapped_column(ForeignKey("ask.no"))
    best_ask: Mapped[bool] = mapped_column(default=False)
    # How the asks read when it was frozen: every mail of it says the same, whatever is edited then.
    asked: Mapped[list[Any]] = mapped_column(Json, default=list)
    # Why an alert cannot wait: it may exceed what levels promise, and says so in the mail.
    why_urgent: Mapped[str] = mapped_column(String(300), default="")
    readers: Mapped[int] = mapped_column(default=0)  # who said of an alert that they have read it
    in_archive: Mapped[bool] = mapped_column(default=True)

    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("account.no"))
    revision_no: Mapped[int | None]  # the newest; the frozen one once frozen
    frozen_at: Mapped[datetime | None]
    recipients: Mapped[int | None]  # rows frozen
    left_out: Mapped[Facts] = mapped_column(default=dict)  # reason to count
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("account.no"))
    send_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(String(300), default="")  # why it is paused or held
    # What the brakes look at (`deliveries.braking`); and after one, from where they count afresh.
    bounces: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    complaints: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    braked: Mapped[Facts] = mapped_column(default=dict)

    def may_become(self, wanted: CampaignState) -> bool:
        """Say whether this step may follow."""
        return wanted in FOLLOWS[self.state]

    @property
    def is_urgent(self) -> bool:
        """Say whether it also reaches those who hear of a list only what is urgent."""
        return self.kind is Kind.ALERT

    @property
    def is_editable(self) -> bool:
        """Say whether words and audience may still change."""
        return self.state is CampaignState.DRAFT


class Revision(Base):
    """What a campaign said at one moment. Never changed: an edit makes a new one."""

    __tablename__ = "revision"
    __table_args__ = (Index("ix_revision_campaign_no", "campaign_no", "no"),)

    no: Mapped[int] = mapped_column(primary_key=True)
    campaign_no: Mapped[int] = mapped_column(ForeignKey("campaign.no", ondelete="CASCADE"))
    document: Mapped[dict[str, Any]]  # language to subject, headline, preheader, markdown
    digest: Mapped[str] = mapped_column(String(32))
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("account.no"))
