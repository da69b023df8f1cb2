"""The sign-up form."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from mailer.kit.orm import Base, Json


class SignUpForm(Base):
    """A page by which people sign up."""

    __tablename__ = "sign_up_form"

    no: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)  # in its address
    title: Mapped[dict[str, str]]
    intro: Mapped[dict[str, str]] = mapped_column(default=dict)
    thanks: Mapped[dict[str, str]] = mapped_column(default=dict)  # once they have confirmed
    list_no: Mapped[int] = mapped_column(ForeignKey("mailing_list.no"))
    # Names of questions (`questions`), in their order: columns of ours, and fields as "field:slug".
    asks_for: Mapped[list[str]] = mapped_column(Json, default=list)
    needed: Mapped[list[str]] = mapped_column(Json, default=list)  # those of them that must be said
    tag_no: Mapped[int | None] = mapped_column(ForeignKey("tag.no"))  # put on who confirms
    may_be_embedded: Mapped[bool] = mapped_column(default=False)
    sites: Mapped[list[str]] = mapped_column(Json, default=list)  # origins that may show its frame
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("account.no"))
    closed_at: Mapped[datetime | None]
