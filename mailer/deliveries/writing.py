"""Writing: from a row of the ledger to the bytes of one person's mail.

A campaign is compiled once per process; each claim reads what its rows need in a few statements
for all of them; the filling itself waits until a connection is free.
"""

import functools
from collections.abc import Mapping, Sequence
from datetime import date, datetime

import msgspec
from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from mailer import content
from mailer.campaigns import composing
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign
from mailer.consent import store as consent
from mailer.content.headers import bare_address
from mailer.deliveries.ledger import Claim, Settled
from mailer.deliveries.model import Reason
from mailer.deliveries.naming import Namer
from mailer.deliveries.transport import Errand
from mailer.groups import store as groups
from mailer.kit.i18n import in_language
from mailer.kit.links import NOBODY, Links
from mailer.kit.orm import Localised
from mailer.kit.tokens import Purpose
from mailer.kit.work import Work
from mailer.organisation import store as organisations
from mailer.outbox.model import DeliveryState
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import Subscriber
from mailer.tiers import store as tiers
from mailer.tiers.model import Tier


class Mailing(msgspec.Struct, frozen=True):
    """A campaign, compiled, with what stands in every mail of it."""

    no: int
    list_no: int
    slug: str
    in_archive: bool
    compiled: content.CompiledCampaign
    sender: bytes  # of the envelope
    list_name: Localised
    fallback: str  # the organisation's language
    tiers: Mapping[str, int]  # slug to number, for the links of the ladder


async def mailing(
    work: Work,
    campaign: Campaign,
    *,
    base: str,
    compiled: content.CompiledCampaign | None = None,
) -> Mailing:
    """Prepare a campaign for writing it to people."""
    organisation = await organisations.the_one(work)
    mailing_list = await consent.list_by_no(work, campaign.list_no) if campaign.list_no else None
    return Mailing(
        no=campaign.no,
        list_no=campaign.list_no or 0,
        slug=campaign.slug,
        in_archive=campaign.in_archive,
        compiled=compiled or await composing.program(work, campaign, base=base),
        sender=bare_address(organisation.sender_address),
        list_name=mailing_list.name if mailing_list else {},
        fallback=organisation.language,
        tiers={tier.slug: tier.no for tier in await tiers.ladder(work)},
    )


class Person(msgspec.Struct, frozen=True):
    """What a mail may say of the one who gets it."""

    no: int
    address: str
    first_name: str = ""
    last_name: str = ""
    city: str = ""
    group: str = ""
    language: str = "en"
    joined_at: datetime | None = None
    tier: Tier | None = None


class Desk:
    """Writes the mails of campaigns."""

    def __init__(self, *, base: str, namer: Namer) -> None:
        self._base = base
        self._namer = namer
        self._mailings: dict[int, Mailing] = {}

    def forget_all_but(self, running: Sequence[int]) -> None:
        """Let go of what was compiled for campaigns that do not run any more."""
        self._mailings = {no: kept for no, kept in self._mailings.items() if no in running}

    async def errands(
        self, work: Work, campaign_no: int, claims: Sequence[Claim]
    ) -> tuple[list[Errand], list[Settled]]:
        """Turn claims into errands; and say what is to be written down about the others."""
        mailing = self._mailings.get(campaign_no) or await self._prepare(work, campaign_no)
        numbers = [claim.key.number for claim in claims]
        found = await people(work, numbers, with_groups="group" in mailing.compiled.fields)
        links = Links(self._base, work.signer, work.now)
        errands, settled = [], []
        for claim in claims:
            person = found.get(claim.key.number)
            recipient = writable(person.address) if person else None
            if person is None or recipient is None:
                settled.append(_unmailable(claim, person))
                continue
            errands.append(
                Errand(
                    key=claim.key,
                    attempt=claim.attempt,
                    sender=mailing.sender,
                    recipient=recipient,
                    write=functools.partial(
                        write, mailing, person, links, self._namer.name(claim.key)
                    ),
                )
            )
        return errands, settled

    async def _prepare(self, work: Work, campaign_no: int) -> Mailing:
        campaign = await campaigns.by_no(work, campaign_no)
        assert campaign is not None
        prepared = await mailing(work, campaign, base=self._base)
        self._mailings[campaign_no] = prepared
        return prepared


def _unmailable(claim: Claim, person: Person | None) -> Settled:
    """Nobody is there any more, or the address cannot stand in a command."""
    if person is None:
        return Settled(
            key=claim.key,
            attempt=claim.attempt,
            state=DeliveryState.SKIPPED,
            reply=Reason.ERASED.value,
        )
    return Settled(
        key=claim.key,
        attempt=claim.attempt,
        state=DeliveryState.REFUSED,
        code=553,
        reply=Reason.BAD_ADDRESS.value,
    )


