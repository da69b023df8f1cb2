"""Consent that is about no list: to be called, and to what is specially protected."""

from collections.abc import Collection, Sequence

from mailer.consent.model import ConsentRecord
from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.organisation import store as organisation


async def keep(
    work: Work,
    subscriber_nos: Collection[int],
    *,
    purpose: str,
    channel: str,
    given: bool,
    wording: str,
    language: str,
    import_no: int | None = None,
) -> Sequence[ConsentRecord]:
    """Write down that people agreed to a purpose, or took it back, in the words they read.

    Their rows are held by the verb that calls this.
    """
    controller = (await organisation.the_one(work)).name
    return await add_missing(
        work,
        ConsentRecord,
        [
            {
                "subscriber_no": no,
                "list_no": None,
                "purpose": purpose[:60],
                "controller": controller,
                "channel": channel,
                "given": given,
                "wording": wording,
                "language": language,
                "door": work.door,
                "account_no": work.account,
                "at": work.now,
                "import_no": import_no,
            }
            for no in subscriber_nos
        ],
    )
