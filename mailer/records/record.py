"""What a timeline says of the letters that went to somebody."""

from mailer.activity.model import Entry
from mailer.kit.i18n import N_, _
from mailer.kit.work import Work
from mailer.outbox import store
from mailer.outbox.model import DeliveryState, Letter

_KINDS = {
    "confirm": N_("Please confirm"),
    "already-on-the-roll": N_("You are on the roll already"),
    "welcome": N_("Welcome"),
    "tier-changed": N_("Your level has changed"),
    "tier-requested": N_("We have your request"),
    "tier-request-answered": N_("An answer to your request"),
    "unsubscribed": N_("You are off the list"),
    "paused": N_("Your break has begun"),
    "private-link": N_("Your private link"),
}
_STATES = {
    DeliveryState.QUEUED: N_("It waits to be sent."),
    DeliveryState.CLAIMED: N_("It waits to be sent."),
    DeliveryState.SENDING: N_("It is being sent."),
    DeliveryState.SENT: N_("Their mail server has accepted it."),
    DeliveryState.DEFERRED: N_("Their mail server asked us to try again later."),
    DeliveryState.REFUSED: N_("Their mail server refused it."),
    DeliveryState.FAILED: N_("It could not be sent."),
    DeliveryState.IN_DOUBT: N_("We cannot tell whether it arrived."),
    DeliveryState.SKIPPED: N_("It was not sent: they are not to be written to."),
}


async def entries(work: Work, subscriber_no: int) -> list[Entry]:
    """Tell which letters the system wrote to somebody, and what became of each."""
    return [_told(letter) for letter in await store.letters_to(work, subscriber_no)]


def _told(letter: Letter) -> Entry:
    kind = _(_KINDS[letter.kind]) if letter.kind in _KINDS else letter.kind
    return Entry(
        at=letter.at or letter.made_at,
        kind="letter",
        words=_("Letter: %(kind)s") % {"kind": kind},
        details=_(_STATES[DeliveryState(letter.state)]),
    )
