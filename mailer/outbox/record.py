"""What is known of the letters to somebody, and how they are forgotten."""

from collections.abc import Collection

from sqlalchemy import delete, or_, select

from mailer.kit.i18n import _
from mailer.kit.known import Part
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState, Letter


async def known(work: Work, subscriber_no: int) -> list[Part]:
    """Give every letter that the system wrote to somebody, and what became of it."""
    found = await work.session.scalars(
        select(Letter).where(Letter.subscriber_no == subscriber_no).order_by(Letter.no)
    )
    return [
        Part(
            name="letters",
            table="letter",
            words=_("Letters to you"),
            rows=[
                {
                    "what": letter.kind,
                    "language": letter.language,
                    "at": letter.made_at,
                    "state": DeliveryState(letter.state).name.lower(),
                    "settled_at": letter.at,
                    "reply": letter.reply,
                }
                for letter in found
            ],
        )
    ]


async def forget(work: Work, subscriber_no: int, *, dedupe_keys: Collection[str] = ()) -> None:
    """Keep no letter to somebody, sent or owed.

    `dedupe_keys` names those that went to an address of theirs and not to their number.
    """
    await work.session.execute(
        delete(Letter)
        .where(or_(Letter.subscriber_no == subscriber_no, Letter.dedupe_key.in_(dedupe_keys)))
        .execution_options(synchronize_session=False)
    )
