"""The organisation's one row."""

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from mailer.kit.orm import Address, Base

THE_ONE = 1


class Organisation(Base):
    """Who sends: what stands at the top of every page and at the foot of every mail."""

    __tablename__ = "organisation"
    __table_args__ = (CheckConstraint(f"no = {THE_ONE}", name="only_one"),)

    no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(120))
    postal_address: Mapped[str] = mapped_column(String(400), default="")
    sender_name: Mapped[str] = mapped_column(String(120), default="")
    sender_address: Mapped[str] = mapped_column(Address, default="")
    reply_to: Mapped[str] = mapped_column(Address, default="")
    colour: Mapped[str] = mapped_column(String(7), default="#ffc233")
    language: Mapped[str] = mapped_column(String(12), default="en")
    lede: Mapped[dict[str, str]] = mapped_column(
        default=dict
    )  # under the headline of the join page
    headline: Mapped[dict[str, str]] = mapped_column(default=dict)

    @property
    def may_send(self) -> bool:
        """Say whether all is known that a mail must state."""
        return bool(self.name and self.postal_address and self.sender_address)