def writable(address: str) -> bytes | None:
    """Give an address as it stands in a command; None if it cannot stand there."""
    try:
        return bare_address(address)
    except content.Unmailable:
        return None


async def people(
    work: Work, numbers: Sequence[int], *, with_groups: bool = False
) -> dict[int, Person]:
    """Read what mails may say of these people, in a statement or two for all of them."""
    found = await subscribers.by_nos(work, numbers)
    chosen = await tiers.chosen_of(work, numbers)
    belongs = await groups.of_many(work, numbers) if with_groups else {}
    return {
        no: person_of(
            one,
            tier=chosen.get(no),
            group=next((group.name for group in belongs.get(no, [])), ""),
        )
        for no, one in found.items()
        if one.address is not None
    }


def person_of(subscriber: Subscriber, *, tier: Tier | None, group: str = "") -> Person:
    """Take of a subscriber what their mail may say."""
    return Person(
        no=subscriber.no,
        address=subscriber.address or "",
        first_name=subscriber.first_name,
        last_name=subscriber.last_name,
        city=subscriber.city,
        group=group,
        language=subscriber.language,
        joined_at=subscriber.joined_at,
        tier=tier,
    )


def write(mailing: Mailing, person: Person, links: Links, name: str, now: float) -> bytes:
    """Write one person's mail of a campaign."""
    return mailing.compiled.fill(reader(mailing, person, links, name), person.language, now)


def reader(mailing: Mailing, person: Person, links: Links, name: str) -> content.Reader:
    """Give a person as content fills them: values for the fields in use, links of their own."""
    unsubscribe = links.to(
        Purpose.UNSUBSCRIBE, person.no, subject=mailing.list_no, cause=mailing.no
    )
    return content.Reader(
        address=person.address,
        message_id=name,
        unsubscribe_url=unsubscribe,
        facts=content.Facts(tier=person.tier.slug if person.tier else ""),
        values={
            field: value
            for field in mailing.compiled.fields
            if (value := _value(field, mailing, person, links, unsubscribe))
        },
    )


def _value(field: str, mailing: Mailing, person: Person, links: Links, unsubscribe: str) -> str:
    match field:
        case "first_name" | "last_name" | "city" | "group":
            return str(getattr(person, field))
        case "tier":
            return _in(person.tier.name, mailing, person) if person.tier else ""
        case "tier_promise":
            return _in(person.tier.often, mailing, person) if person.tier else ""
        case "joined":
            return said_date(person.joined_at, person.language) if person.joined_at else ""
        case "list":
            return _in(mailing.list_name, mailing, person)
        case "link.unsubscribe":
            return unsubscribe
        case "link.preferences":
            return links.to(Purpose.PREFERENCES, person.no, cause=mailing.no)
        case "link.pause":
            return links.to(Purpose.PAUSE, person.no, cause=mailing.no)
        case "link.web" | "link.forward":
            # A copy without tokens; what is not in the archive leads to where one may join.
            return links.page(f"/n/{mailing.slug}" if mailing.in_archive else "/join")
        case _ if field.startswith("link.tier."):
            tier_no = mailing.tiers.get(field.removeprefix("link.tier."))
            if tier_no is None:
                return ""
            return links.to(Purpose.TIER, person.no, subject=tier_no, cause=mailing.no)
        case _:  # of what is not built yet: its fallback, or nothing
            return ""


def _in(text: Localised, mailing: Mailing, person: Person) -> str:
    return in_language(text, person.language, mailing.fallback)


def said_date(moment: datetime, language: str) -> str:
    """Say a day in somebody's language."""
    return _said_date(moment.date(), language)


@functools.lru_cache(maxsize=4096)  # people join on few days; formatting costs 20 µs
def _said_date(day: date, language: str) -> str:
    return format_date(day, "long", locale=locale_of(language))


@functools.lru_cache(maxsize=64)
def locale_of(language: str) -> Locale:
    """Give the locale of a language, or of English where Babel has none."""
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def nobody(
    *, address: str, first_name: str, language: str, tier: Tier | None, joined_at: datetime
) -> Person:
    """Make the reader of a test: their links open a page that says so, and do nothing."""
    return Person(
        no=NOBODY,
        address=address,
        first_name=first_name,
        language=language,
        joined_at=joined_at,
        tier=tier,
    )
