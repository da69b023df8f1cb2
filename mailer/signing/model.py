"""Keys that sign."""

import enum
from datetime import datetime, timedelta

from sqlalchemy import Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from mailer.kit.orm import Base, one_of
from mailer.signing import dkim
from mailer.signing.dkim import Algorithm

STAYS_PUBLISHED = timedelta(days=14)
"""So long the record of a retired key is still asked for: servers try for five days, people's mail
programs look when they open a mail."""

_SIGNS = text("signs_since IS NOT NULL AND retired_at IS NULL")


class Stage(enum.StrEnum):
    """How far a key has come."""

    MADE = "made"  # to be published
    SIGNING = "signing"
    RETIRED = "retired"


class SigningKey(Base):
    """A key of one domain. Its secret half is there from when it is made until it retires."""

    __tablename__ = "signing_key"
    __table_args__ = (
        # One at a time: the next takes its place.
        Index(
            "uq_signing_key_signs",
            "domain",
            "algorithm",
            unique=True,
            sqlite_where=_SIGNS,
            postgresql_where=_SIGNS,
        ),
    )

    no: Mapped[int] = mapped_column(primary_key=True)
    domain: Mapped[str] = mapped_column(String(253))  # A-labels, lower case
    selector: Mapped[str] = mapped_column(String(63), unique=True)
    algorithm: Mapped[Algorithm] = mapped_column(one_of(Algorithm))
    public: Mapped[str] = mapped_column(String(500))  # base64
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)  # the secret half, encrypted
    made_at: Mapped[datetime]
    signs_since: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]

    @property
    def stage(self) -> Stage:
        """Say how far it has come."""
        if self.retired_at is not None:
            return Stage.RETIRED
        return Stage.MADE if self.signs_since is None else Stage.SIGNING

    @property
    def record_name(self) -> str:
        """Name its place in DNS."""
        return dkim.record_name(self.domain, self.selector)

    @property
    def record(self) -> str:
        """Give what stands there, in one piece."""
        return dkim.record(self.algorithm, self.public)

    @property
    def published_until(self) -> datetime | None:
        """Say until when its record has to stay in DNS; None while no end is known."""
        if self.retired_at is None:
            return None
        return self.retired_at + STAYS_PUBLISHED if self.signs_since else self.retired_at

    def __repr__(self) -> str:
        return f"<SigningKey {self.no}>"
