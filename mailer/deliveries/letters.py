"""Letters: from the numbers that a verb posted to words, links and bytes.

Words are chosen when the letter goes out, so that a list renamed since has its new name, and a link
that lives half an hour begins to live then. A letter whose purpose is gone is not sent. What each
kind says is found in the rooms beside this one: `letters_of_roll`, `_of_ladder`, `_of_asks`,
`_of_followups` and `_of_accounts`.
"""

import functools
from collections.abc import Callable, Mapping, Sequence

import structlog
from sqlalchemy.exc import SQLAlchemyError

from mailer import content
from mailer.accounts import store as accounts
from mailer.campaigns import composing
from mailer.campaigns import store as campaigns
from mailer.content.headers import bare_address
from mailer.deliveries import (
    letters_of_accounts,
    letters_of_asks,
    letters_of_followups,
    letters_of_ladder,
    letters_of_roll,
    writing,
)
from mailer.deliveries.beating import Settled
from mailer.deliveries.letter_facts import Find, Pointless, Recipient, Said
from mailer.deliveries.letters_of_roll import ERASED
from mailer.deliveries.model import Reason, key_of_letter
from mailer.deliveries.naming import Namer
from mailer.deliveries.retrying import is_spent, wait_after
from mailer.deliveries.transport import Errand
from mailer.kit.i18n import _, speaking
from mailer.kit.links import Links
from mailer.kit.work import Work
from mailer.organisation import store as organisations
from mailer.organisation.model import Organisation
from mailer.outbox import store as outbox
from mailer.outbox.model import DeliveryState, Letter
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import mark_of
from mailer.tiers import store as tiers

log = structlog.get_logger()

TEST = "test-newsletter"

Write = Callable[[float], bytes]

_FACTS: Mapping[str, Find] = {
    **letters_of_roll.FACTS,
    **letters_of_ladder.FACTS,
    **letters_of_asks.FACTS,
    **letters_of_accounts.FACTS,
    **letters_of_followups.FACTS,
}


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
        return Recipient(person.address, person.no, person.mark, person.mail_form)
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
            form=to.form,
        )

    return write


# --- the test newsletter --------------------------------------------------------------------------


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
        best_ask=min(compiled.fields_of_best_asks, default=0),  # one that somebody might get
    )
    mailing = await writing.mailing(work, campaign, base=base, compiled=compiled)
    return functools.partial(writing.Pen(mailing, links).write, reader, name)


def _as_a_test(language: str, subject: str) -> str:
    with speaking(language):
        return _("[Test] %(subject)s") % {"subject": subject}
