"""Accounts, their second factor, and their sessions."""

import enum
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from mailer.kit.i18n import N_
from mailer.kit.orm import Address, Base, one_of


class Role(enum.StrEnum):
    """What an account may do. A group organiser cares for the people of their groups."""

    OWNER = "owner"
    ORGANISER = "organiser"
    EDITOR = "editor"
    VIEWER = "viewer"
    GROUP_ORGANISER = "group_organiser"


ROLE_NAMES: dict[Role, str] = {
    Role.OWNER: N_("Owner"),
    Role.ORGANISER: N_("Organiser"),
    Role.EDITOR: N_("Editor"),
    Role.VIEWER: N_("Viewer"),
    Role.GROUP_ORGANISER: N_("Group organiser"),
}


class Power(enum.StrEnum):
    """One thing that a role may allow."""

    SEE_PEOPLE = "see_people"
    CHANGE_PEOPLE = "change_people"
    IMPORT = "import"
    EXPORT = "export"
    WRITE = "write"
    SEND = "send"
    SETTINGS = "settings"
    SEE_RECORD = "see_record"


POWERS: dict[Role, frozenset[Power]] = {
    Role.OWNER: frozenset(Power),
    Role.ORGANISER: frozenset(Power) - {Power.SETTINGS, Power.SEE_RECORD},
    Role.EDITOR: frozenset({Power.WRITE}),
    Role.VIEWER: frozenset({Power.SEE_PEOPLE}),
    Role.GROUP_ORGANISER: frozenset({Power.SEE_PEOPLE, Power.CHANGE_PEOPLE}),
}


class Account(Base):
    """Somebody who signs in."""

    __tablename__ = "account"

    no: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    address: Mapped[str] = mapped_column(Address)
    address_key: Mapped[str] = mapped_column(Address, unique=True)
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[Role] = mapped_column(one_of(Role))
    language: Mapped[str] = mapped_column(String(12), default="en")
    password_hash: Mapped[str] = mapped_column(String(200))
    factor_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)  # the TOTP seed, encrypted
    factor_confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(default=0)  # rises with each code that was accepted
    made_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]

    def may(self, power: Power) -> bool:
        """Say whether the role allows this."""
        return self.disabled_at is None and power in POWERS[self.role]

    @property
    def has_factor(self) -> bool:
        """Say whether the second factor is set up and proven."""
        return self.factor_sealed is not None and self.factor_confirmed_at is not None

    def __repr__(self) -> str:
        return f"<Account {self.no}>"


class AccountScope(Base):
    """A group whose people an account may see. A group organiser without any sees nobody."""

    __tablename__ = "account_scope"

    account_no: Mapped[int] = mapped_column(
        ForeignKey("account.no", ondelete="CASCADE"), primary_key=True
    )
    group_no: Mapped[int] = mapped_column(
        ForeignKey("groups.no", ondelete="CASCADE"), primary_key=True
    )


class RecoveryCode(Base):
    """One of ten codes that get somebody in once without their telephone. Only its mark is kept."""

    __tablename__ = "recovery_code"

    no: Mapped[int] = mapped_column(primary_key=True)
    account_no: Mapped[int] = mapped_column(
        ForeignKey("account.no", ondelete="CASCADE"), index=True
    )
    mark: Mapped[str] = mapped_column(String(32))
    used_at: Mapped[datetime | None]


class Stage(enum.StrEnum):
    """How far a session has come in signing in."""

    PASSWORD = "password"  # noqa: S105  # the password was right; no code yet
    FULL = "full"


IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
HALF_WAY = timedelta(minutes=10)  # between the password and the code
LATELY = timedelta(minutes=1)  # how exactly we know when a session was last seen


class Session(Base):
    """A browser that signs in or has signed in. The cookie holds what only its mark is kept of."""

    __tablename__ = "session"

    no: Mapped[int] = mapped_column(primary_key=True)
    mark: Mapped[str] = mapped_column(String(32), unique=True)
    account_no: Mapped[int] = mapped_column(
        ForeignKey("account.no", ondelete="CASCADE"), index=True
    )
    stage: Mapped[Stage] = mapped_column(one_of(Stage))
    made_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    def is_open(self, now: datetime) -> bool:
        """Say whether it still counts: not revoked, not idle for long, not too old."""
        if self.revoked_at is not None:
            return False
        if self.stage is Stage.PASSWORD:
            return now < self.made_at + HALF_WAY
        return now < self.seen_at + IDLE and now < self.made_at + ABSOLUTE

    def was_seen_lately(self, now: datetime) -> bool:
        """Say whether noting it again would tell nothing new."""
        return now < self.seen_at + LATELY


class SignInTry(Base):
    """A try to sign in, for slowing down who guesses. `mark` stands for an account or a network."""

    __tablename__ = "sign_in_try"
    __table_args__ = (Index("ix_sign_in_try_mark_at", "mark", "at"),)

    no: Mapped[int] = mapped_column(primary_key=True)
    mark: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
