"""Lists, subscriptions, confirmations, consent records and the suppression list."""

import enum
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mailer.kit.i18n import in_language
from mailer.kit.orm import Base, one_of
from mailer.kit.work import Door


class MailingList(Base):
    """A list: a subject one subscribes to."""

    __tablename__ = "mailing_list"

    no: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[dict[str, str]]
    about: Mapped[dict[str, str]] = mapped_column(default=dict)
    consent_text: Mapped[dict[str, str]] = mapped_column(default=dict)
    is_public: Mapped[bool] = mapped_column(default=True)  # may be chosen on the join page
    double_opt_in: Mapped[bool] = mapped_column(default=True)
    made_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]

    def wording(self, language: str, organisation: str) -> str:
        """Give the consent text as it is shown, and kept as evidence once somebody has agreed.

        Organisers write it: `%(organisation)s` is replaced and nothing else is looked for.
        """
        text = in_language(self.consent_text, language)
        return text.replace("%(organisation)s", organisation)


class SubscriptionState(enum.StrEnum):
    """How far a subscription has come."""

    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "unsubscribed"


class Subscription(Base):
    """A subscriber on a list."""

    __tablename__ = "subscription"
    __table_args__ = (Index("ix_subscription_audience", "list_no", "state", "subscriber_no"),)

    subscriber_no: Mapped[int] = mapped_column(
        ForeignKey("subscriber.no", ondelete="CASCADE"), primary_key=True
    )
    list_no: Mapped[int] = mapped_column(ForeignKey("mailing_list.no"), primary_key=True)
    state: Mapped[SubscriptionState] = mapped_column(one_of(SubscriptionState))
    asked_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


UNDO_FOR = timedelta(days=30)
LETTER_EVERY = timedelta(hours=24)
LETTERS_UNTIL_A_CLICK = 3
CODE_LIVES = timedelta(hours=24)
CODE_TRIES = 5


class Confirmation(Base):
    """A sign-up that waits for its owner's word: a link in a letter, or the six digits in it.

    A sign-up with an address that is on the roll already makes one too, with no subscriber and a
    code that is never sent, so that the page after it is the same and nobody can find out who is on
    the roll. The code is not kept: it is derived from the uid (`consent.code_of`).
    """

    __tablename__ = "confirmation"
    __table_args__ = (
        Index("ix_confirmation_mark", "mark", "list_no", "no"),
        # A number stands in links and Message-IDs: it is never given a second time.
        {"sqlite_autoincrement": True},
    )

    no: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    subscriber_no: Mapped[int | None] = mapped_column(
        ForeignKey("subscriber.no", ondelete="CASCADE"), index=True
    )
    # The scrambled mark of the address that was typed: letters are rationed by address, and a
    # second sign-up is answered alike whether the address is on the roll or not.
    mark: Mapped[str] = mapped_column(String(32))
    list_no: Mapped[int] = mapped_column(ForeignKey("mailing_list.no"))
    wording: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(12))
    made_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    confirmed_at: Mapped[datetime | None]


class ConsentRecord(Base):
    """Evidence, only ever added: what was agreed to or taken back, in which words, how and when."""

    __tablename__ = "consent_record"
    __table_args__ = (
        Index("ix_consent_record_subscriber", "subscriber_no", "no"),
        # A number stands in links: it is never given a second time.
        {"sqlite_autoincrement": True},
    )

    no: Mapped[int] = mapped_column(primary_key=True)
    subscriber_no: Mapped[int] = mapped_column(ForeignKey("subscriber.no", ondelete="CASCADE"))
    list_no: Mapped[int | None] = mapped_column(ForeignKey("mailing_list.no"))
    purpose: Mapped[str] = mapped_column(String(60))
    controller: Mapped[str] = mapped_column(String(160))
    channel: Mapped[str] = mapped_column(String(20), default="email")
    given: Mapped[bool]
    wording: Mapped[str] = mapped_column(Text, default="")
    language: Mapped[str] = mapped_column(String(12))
    door: Mapped[Door] = mapped_column(one_of(Door))
    account_no: Mapped[int | None] = mapped_column(ForeignKey("account.no"))
    at: Mapped[datetime]


class SubscriberState(enum.StrEnum):
    """Where a subscriber stands. Derived, never stored."""

    PENDING = "pending"
    ACTIVE = "active"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"
    SUPPRESSED = "suppressed"
    STOPPED = "stopped"
    ERASED = "erased"


def state_from(
    *,
    erased: bool,
    stopped: bool,
    suppressed: bool,
    paused: bool,
    subscriptions: Collection[SubscriptionState],
) -> SubscriberState:
    """Derive where somebody stands. The first that is true holds.

    Somebody who is on no list at all has not said yes to anything: they are pending, like one who
    was asked and has not answered. A break counts only for one who would otherwise be written to.
    `store.state_now` says the same in SQL, and a test compares the two.
    """
    if erased:
        return SubscriberState.ERASED
    if stopped:
        return SubscriberState.STOPPED
    if suppressed:
        return SubscriberState.SUPPRESSED
    if SubscriptionState.CONFIRMED in subscriptions:
        return SubscriberState.PAUSED if paused else SubscriberState.ACTIVE
    if SubscriptionState.UNCONFIRMED in subscriptions or not subscriptions:
        return SubscriberState.PENDING
    return SubscriberState.UNSUBSCRIBED
