"""What is known of the bulk acts that somebody was part of, and how that is forgotten."""

import json

from sqlalchemy import delete, select

from mailer.bulk.model import BulkAct, BulkPerson
from mailer.kit.i18n import _
from mailer.kit.known import Part
from mailer.kit.work import Work


async def known(work: Work, subscriber_no: int) -> list[Part]:
    """Give what was done to somebody together with others, and what it would go back to."""
    found = await work.session.execute(
        select(BulkAct, BulkPerson)
        .join(BulkPerson, BulkPerson.act_no == BulkAct.no)
        .where(BulkPerson.subscriber_no == subscriber_no)
        .order_by(BulkAct.no)
    )
    return [
        Part(
            name="done_to_many",
            table="bulk_person",
            words=_("What was done to you together with others"),
            rows=[
                {
                    "what": act.deed.value,
                    "state": act.state.value,
                    "at": act.made_at,
                    "before": json.dumps(person.before, ensure_ascii=False)
                    if person.before
                    else "",
                }
                for act, person in found
            ],
        )
    ]


async def forget(work: Work, subscriber_no: int) -> None:
    """Take somebody out of every bulk act. Its counts stand, and an undo leaves them alone."""
    await work.session.execute(
        delete(BulkPerson)
        .where(
            BulkPerson.act_no.in_(select(BulkAct.no)),  # the act leads the key
            BulkPerson.subscriber_no == subscriber_no,
        )
        .execution_options(synchronize_session=False)
    )
