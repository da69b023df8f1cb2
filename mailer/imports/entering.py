"""One person put on the roll by hand: a file of one line, on the same grounds as any other."""

from mailer.consent import actions as consent
from mailer.consent import store as lists
from mailer.imports.actions import (
    SHORTEST_EVIDENCE,
    BasisNeeded,
    EvidenceNeeded,
    ListNeeded,
)
from mailer.imports.model import Basis
from mailer.kit.addresses import read_address
from mailer.kit.errors import Invalid
from mailer.kit.texts import lines
from mailer.kit.work import Work
from mailer.organisation import store as organisation
from mailer.subscribers import actions as subscribers
from mailer.subscribers import store as subscriber_store
from mailer.subscribers.model import Subscriber, mark_of
from mailer.tiers import actions as tiers
from mailer.tiers import store as ladder
from mailer.tiers.model import Source


class NeverWriteTo(Invalid):
    """Whoever has this address asked never to be written to. Only they can change that."""


class LevelNeeded(Invalid):
    """Please choose a level."""


async def enter(
    work: Work,
    *,
    address: str,
    first_name: str,
    last_name: str,
    city: str,
    language: str,
    tier_no: int | None = None,
    group_no: int | None = None,
    list_no: int | None = None,
    basis: Basis | None = None,
    evidence: str = "",
) -> Subscriber:
    """Put somebody on the roll, and on a list if they agreed or are to be asked.

    Without an address they are known and reached otherwise: no list takes them.
    """
    if list_no is not None and address:
        await _check_ground(work, address, basis, evidence)
    subscriber = await subscribers.add(
        work,
        address=address or None,
        first_name=first_name,
        last_name=last_name,
        city=city,
        language=language,
        groups=[] if group_no is None else [group_no],
    )
    tier = await ladder.by_no(work, tier_no) if tier_no else (await ladder.ladder(work))[0]
    if tier is None:
        raise LevelNeeded(field="tier")
    await tiers.place_many(work, [(subscriber.no, tier.no)], source=Source.ASSIGNED)
    if list_no is not None and address:
        await _put_on(work, subscriber, list_no, basis, evidence)
    return subscriber


async def _check_ground(work: Work, address: str, basis: Basis | None, evidence: str) -> None:
    if basis is None:
        raise BasisNeeded(field="basis")
    if basis is Basis.AGREED and len(evidence.strip()) < SHORTEST_EVIDENCE:
        raise EvidenceNeeded(field="evidence")
    mark = mark_of(work.keys, read_address(address))
    if await subscriber_store.suppressions(work, [mark]):
        raise NeverWriteTo(field="address")


async def _put_on(
    work: Work, subscriber: Subscriber, list_no: int, basis: Basis | None, evidence: str
) -> None:
    mailing_list = await lists.list_by_no(work, list_no)
    if mailing_list is None or mailing_list.closed_at is not None:
        raise ListNeeded(field="list")
    if basis is Basis.ASK:
        wording = await consent.wording_of(work, mailing_list, subscriber.language)
        await consent.ask_many(work, [subscriber.no], mailing_list, wording=wording)
        return
    await consent.agree_many(
        work,
        [subscriber.no],
        mailing_list,
        wording=lines(evidence, longest=2000, field="evidence"),
        language=(await organisation.the_one(work)).language,
    )
