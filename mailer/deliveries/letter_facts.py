"""What the facts of letters are made of: to whom they go, how names, days and lives are said."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec

from mailer.consent import store as consent
from mailer.consent.model import SubscriberState
from mailer.deliveries import writing
from mailer.kit.i18n import in_language
from mailer.kit.links import NOBODY, Links
from mailer.kit.tokens import LIVES, Purpose
from mailer.kit.work import Work
from mailer.outbox.model import Letter
from mailer.subscribers.model import MailForm
from mailer.tiers.model import Tier

Said = dict[str, object]


class Pointless(Exception):
    """What the letter was about is not so any more."""


class Recipient(msgspec.Struct, frozen=True):
    """To whom a letter goes, and who they are in links."""

    address: str
    subscriber: int = NOBODY
    mark: str | None = None  # for the suppression list; an account has none
    form: MailForm = MailForm.USUAL


Find = Callable[[Work, Letter, Recipient, Links], Awaitable[Said]]
"""Finds the facts of one kind of letter. Raises `Pointless` where there is nothing to say."""


async def ask_for_reader(work: Work, to: Recipient) -> None:
    """Write nothing that nobody asked for to somebody on a break, or who has left since."""
    states = await consent.states(work, [to.subscriber])
    if states.get(to.subscriber) is not SubscriberState.ACTIVE:
        raise Pointless


async def list_named(work: Work, letter: Letter, no: int) -> str:
    """Name a list, in the language of the letter."""
    found = await consent.list_by_no(work, no)
    if found is None:
        raise Pointless
    return in_language(found.name, letter.language)


def level_named(tier: Tier | None, letter: Letter) -> str:
    """Name a level, in the language of the letter."""
    if tier is None:
        raise Pointless
    return in_language(tier.name, letter.language)


def life_of(purpose: Purpose) -> timedelta:
    """Say how long links of a purpose live that do not live for ever."""
    life = LIVES[purpose]
    assert life is not None
    return life


def undone_until(purpose: Purpose, work: Work, letter: Letter) -> str:
    """Say until when a link that is made now may undo something."""
    return writing.said_date(work.now + life_of(purpose), letter.language)
