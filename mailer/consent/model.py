"""Lists, subscriptions, confirmations, consent records and the suppression list."""

import enum
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
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
    # What the letter of welcome says beyond what it always says; Markdown.
    welcome_subject: Mapped[dict[str, str]] = mapped_column(default=dict)
    welcome: Mapped[dict[str, str]] = mapped_column(default=dict)
    landing: Mapped[dict[str, str]] = mapped_column(default=dict)  # said on the page after it
    consent_version: Mapped[int] = mapped_column(default=1, server_default="1")
    made_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]

    def wording(self, language: str, organisation: str) -> str:
        """Give the consent text as it is shown, and kept as evidence once somebody has agreed.

        Organisers write it: `%(organisation)s` is replaced and nothing else is looked for.
        """
        words = in_language(self.consent_text, language)
        return words.replace("%(organisation)s", organisation)


class ConsentText(Base):
    """What a list asked people to agree to at one time. Never changed: an edit makes a new one."""

    __tablename__ = "consent_text"

    list_no: Mapped[int] = mapped_column(
        ForeignKey("mailing_list.no"), primary_key=True, autoincrement=False
    )
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    words: Mapped[dict[str, str]]
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("account.no"))


class SubscriptionState(enum.StrEnum):
    """How far a subscription has come."""

    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "unsubscribed"


_ENDED = text("ended_at IS NOT NULL")
_HAS_ENDED: dict[str, Any] = {"sqlite_where": _ENDED, "postgresql_where": _ENDED}


class Subscription(Base):
    """A subscriber on a list."""

    __tablename__ = "subscription"
    __table_args__ = (
        Index("ix_subscription_audience", "list_no", "state", "subscriber_no"),
        # Who came to a list, or left it, lately.
        Index("ix_subscription_confirmed", "list_no", "confirmed_at", "state", "subscriber_no"),
        Index("ix_subscription_ended", "list_no", "ended_at", "subscriber_no", **_HAS_ENDED),
    )

    subscriber_no: Mapped[int] = mapped_column(
        ForeignKey("subscriber.no", ondelete="CASCADE"), primary_key=True
    )
    list_no: Mapped[int] = mapped_column(ForeignKey("mailing_list.no"), primary_key=True)
    state: Mapped[SubscriptionState] = mapped_column(one_of(SubscriptionState))
    asked_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class OnlyUrgent(Base):
    """Somebody hears of a list only what is urgent: its alerts, and none of its newsletters.

    Few say so: a table of its own costs the audience of a million nothing.
    """

    __tablename__ = "only_urgent"
    __table_args__ = ({"sqlite_with_rowid": False},)

    list_no: Mapped[int] = mapped_column(
        ForeignKey("mailing_list.no"), primary_key=True, autoincrement=False
    )
    subscriber_no: Mapped[int] = mapped_column(
        ForeignKey("subscriber.no", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        index=True,
    )
    since: Mapped[datetime]


class Pace(enum.StrEnum):
    """How often at most somebody wants to hear from us, if less often than their level promises."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"

    @property
    def days(self) -> int:
        """Say in how many days one newsletter may come."""
        return 7 if self is Pace.WEEKLY else 30


class AtMost(Base):
    """Somebody wants fewer newsletters than their level promises: at most one in so many days.

    Few say so: a table of its own costs the audience of a million nothing.
    """

    __tablename__ = "at_most"

    subscriber_no: Mapped[int] = mapped_column(
        ForeignKey("subscriber.no", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    pace: Mapped[Pace] = mapped_column(one_of(Pace), index=True)
    since: Mapped[datetime]


UNDO_FOR = timedelta(days=30)
LETTER_EVERY = timedelta(hours=24)
LETTERS_UNTIL_A_CLICK = 3
REMIND_AFTER = timedelta(hours=24)
# A sign-up keeps its page, and its code counts, for a day beyond the reminder: whoever comes again
# meanwhile has the newer letter at hand.
PAGE_LIVES = REMIND_AFTER + LETTER_EVERY
CODE_LIVES = PAGE_LIVES
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
        # Few wait for a reminder: this index holds those.
        Index(
            "ix_confirmation_remind_at",
            "remind_at",
            postgresql_where=text("remind_at IS NOT NULL AND reminded_at IS NULL"),
            sqlite_where=text("remind_at IS NOT NULL AND reminded_at IS NULL"),
        ),
        Index(
            "ix_confirmation_answers",
            "made_at",
            postgresql_where=text("answers_wait"),
            sqlite_where=text("answers_wait"),
        ),
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
    version: Mapped[int | None]  # of the list's consent text that they read
    made_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    confirmed_at: Mapped[datetime | None]
    declined_at: Mapped[datetime | None]  # the owner of the address says that it was not they
    # What the form by which they came knows beyond their address, given when they confirm: plain
    # JSON that `forms` reads. `form_no` has no key: forms stand above consent.
    form_no: Mapped[int | None]
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    answers_wait: Mapped[bool] = mapped_column(default=False)
    # When one reminder is due, of those who came by an open page; and when that moment was dealt
    # with, by a letter or, where none was to be sent, by nothing.
    remind_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]


_GIVEN: dict[str, Any] = {
    "sqlite_where": text("given = 1"),
    "postgresql_where": text("given"),
}


class ConsentRecord(Base):
    """Evidence, only ever added: what was agreed to or taken back, in which words, how and when."""

    __tablename__ = "consent_record"
    __table_args__ = (
        Index("ix_consent_record_subscriber", "subscriber_no", "no"),
        # Who agreed to what by which door.
        Index("ix_consent_record_given", "list_no", "door", "subscriber_no", **_GIVEN),
        # How many agreed to each version; what came by files, and names none, costs it nothing.
        Index(
            "ix_consent_record_version",
            "list_no",
            "version",
            "subscriber_no",
            postgresql_where=text("version IS NOT NULL"),
            sqlite_where=text("version IS NOT NULL"),
        ),
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
    import_no: Mapped[int | None] = mapped_column(index=True)  # the file by which it came
    version: Mapped[int | None]  # of the list's consent text, where that was what they read


class SignUpTally(Base):
    """How many sign-ups came from one network in one hour. `network` is a keyed mark of it."""

    __tablename__ = "sign_up_tally"

    network: Mapped[str] = mapped_column(String(32), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True, index=True)
    number: Mapped[int]


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
