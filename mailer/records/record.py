"""What a timeline says of the letters that went to somebody."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Select, delete, exists, func, or_, select

from mailer.accounts.model import ROLE_NAMES
from mailer.activity.model import Entry
from mailer.kit.i18n import N_, _
from mailer.kit.known import Part, Said
from mailer.kit.work import Work
from mailer.outbox import store
from mailer.outbox.model import DeliveryState, Letter
from mailer.records.model import AlsoMe, Look, Merging, TwoPeople
from mailer.subscribers.model import Subscriber, visible

_KINDS = {
    "confirm": N_("Please confirm"),
    "already-on-the-roll": N_("You are on the roll already"),
    "welcome": N_("Welcome"),
    "tier-changed": N_("Your level has changed"),
    "tier-requested": N_("We have your request"),
    "tier-request-answered": N_("An answer to your request"),
    "tier-request-expired": N_("Your request has run out"),
    "tier-suggested": N_("A step up, if you like"),
    "follow-up": N_("A word from one of us"),
    "still-with-us": N_("Are you still with us?"),
    "yearly": N_("You are still on the roll"),
    "pledge-receipt": N_("We have your yes"),
    "answer-receipt": N_("We noted your answer"),
    "support-is-coming": N_("Help is coming"),
    "pledge-due": N_("A date is coming up"),
    "did-you-do-it": N_("Did you do it?"),
    "ask-again": N_("Again, if you like"),
    "ask-link": N_("Your fresh link"),
    "unsubscribed": N_("You are off the list"),
    "paused": N_("Your break has begun"),
    "private-link": N_("Your private link"),
    "also-me": N_("Is this also you?"),
    "also-me-done": N_("Two entries are one now"),
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


async def known(work: Work, subscriber_no: int) -> list[Part]:
    """Give who looked at somebody, what was one with them, and what is another person."""
    looks = await work.session.scalars(
        select(Look).where(Look.subscriber_no == subscriber_no).order_by(Look.no)
    )
    mergings = await work.session.scalars(
        select(Merging)
        .where(or_(Merging.kept_no == subscriber_no, Merging.merged_no == subscriber_no))
        .order_by(Merging.no)
    )
    others = await work.session.scalars(
        select(TwoPeople)
        .where(or_(TwoPeople.one_no == subscriber_no, TwoPeople.other_no == subscriber_no))
        .order_by(TwoPeople.at)
    )
    wished = await work.session.scalars(
        select(AlsoMe).where(AlsoMe.subscriber_no == subscriber_no).order_by(AlsoMe.no)
    )
    return [
        Part(
            name="looks",
            table="look",
            words=_("Who opened your page, of the last 90 days"),
            rows=[
                {"role": Said(one.role.value, _(ROLE_NAMES[one.role])), "at": one.at}
                for one in looks
            ],
        ),
        Part(
            name="merged",
            table="merging",
            words=_("Entries that were made one"),
            rows=[
                {
                    "at": one.made_at,
                    "undone_at": one.undone_at,
                    "door": one.door.value,
                    "by_organiser": one.account_no is not None,
                }
                for one in mergings
            ],
        ),
        Part(
            name="not_merged",
            table="two_people",
            words=_("Entries that seemed to be yours, and are not"),
            rows=[{"at": one.at, "by_organiser": one.account_no is not None} for one in others],
        ),
        Part(
            name="other_addresses",
            table="also_me",
            words=_("Addresses that you said are yours too"),
            rows=[
                {
                    "address": one.address,
                    "asked_at": one.asked_at,
                    "confirmed_at": one.confirmed_at,
                }
                for one in wished
            ],
        ),
    ]


async def letters_to_addresses(work: Work, subscriber_no: int, marks: Collection[str]) -> list[str]:
    """Name the letters of `also_me` that went to addresses of somebody, by their dedupe keys."""
    wishes = await work.session.scalars(select(AlsoMe.no).where(_their_wishes(work, subscriber_no)))
    mergings = list(await work.session.scalars(_their_mergings(subscriber_no)))
    return [
        *[f"also-me:{no}" for no in wishes],
        *[f"also-me-done:{no}:{mark}" for no in mergings for mark in marks],
    ]


async def forget(work: Work, subscriber_no: int) -> None:
    """Keep nothing of who looked, nor of what was one with somebody. No merge can be undone now."""
    for kind, whose in (
        (Look, Look.subscriber_no == subscriber_no),
        (AlsoMe, _their_wishes(work, subscriber_no)),
        (TwoPeople, or_(TwoPeople.one_no == subscriber_no, TwoPeople.other_no == subscriber_no)),
        (Merging, Merging.no.in_(_their_mergings(subscriber_no))),
    ):
        await work.session.execute(
            delete(kind).where(whose).execution_options(synchronize_session=False)
        )


def _their_wishes(work: Work, subscriber_no: int) -> ColumnElement[bool]:
    """Find what somebody said of their addresses, and what others said of theirs."""
    theirs = select(func.lower(Subscriber.address)).where(
        Subscriber.no == subscriber_no, visible(work)
    )
    return or_(
        AlsoMe.subscriber_no == subscriber_no,
        AlsoMe.merging_no.in_(_their_mergings(subscriber_no)),
        func.lower(AlsoMe.address).in_(theirs),
    )


def _their_mergings(subscriber_no: int) -> Select[int]:
    return select(Merging.no).where(
        or_(Merging.kept_no == subscriber_no, Merging.merged_no == subscriber_no)
    )


# --- who looked -----------------------------------------------------------------------------------


async def looked_since(work: Work, subscriber_no: int, since: datetime) -> bool:
    """Say whether the account that acts has looked at somebody since then."""
    return bool(
        await work.session.scalar(
            select(
                exists().where(
                    Look.subscriber_no == subscriber_no,
                    Look.account_no == work.account,
                    Look.at > since,
                )
            )
        )
    )


async def forget_looks(work: Work, before: datetime, *, limit: int) -> int:
    """Forget the oldest looks from before a moment; count them."""
    old = select(Look.no).where(Look.at < before).order_by(Look.at).limit(limit)
    gone = await work.session.scalars(
        delete(Look)
        .where(Look.no.in_(old))
        .returning(Look.no)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


async def is_a_look_older(work: Work, before: datetime) -> bool:
    """Say whether there is a look from before a moment; a question that locks nothing."""
    return bool(await work.session.scalar(select(exists().where(Look.at < before))))
