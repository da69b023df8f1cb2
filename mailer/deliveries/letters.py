"""Letters: from the numbers that a verb posted to words, links and bytes.

Words are chosen when the letter goes out, so that a list renamed since has its new name, and a link
that lives half an hour begins to live then. A letter whose purpose is gone is not sent.
"""

import functools
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import structlog
from babel.dates import format_datetime
from sqlalchemy.exc import SQLAlchemyError

from mailer import content
from mailer.accounts import store as accounts
from mailer.campaigns import composing
from mailer.campaigns import store as campaigns
from mailer.consent import store as consent
from mailer.consent.actions import code_of
from mailer.consent.model import CODE_LIVES, Confirmation, SubscriberState, SubscriptionState
from mailer.content.headers import bare_address
from mailer.deliveries import writing
from mailer.deliveries.beating import Settled
from mailer.deliveries.model import Reason, key_of_letter
from mailer.deliveries.naming import Namer
from mailer.deliveries.retrying import is_spent, wait_after
from mailer.deliveries.transport import Errand
from mailer.kit.i18n import _, in_language, speaking
from mailer.kit.links import NOBODY, Links
from mailer.kit.tokens import LIVES, Purpose
from mailer.kit.work import Work
from mailer.organisation import store as organisations
from mailer.organisation.model import Organisation
from mailer.outbox import store as outbox
from mailer.outbox.model import DeliveryState, Letter
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import mark_of
from mailer.subscribers.pausing import PAUSE_DAYS
from mailer.tiers import store as tiers
from mailer.tiers.model import UNDO_FOR, Tier

log = structlog.get_logger()

ERASED = "erased"
"""The one letter to somebody who is not on the roll any more: that it is done."""

Write = Callable[[float], bytes]
Said = dict[str, object]


class Pointless(Exception):
    """What the letter was about is not so any more."""


class Recipient(msgspec.Struct, frozen=True):
    """To whom a letter goes, and who they are in links."""

    address: str
    subscriber: int = NOBODY
    mark: str | None = None  # for the suppression list; an account has none


class Letters:
    """Writes letters."""

    def __init__(self, *, base: str, namer: Namer) -> None:
        self._base = base
        self._namer = namer
        self._can_sign = True

    async def may_send(self, work: Work) -> bool:
        """Say whether the organisation has said who it is and can sign; else letters wait."""
        organisation = await organisations.the_one(work)
        if not organisation.may_send:
            return False
        try:
            await writing.signatures_of(work, composing.sending_domain(organisation))
        except writing.CannotSign:
            if self._can_sign:
                log.warning("letters_wait_for_a_key")  # `rollcall doctor` says it in words
            self._can_sign = False
        else:
            self._can_sign = True
        return self._can_sign

    async def errands(
        self, work: Work, numbers: Sequence[int]
    ) -> tuple[list[Errand], list[Settled]]:
        """Turn claimed letters into errands; say what is to be written down about the others."""
        organisation = await organisations.the_one(work)
        signatures = await writing.signatures_of(work, composing.sending_domain(organisation))
        errands, settled = [], []
        for letter in await outbox.by_nos(work, numbers):
            try:
                errand = await self._errand(work, organisation, letter)
                errand.write = writing.signed(errand.write, signatures)
                errands.append(errand)
            except Pointless as gone:
                settled.append(_skipped(letter, gone.args[0] if gone.args else Reason.POINTLESS))
            except (SQLAlchemyError, OSError):
                raise
            except Exception as fault:  # noqa: BLE001  # one letter must not hold up the others
                log.error("letter_unwritable", letter=letter.no, fault=type(fault).__name__)  # noqa: TRY400
                settled.append(_unwritable(letter))
        return errands, settled

    async def _errand(self, work: Work, organisation: Organisation, letter: Letter) -> Errand:
        key = key_of_letter(letter.no)
        name = self._namer.name(key)
        to = await _recipient(work, letter)
        links = Links(self._base, work.signer, work.now)
        if letter.kind == TEST:
            write = await _test(work, letter, to, links, name, base=self._base)
        else:
            facts = await _FACTS[letter.kind](work, letter, to, links)
            write = _written(organisation, letter, facts, to, name)
        recipient = writing.writable(to.address)
        if recipient is None:
            raise Pointless(Reason.BAD_ADDRESS)
        return Errand(
            key=key,
            attempt=letter.attempt,
            sender=bare_address(organisation.sender_address),
            recipient=recipient,
            domain=writing.domain_of(recipient),
            needs_utf8=writing.needs_utf8(recipient),
            write=write,
            mark=to.mark,
        )


