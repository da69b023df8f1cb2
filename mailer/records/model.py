"""Two rows that turned out to be one person, and pairs that did not."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from mailer.accounts.model import Role
from mailer.kit.orm import Address, Base, Facts, one_of
from mailer.kit.work import Door


class Merging(Base):
    """Two became one. `moved` names the rows that went from one to the other, for an undo."""

    __tablename__ = "merging"
    # A number stands in links: it is never given a second time.
    __table_args__ = ({"sqlite_autoincrement": True},)

    no: Mapped[int] = mapped_column(primary_key=True)
    kept_no: Mapped[int] = mapped_column(
        ForeignKey("subscriber.no", ondelete="CASCADE"), index=True
    )
    merged_no: Mapped[int] = mapped_column(
        ForeignKey("subscriber.no", ondelete="CASCADE"), index=True
    )
    moved: Mapped[Facts] = mapped_column(default=dict)
    made_at: Mapped[datetime]
    door: Mapped[Door] = mapped_column(one_of(Door))
    account_no: Mapped[int | None] = mapped_column(ForeignKey("account.no"))
    undone_at: Mapped[datetime | None]


class TwoPeople(Base):
    """Somebody looked at a pair that seemed to be one person, and said that it is two."""

    __tablename__ = "two_people"

    one_no: Mapped[int] = mapped_column(
        ForeignKey("subscriber.no", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    other_no: Mapped[int] = mapped_column(
        ForeignKey("subscriber.no", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime]
    account_no: Mapped[int | None] = mapped_column(ForeignKey("account.no"))


class AlsoMe(Base):
    """Somebody says that another address is theirs too; a letter there asks."""

    __tablename__ = "also_me"
    # A number stands in links: it is never given a second time.
    __table_args__ = (
        Index("ix_also_me_subscriber", "subscriber_no", "no"),
        {"sqlite_autoincrement": True},
    )

    no: Mapped[int] = mapped_column(primary_key=True)
    subscriber_no: Mapped[int] = mapped_column(ForeignKey("subscriber.no", ondelete="CASCADE"))
    address: Mapped[str] = mapped_column(Address)
    asked_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    merging_no: Mapped[int | None] = mapped_column(ForeignKey("merging.no"))


class Look(Base):
    """An account opened somebody's page. Told to that person: by whom, as a role, and when.

    An observation, which a GET writes in a unit of work of its own.
    """

    __tablename__ = "look"
    __table_args__ = (Index("ix_look_subscriber", "subscriber_no", "account_no", "at"),)

    no: Mapped[int] = mapped_column(primary_key=True)
    subscriber_no: Mapped[int] = mapped_column(ForeignKey("subscriber.no", ondelete="CASCADE"))
    account_no: Mapped[int] = mapped_column(ForeignKey("account.no", ondelete="CASCADE"))
    role: Mapped[Role] = mapped_column(one_of(Role))  # that the account had
    at: Mapped[datetime] = mapped_column(index=True)
