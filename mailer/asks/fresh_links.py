"""A fresh link in place of one that has run out: to the same ask, or the same question how it went.

Anybody who holds an old email may ask for it. It goes to the one whom the old link was made for.
"""

from mailer.asks import store
from mailer.asks.model import AskState
from mailer.consent.private_links import send_bounded
from mailer.kit.tokens import Claim, Purpose
from mailer.kit.work import Work
from mailer.subscribers.model import Subscriber

KIND = "ask-link"

OF_ASKS = frozenset({Purpose.ASK, Purpose.ASK_DONE, Purpose.ASK_HELP, Purpose.ASK_DECLINE})
"""Links whose subject is an ask."""


async def leads_on(work: Work, claim: Claim) -> bool:
    """Say whether a link that has run out would still lead to something."""
    ask_no = claim.subject if claim.purpose in OF_ASKS else None
    if claim.purpose is Purpose.REPORT:
        pledge = await store.pledge_by_no(work, claim.subject)
        ask_no = None if pledge is None else pledge.ask_no
    ask = None if ask_no is None else await store.by_no(work, ask_no)
    if ask is None or ask.state is AskState.DRAFT:
        return False
    return claim.purpose is not Purpose.ASK or ask.is_open(work.now)


async def send(work: Work, subscriber: Subscriber, claim: Claim) -> None:
    """Owe the fresh link. Who asks cannot tell whether anything was sent."""
    await send_bounded(
        work,
        subscriber,
        KIND,
        about=f":{claim.purpose.value}:{claim.subject}",
        facts={"purpose": claim.purpose.value, "subject": claim.subject},
    )