def _skipped(letter: Letter, why: Reason) -> Settled:
    return Settled(
        key=key_of_letter(letter.no),
        attempt=letter.attempt,
        state=DeliveryState.SKIPPED,
        reply=why.value,
    )


def _unwritable(letter: Letter) -> Settled:
    """Try again like after a deferral: a fault of ours may be mended in a day or two."""
    spent = is_spent(letter.attempt + 1)
    return Settled(
        key=key_of_letter(letter.no),
        attempt=letter.attempt,
        state=DeliveryState.FAILED if spent else DeliveryState.DEFERRED,
        reply=Reason.UNWRITABLE.value,
        wait=None if spent else wait_after(letter.attempt + 1),
        counts=True,
    )


async def _recipient(work: Work, letter: Letter) -> Recipient:
    if letter.account_no is not None:
        account = await accounts.by_no(work, letter.account_no)
        if account is None:
            raise Pointless(Reason.NO_ACCOUNT)
        return Recipient(account.address)
    if letter.subscriber_no is not None:
        person = await subscribers.by_no(work, letter.subscriber_no)
        if person is None:
            raise Pointless(Reason.ERASED)
        if person.address is None:
            raise Pointless(Reason.ERASED if person.erased_at else Reason.NO_ADDRESS)
        return Recipient(person.address, person.no, person.mark)
    if letter.address is None:
        raise Pointless(Reason.NO_ADDRESS)
    if letter.kind == ERASED:
        # The mark that was left on the suppression list, a moment ago, must not stop the receipt;
        # who was never written to before was posted none.
        return Recipient(letter.address)
    return Recipient(letter.address, mark=mark_of(work.keys, letter.address))


def _written(
    organisation: Organisation, letter: Letter, facts: Said, to: Recipient, name: str
) -> Write:
    rendered = content.render_letter(
        letter.kind,
        language=letter.language,
        facts=facts,
        brand=writing.letter_brand(organisation),
    )

    def write(now: float) -> bytes:
        return content.letter_bytes(
            rendered,
            from_name=organisation.sender_name or organisation.name,
            from_address=organisation.sender_address,
            to=to.address,
            message_id=name,
            domain=composing.sending_domain(organisation),
            now=now,
            reply_to=organisation.reply_to or None,
        )

    return write


# --- the facts of each kind -----------------------------------------------------------------------


