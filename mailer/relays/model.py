"""Relays, what they have carried, the pace of domains, and the rules of sending."""

import enum
import math
from datetime import date, datetime, time, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, Integer, LargeBinary, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from mailer.kit.orm import Base, one_of

OF_SETTINGS = 1
"""The relay that the server's administrator chose in the settings."""

THE_RULES = 1

CONNECTIONS = 8
"""At a time and for each worker, unless somebody says otherwise."""

BOUNCE_BRAKE, BOUNCES_FROM = 50, 50
"""Bounces per mille that stop a campaign, from so many messages on (security.md T24)."""

COMPLAINT_BRAKE, COMPLAINTS_FROM = 1, 1000
"""Complaints per mille. Gmail wants less than 0.10 % always (mail-standards 3.1)."""


class Security(enum.StrEnum):
    """How a connection is made private."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"  # on this machine or in a private network only


class Relay(Base):
    """A mail server that takes our mail, and how much of it."""

    __tablename__ = "relay"

    no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    # Of number 1 these are in the settings, and empty here.
    name: Mapped[str] = mapped_column(String(80), default="")
    host: Mapped[str] = mapped_column(String(253), default="")
    port: Mapped[int] = mapped_column(Integer, default=587)
    security: Mapped[Security] = mapped_column(one_of(Security), default=Security.STARTTLS)
    user: Mapped[str] = mapped_column("user_name", String(200), default="")
    password_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)

    weight: Mapped[int] = mapped_column(SmallInteger, default=1)  # its share; 0: a spare
    connections: Mapped[int | None] = mapped_column(SmallInteger)  # None: as in the settings
    per_second: Mapped[int | None] = mapped_column(Integer)
    per_hour: Mapped[int | None] = mapped_column(Integer)
    per_day: Mapped[int | None] = mapped_column(Integer)
    warm_up_from: Mapped[date | None]  # of the organisation's days; None: it is warm
    warm_up_first: Mapped[int] = mapped_column(Integer, default=200)  # messages on the first day
    warm_up_growth: Mapped[int] = mapped_column(SmallInteger, default=50)  # per cent

    made_at: Mapped[datetime]
    off_at: Mapped[datetime | None]
    next_at: Mapped[datetime | None]  # the moment of the first permit that no worker has taken

    @property
    def is_on(self) -> bool:
        """Say whether mail may go through it."""
        return self.off_at is None

    @property
    def is_of_settings(self) -> bool:
        """Say whether the server's administrator chose it."""
        return self.no == OF_SETTINGS

    @property
    def is_limited(self) -> bool:
        """Say whether a message needs a permit."""
        limits = (self.per_second, self.per_hour, self.per_day, self.warm_up_from)
        return any(limit is not None for limit in limits)


class RelayHour(Base):
    """How many messages a relay was given in one hour: a tally for its limits."""

    __tablename__ = "relay_hour"

    relay_no: Mapped[int] = mapped_column(
        ForeignKey("relay.no", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    hour: Mapped[datetime] = mapped_column(primary_key=True)  # its beginning, in UTC
    count: Mapped[int] = mapped_column(Integer, default=0)


LEAST_PACE = 6.0
"""Messages a minute. No domain is slowed more: some must go, to hear that all is well again."""

REST = timedelta(minutes=1)
"""After a slow-down nothing rises for so long: what is under way is still being answered."""

DOUBLING = timedelta(minutes=10)
"""Then the pace doubles in this time.

A factor, not a sum: a large provider takes a thousand messages a minute and a small one ten, and
the same curve must suit both. Ten minutes, because down and up must not weigh the same: the pace is
halved at once, and every 10 s if the server goes on complaining, so from 1,000 a minute it is at 8
within a minute. Coming back takes 71 minutes, and on the way we try no more than 7 % over the pace
of the minute before. What a trial costs is a few deferrals, which wait five minutes and go then.
"""

PATIENCE = timedelta(seconds=10)
"""Deferrals that come within this time after a slow-down are answers to the old pace."""


class DomainPace(Base):
    """A domain that is written to more slowly: by hand, because its servers said so, or both."""

    __tablename__ = "domain_pace"

    no: Mapped[int] = mapped_column(primary_key=True)
    domain: Mapped[str] = mapped_column(String(253), unique=True)  # lower case, A-labels
    ceiling: Mapped[int | None] = mapped_column(Integer)  # messages a minute, by hand

    per_minute: Mapped[float | None]  # at the last slow-down; it has risen since
    usual: Mapped[float | None]  # messages a minute before the first: where it has recovered
    slowed_at: Mapped[datetime | None]
    code: Mapped[int | None] = mapped_column(SmallInteger)
    reply: Mapped[str] = mapped_column(String(200), default="")  # their words, without addresses

    next_at: Mapped[datetime | None]

    def pace_at(self, now: datetime) -> float | None:
        """Give the messages a minute that may go at a moment; None when nothing limits them."""
        paces = [pace for pace in (self.ceiling, self._recovering(now)) if pace is not None]
        return min(paces, default=None)

    def is_slowed(self, now: datetime) -> bool:
        """Say whether its servers' words still weigh."""
        return self._recovering(now) is not None

    def slow_down(self, now: datetime, *, observed: float, code: int, reply: str) -> bool:
        """Halve the pace; the first time from what went there lately, in messages a minute.

        Nothing but their words changes while they may still speak of the pace before.
        """
        self.code, self.reply = code, reply
        if self.slowed_at is not None and timedelta(0) <= now - self.slowed_at < PATIENCE:
            return False
        pace = self._recovering(now)
        if pace is None:
            # Twice the least: else it would have recovered in the moment it was slowed.
            self.usual = pace = max(observed, 2 * LEAST_PACE)
        self.per_minute, self.slowed_at = max(pace / 2, LEAST_PACE), now
        return True

    @property
    def recovers_at(self) -> datetime | None:
        """Say when it is written to as fast as before, if its servers say nothing more."""
        if self.per_minute is None or self.usual is None or self.slowed_at is None:
            return None
        return self.slowed_at + REST + DOUBLING * math.log2(self.usual / self.per_minute)

    def let_go(self) -> None:
        """Forget what its servers said."""
        self.per_minute = self.usual = self.slowed_at = self.code = None
        self.reply = ""

    def _recovering(self, now: datetime) -> float | None:
        if self.per_minute is None or self.slowed_at is None:
            return None
        if self.recovers_at is None or now >= self.recovers_at:
            return None
        return float(self.per_minute * 2 ** max((now - self.slowed_at - REST) / DOUBLING, 0.0))


class SendingRules(Base):
    """When nothing but what is urgent is sent, and what stops a campaign by itself."""

    __tablename__ = "sending_rules"
    __table_args__ = (CheckConstraint(f"no = {THE_RULES}", name="only_one"),)

    no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    quiet_from: Mapped[time | None]  # of the clock on the wall; None: no quiet hours
    quiet_until: Mapped[time | None]
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    # Per mille of what servers have accepted or refused, from so many on.
    bounce_brake: Mapped[int] = mapped_column(SmallInteger, default=BOUNCE_BRAKE)
    bounces_from: Mapped[int] = mapped_column(Integer, default=BOUNCES_FROM)
    complaint_brake: Mapped[int] = mapped_column(SmallInteger, default=COMPLAINT_BRAKE)
    complaints_from: Mapped[int] = mapped_column(Integer, default=COMPLAINTS_FROM)
