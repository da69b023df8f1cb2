"""The facts of the letters to accounts."""

from datetime import UTC, datetime

from babel.dates import format_datetime

from mailer.deliveries import writing
from mailer.deliveries.letter_facts import Find, Recipient, Said
from mailer.kit.links import Links
from mailer.kit.work import Work
from mailer.outbox.model import Letter


async def _sign_in_notice(_work: Work, letter: Letter, _to: Recipient, links: Links) -> Said:
    return {
        "at": _moment(letter),
        "device": letter.facts["device"],
        "admin_link": links.page("/admin"),
    }


async def _factor_reset(_work: Work, letter: Letter, _to: Recipient, _links: Links) -> Said:
    return {"at": _moment(letter)}


def _moment(letter: Letter) -> str:
    at = datetime.fromisoformat(letter.facts["at"]).astimezone(UTC)
    said = format_datetime(at, "medium", locale=writing.locale_of(letter.language))
    return f"{said} UTC"


FACTS: dict[str, Find] = {"sign-in-notice": _sign_in_notice, "factor-reset": _factor_reset}