async def _confirm(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    confirmation = await _waiting(work, letter)
    tier_no = letter.facts.get("tier")
    tier = await tiers.by_no(work, tier_no) if tier_no else None
    tier = tier or await tiers.chosen(work, to.subscriber)
    return {
        "code": code_of(work, confirmation),
        "link": links.to(Purpose.CONFIRM, to.subscriber, subject=confirmation.no),
        "list_name": await _list(work, letter, confirmation.list_no),
        "level_name": _named(tier, letter),
        "hours": int(CODE_LIVES.total_seconds() // 3600),  # the link lives longer
    }


async def _reminder(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    confirmation = await _waiting(work, letter)
    return {
        "code": code_of(work, confirmation),
        "link": links.to(Purpose.CONFIRM, to.subscriber, subject=confirmation.no),
        "list_name": await _list(work, letter, confirmation.list_no),
        "days": _life(Purpose.CONFIRM).days,
    }


async def _waiting(work: Work, letter: Letter) -> Confirmation:
    """Give the sign-up that a letter asks about, if its owner has not answered yet."""
    confirmation = await consent.confirmation_by_no(work, letter.facts["confirmation"])
    if confirmation is None or confirmation.confirmed_at or confirmation.declined_at:
        raise Pointless
    return confirmation


async def _already_on_the_roll(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    return {
        "private_link": links.to(Purpose.PRIVATE, to.subscriber),
        "list_name": await _list(work, letter, letter.facts["list"]),
    }


async def _welcome(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    tier = await tiers.chosen(work, to.subscriber)
    joined = await consent.list_by_no(work, letter.facts["list"])
    if tier is None or joined is None:
        raise Pointless
    return {
        "own_subject": in_language(joined.welcome_subject, letter.language),
        "own_words": in_language(joined.welcome, letter.language),
        "list_name": in_language(joined.name, letter.language),
        "level_name": _named(tier, letter),
        "promise_get": in_language(tier.you_get, letter.language),
        "promise_ask": in_language(tier.we_ask, letter.language),
        "often": in_language(tier.often, letter.language),
        "preferences_link": links.to(Purpose.PREFERENCES, to.subscriber),
    }


async def _tier_changed(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    change = await tiers.change_by_no(work, letter.facts["change"])
    if change is None or change.undone_at is not None:
        raise Pointless
    before = await tiers.by_no(work, change.from_no) if change.from_no else None
    after = await tiers.by_no(work, change.to_no)
    if before is None or after is None:
        raise Pointless
    return {
        "from_name": _named(before, letter),
        "to_name": _named(after, letter),
        "direction": "up" if after.rank > before.rank else "down",
        "undo_link": links.to(Purpose.UNDO_TIER, to.subscriber, subject=change.no),
        "undo_until": writing.said_date(change.made_at + UNDO_FOR, letter.language),
        "preferences_link": links.to(Purpose.PREFERENCES, to.subscriber),
        "asked_by": letter.facts["by"],
        "reason": change.reason,
    }


async def _tier_requested(work: Work, letter: Letter, _to: Recipient, _links: Links) -> Said:
    tier = await tiers.by_no(work, letter.facts["tier"])
    return {"tier_name": _named(tier, letter)}


async def _tier_request_answered(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    request = await tiers.request_by_no(work, letter.facts["request"])
    if request is None or request.granted is None:
        raise Pointless
    undo_link = ""
    if request.granted:
        change = await tiers.newest_change(work, to.subscriber)
        if change is None or change.to_no != request.tier_no:
            raise Pointless  # they have moved again since
        undo_link = links.to(Purpose.UNDO_TIER, to.subscriber, subject=change.no)
    return {
        "tier_name": _named(await tiers.by_no(work, request.tier_no), letter),
        "granted": request.granted,
        "reason": request.reason,
        "undo_link": undo_link,
        "preferences_link": links.to(Purpose.PREFERENCES, to.subscriber),
    }


async def _tier_request_expired(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    request = await tiers.request_by_no(work, letter.facts["request"])
    if request is None or request.expired_at is None:
        raise Pointless
    return {
        "tier_name": _named(await tiers.by_no(work, request.tier_no), letter),
        "preferences_link": links.to(Purpose.PREFERENCES, to.subscriber),
    }


async def _tier_suggested(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    suggested = await tiers.suggested(work, to.subscriber)
    if suggested is None or suggested[0].no != letter.facts["suggestion"]:
        raise Pointless
    suggestion, tier = suggested
    await _ask_for_reader(work, to)
    return {
        "from_name": _named(await tiers.chosen(work, to.subscriber), letter),
        "tier_name": _named(tier, letter),
        "promise_get": in_language(tier.you_get, letter.language),
        "promise_ask": in_language(tier.we_ask, letter.language),
        "suggestion_link": links.to(Purpose.SUGGESTION, to.subscriber, subject=suggestion.no),
    }


async def _still_with_us(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    question = await tiers.question_by_no(work, letter.facts["question"])
    tier = await tiers.chosen(work, to.subscriber)
    if question is None or question.ended_at is not None or tier is None:
        raise Pointless
    lower = [one for one in await tiers.ladder(work) if one.rank < tier.rank]
    if tier.no != question.tier_no or not lower:
        raise Pointless  # they have moved since
    await _ask_for_reader(work, to)
    return {
        "again": question.again_at is not None,
        "level_name": _named(tier, letter),
        "below_name": _named(lower[-1], letter),
        "days": PAUSE_DAYS,
        "stay_link": links.to(Purpose.STAY, to.subscriber, subject=question.no),
        "down_link": links.to(Purpose.TIER, to.subscriber, subject=lower[-1].no),
        "pause_link": links.to(Purpose.PAUSE, to.subscriber),
        "preferences_link": links.to(Purpose.PREFERENCES, to.subscriber),
    }


async def _yearly(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    tier = await tiers.chosen(work, to.subscriber)
    theirs = [
        one.list_no
        for one in await consent.subscriptions_of(work, to.subscriber)
        if one.state is SubscriptionState.CONFIRMED
    ]
    await _ask_for_reader(work, to)
    return {
        "level_name": _named(tier, letter),
        "often": in_language(tier.often if tier else {}, letter.language),
        "list_names": ", ".join([await _list(work, letter, no) for no in theirs]),
        "preferences_link": links.to(Purpose.PREFERENCES, to.subscriber),
        "leave_link": links.to(Purpose.UNSUBSCRIBE, to.subscriber),
    }


async def _ask_for_reader(work: Work, to: Recipient) -> None:
    """Write nothing that nobody asked for to somebody on a break, or who has left since."""
    states = await consent.states(work, [to.subscriber])
    if states.get(to.subscriber) is not SubscriberState.ACTIVE:
        raise Pointless


async def _unsubscribed(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    names = [await _list(work, letter, no) for no in letter.facts["lists"]]
    if not names:
        raise Pointless
    return {
        "list_names": ", ".join(names),
        "undo_link": links.to(Purpose.UNDO_LEAVING, to.subscriber, subject=letter.facts["record"]),
        "undo_until": _until(Purpose.UNDO_LEAVING, work, letter),
    }


async def _paused(_work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    until = datetime.fromisoformat(letter.facts["until"])
    return {
        "until": writing.said_date(until, letter.language),
        "undo_link": links.to(Purpose.UNDO_PAUSE, to.subscriber),
    }


async def _private_link(_work: Work, _letter: Letter, to: Recipient, links: Links) -> Said:
    return {
        "link": links.to(Purpose.PRIVATE, to.subscriber),
        "minutes": int(_life(Purpose.PRIVATE).total_seconds() // 60),
    }


async def _address_change_confirm(work: Work, letter: Letter, _to: Recipient, links: Links) -> Said:
    change = await subscribers.address_change(work, letter.facts["change"])
    if change is None or change.confirmed_at is not None:
        raise Pointless
    return {
        "link": links.to(Purpose.ADDRESS, change.subscriber_no, subject=change.no),
        "hours": int(_life(Purpose.ADDRESS).total_seconds() // 3600),
    }


async def _address_changed(work: Work, letter: Letter, _to: Recipient, links: Links) -> Said:
    change = await subscribers.address_change(work, letter.facts["change"])
    if change is None or change.undone_at is not None:
        raise Pointless
    return {
        "undo_link": links.to(Purpose.UNDO_ADDRESS, change.subscriber_no, subject=change.no),
        "undo_until": _until(Purpose.UNDO_ADDRESS, work, letter),
    }


async def _also_me(_work: Work, letter: Letter, _to: Recipient, links: Links) -> Said:
    whose, wish = letter.facts["subscriber"], letter.facts["wish"]
    return {
        "link": links.to(Purpose.ALSO_ME, whose, subject=wish),
        "hours": int(_life(Purpose.ALSO_ME).total_seconds() // 3600),
    }


async def _also_me_done(work: Work, letter: Letter, _to: Recipient, links: Links) -> Said:
    whose, merging = letter.facts["subscriber"], letter.facts["merging"]
    return {
        "undo_link": links.to(Purpose.UNDO_MERGING, whose, subject=merging),
        "undo_until": _until(Purpose.UNDO_MERGING, work, letter),
    }


async def _erased(_work: Work, _letter: Letter, _to: Recipient, _links: Links) -> Said:
    return {}


async def _sign_in_notice(_work: Work, letter: Letter, _to: Recipient, links: Links) -> Said:
    return {
        "at": _moment(letter),
        "device": letter.facts["device"],
        "admin_link": links.page("/admin"),
    }


async def _factor_reset(_work: Work, letter: Letter, _to: Recipient, _links: Links) -> Said:
    return {"at": _moment(letter)}


_FACTS: dict[str, Callable[[Work, Letter, Recipient, Links], Awaitable[Said]]] = {
    "confirm": _confirm,
    "reminder": _reminder,
    "already-on-the-roll": _already_on_the_roll,
    "welcome": _welcome,
    "tier-changed": _tier_changed,
    "tier-requested": _tier_requested,
    "tier-request-answered": _tier_request_answered,
    "tier-request-expired": _tier_request_expired,
    "tier-suggested": _tier_suggested,
    "still-with-us": _still_with_us,
    "yearly": _yearly,
    "unsubscribed": _unsubscribed,
    "paused": _paused,
    "private-link": _private_link,
    "address-change-confirm": _address_change_confirm,
    "address-changed": _address_changed,
    "also-me": _also_me,
    "also-me-done": _also_me_done,
    ERASED: _erased,
    "sign-in-notice": _sign_in_notice,
    "factor-reset": _factor_reset,
}


async def _list(work: Work, letter: Letter, no: int) -> str:
    found = await consent.list_by_no(work, no)
    if found is None:
        raise Pointless
    return in_language(found.name, letter.language)


def _named(tier: Tier | None, letter: Letter) -> str:
    if tier is None:
        raise Pointless
    return in_language(tier.name, letter.language)


def _life(purpose: Purpose) -> timedelta:
    life = LIVES[purpose]
    assert life is not None
    return life


def _until(purpose: Purpose, work: Work, letter: Letter) -> str:
    return writing.said_date(work.now + _life(purpose), letter.language)


def _moment(letter: Letter) -> str:
    at = datetime.fromisoformat(letter.facts["at"]).astimezone(UTC)
    said = format_datetime(at, "medium", locale=writing.locale_of(letter.language))
    return f"{said} UTC"


# --- the test newsletter --------------------------------------------------------------------------

TEST = "test-newsletter"


async def _test(
    work: Work, letter: Letter, to: Recipient, links: Links, name: str, *, base: str
) -> Write:
    """Fill one revision for the account that asked, with links that do nothing."""
    campaign = await campaigns.by_no(work, letter.facts["campaign"])
    revision = await campaigns.revision(work, letter.facts["revision"])
    account = await accounts.by_no(work, letter.account_no or 0)
    if campaign is None or revision is None or account is None:
        raise Pointless
    compiled = await composing.program(
        work, campaign, base=base, revision=revision, subject=_as_a_test
    )
    ladder = await tiers.ladder(work)
    reader = writing.nobody(
        address=to.address,
        first_name=account.name.split(" ")[0],
        language=letter.facts["language"],
        tier=ladder[0] if ladder else None,
        joined_at=work.now,
    )
    mailing = await writing.mailing(work, campaign, base=base, compiled=compiled)
    return functools.partial(writing.Pen(mailing, links).write, reader, name)


def _as_a_test(language: str, subject: str) -> str:
    with speaking(language):
        return _("[Test] %(subject)s") % {"subject": subject}
