"""Writing: from a row of the ledger to the bytes of one person's mail.

A campaign is compiled once per process; each claim reads what its rows need in a few statements
for all of them; the filling itself waits until a connection is free.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta

import msgspec
from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from mailer import content
from mailer.asks.offers import store as offers
from mailer.campaigns import composing
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign
from mailer.consent import store as consent
from mailer.content.headers import address_in_utf8, bare_address
from mailer.deliveries import promising
from mailer.deliveries.beating import Settled
from mailer.deliveries.ledger import Claim
from mailer.deliveries.model import Key, Reason
from mailer.deliveries.naming import Namer
from mailer.deliveries.transport import Errand
from mailer.groups import store as groups
from mailer.kit.errors import Conflict
from mailer.kit.i18n import in_language
from mailer.kit.links import NOBODY, Links
from mailer.kit.orm import Localised
from mailer.kit.secrets import SealBroken
from mailer.kit.tokens import Purpose, varint
from mailer.kit.work import Work
from mailer.organisation import store as organisations
from mailer.organisation.model import Organisation
from mailer.outbox.model import DeliveryState
from mailer.signing import store as signing
from mailer.signing.dkim import Signatures
from mailer.subscribers.model import MailForm
from mailer.tiers import store as tiers
from mailer.tiers.model import Tier

_ASK_ANEW = timedelta(seconds=5)


class CannotSign(Conflict):
    """The key that signs our emails cannot be opened. Retire it and make another."""


async def signatures_of(work: Work, domain: str) -> Signatures:
    """Give what signs the mails of a domain. Refuses where a key cannot be opened.

    Going out unsigned would be the worse surprise, and so would be standing still without a word.
    """
    try:
        return await signing.current(work, domain)
    except SealBroken as broken:
        raise CannotSign from broken


class Mailing(msgspec.Struct, frozen=True):
    """A campaign, compiled, with what stands in every mail of it."""

    no: int
    list_no: int
    slug: str
    in_archive: bool
    compiled: content.CompiledCampaign
    fields: frozenset[str]  # that are merged in it
    # Of those: what only the readers see for whom an ask was chosen, by its number.
    of_best_asks: Mapping[int, frozenset[str]]
    sender: bytes  # of the envelope
    domain: str  # that signs
    list_name: Localised
    fallback: str  # the organisation's language
    ladder: Mapping[int, Tier]


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
    compiled = compiled or await composing.program(work, campaign, base=base)
    return Mailing(
        no=campaign.no,
        list_no=campaign.list_no or 0,
        slug=campaign.slug,
        in_archive=campaign.in_archive,
        compiled=compiled,
        fields=compiled.fields,
        of_best_asks=compiled.fields_of_best_asks,
        sender=bare_address(organisation.sender_address),
        domain=composing.sending_domain(organisation),
        list_name=mailing_list.name if mailing_list else {},
        fallback=organisation.language,
        ladder={tier.no: tier for tier in await tiers.ladder(work)},
    )


class Person(msgspec.Struct, frozen=True):
    """What a mail may say of the one who gets it."""

    no: int
    address: str
    first_name: str = ""
    last_name: str = ""
    city: str = ""
    language: str = "en"
    joined_at: datetime | None = None
    tier_no: int | None = None
    form: MailForm = MailForm.USUAL
    group: str = ""
    best_ask: int = 0  # that was chosen for them; 0: none was


class Desk:
    """Writes the mails of campaigns."""

    def __init__(self, *, base: str, namer: Namer) -> None:
        self._base = base
        self._namer = namer
        self._mailings: dict[int, Mailing] = {}
        self._at_stake: dict[int, tuple[datetime, list[promising.Promise]]] = {}
        # In octets, of the last mail of each campaign in each form.
        self._sizes: dict[tuple[int, MailForm], int] = {}

    def forget_all_but(self, running: Sequence[int]) -> None:
        """Let go of what was compiled for campaigns that do not run any more."""
        self._mailings = {no: kept for no, kept in self._mailings.items() if no in running}
        self._sizes = {of: kept for of, kept in self._sizes.items() if of[0] in running}
        self._at_stake = {no: kept for no, kept in self._at_stake.items() if no in running}

    async def errands(
        self, work: Work, campaign_no: int, claims: Sequence[Claim]
    ) -> tuple[list[Errand], list[Settled]]:
        """Turn claims into errands; and say what is to be written down about the others."""
        mailing = self._mailings.get(campaign_no) or await self._prepare(work, campaign_no)
        numbers = [claim.key.number for claim in claims]
        found = await people(work, numbers, with_groups="group" in mailing.fields)
        if mailing.of_best_asks:
            await _add_best_asks(work, campaign_no, found)
        pen = Pen(mailing, Links(self._base, work.signer, work.now))
        signatures = await signatures_of(work, mailing.domain)
        enough = await promising.had_enough_by_now(
            work, await self._promises(work, campaign_no), numbers
        )
        errands, settled = [], []
        for claim in claims:
            person = found.get(claim.key.number)
            if claim.key.number in enough:
                settled.append(_left_out(claim, Reason.OFTEN_ENOUGH))
                continue
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
                    may_have_dots=False,
                    domain=domain_of(recipient),
                    needs_utf8=needs_utf8(recipient),
                    size=self._sizes.get((campaign_no, person.form), 0),
                    write=signed(
                        functools.partial(self._write, pen, person, claim.key), signatures
                    ),
                )
            )
        return errands, settled

    async def _promises(self, work: Work, campaign_no: int) -> list[promising.Promise]:
        """Give the promises that a campaign might break, asked anew every few seconds."""
        asked_at, promises = self._at_stake.get(campaign_no, (None, []))
        if asked_at is None or work.now - asked_at > _ASK_ANEW:
            campaign = await campaigns.by_no(work, campaign_no)
            assert campaign is not None
            promises = await promising.at_stake(work, campaign)
            self._at_stake[campaign_no] = (work.now, promises)
        return promises

    def _write(self, pen: "Pen", person: Person, key: Key, now: float) -> bytes:
        message = pen.write(person, self._namer.name(key), now)
        self._sizes[key.campaign, person.form] = len(message)
        return message

    async def _prepare(self, work: Work, campaign_no: int) -> Mailing:
        campaign = await campaigns.by_no(work, campaign_no)
        assert campaign is not None
        prepared = await mailing(work, campaign, base=self._base)
        self._mailings[campaign_no] = prepared
        return prepared


def signed(write: Callable[[float], bytes], signatures: Signatures) -> Callable[[float], bytes]:
    """Have what is written begin with our signatures, if we sign."""
    if not signatures:
        return write

    def write_and_sign(now: float) -> bytes:
        message = write(now)
        return signatures.sign(message, now) + message

    return write_and_sign


def _unmailable(claim: Claim, person: Person | None) -> Settled:
    """Nobody is there any more, or the address cannot stand in a command."""
    if person is None:
        return _left_out(claim, Reason.ERASED)
    return Settled(
        key=claim.key,
        attempt=claim.attempt,
        state=DeliveryState.REFUSED,
        code=553,
        reply=Reason.BAD_ADDRESS.value,
    )


def _left_out(claim: Claim, why: Reason) -> Settled:
    return Settled(
        key=claim.key, attempt=claim.attempt, state=DeliveryState.SKIPPED, reply=why.value
    )


def writable(address: str) -> bytes | None:
    """Give an address as it stands in a command; None if it cannot stand there."""
    try:
        return bare_address(address) if address.isascii() else address_in_utf8(address)
    except content.Unmailable:
        return None


def needs_utf8(recipient: bytes) -> bool:
    """Say whether only servers that offer SMTPUTF8 can take it; domains are A-labels by now."""
    return not recipient.isascii()


def domain_of(recipient: bytes) -> str:
    """Give the domain of an address that stands in a command."""
    return recipient[recipient.rindex(b"@") + 1 :].decode().lower()


async def people(
    work: Work, numbers: Sequence[int], *, with_groups: bool = False
) -> dict[int, Person]:
    """Read what mails may say of these people, in a statement or two for all of them."""
    found = {
        one[0]: Person(*one)  # type: ignore[arg-type]  # the statement asks for an address
        for one in await tiers.people_for_mail(work, numbers)
    }
    if with_groups:
        for no, theirs in (await groups.of_many(work, numbers)).items():
            if no in found and theirs:
                found[no] = msgspec.structs.replace(found[no], group=theirs[0].name)
    return found


async def _add_best_asks(work: Work, campaign_no: int, found: dict[int, Person]) -> None:
    """Say of each person which ask was chosen for them."""
    for no, ask_no in (await offers.offered(work, campaign_no, found)).items():
        found[no] = msgspec.structs.replace(found[no], best_ask=ask_no)


Say = Callable[[Person], str]
Make = Callable[[bytes], bytes]
"""Makes a link for a person, whose number is given as the octets that tokens have of it."""

_ANSWERS = {
    "pledge": Purpose.ASK,
    "done": Purpose.ASK_DONE,
    "help": Purpose.ASK_HELP,
    "decline": Purpose.ASK_DECLINE,
}

_STEPS = {"link.tier.up": 1, "link.tier.down": -1}

_LONGEST_TOKEN = "A" * 44  # 16 octets and three numbers below 2**35


class Pen:
    """Writes one campaign's mails of one claim: what is the same in all of them is made once."""

    def __init__(self, mailing: Mailing, links: Links) -> None:
        self._fill = mailing.compiled.fill
        self._mailing = mailing
        self._links = links
        self._unsubscribe = links.maker(
            Purpose.UNSUBSCRIBE, subject=mailing.list_no, cause=mailing.no
        )
        self._pages: dict[str, str] = {}
        self._makers: list[tuple[str, Make]] = []
        # A reader has links for their own ask alone: each is signed for them.
        self._makers_of: dict[int, list[tuple[str, Make]]] = {}
        # One rung up or down is another for each level: by the number of the level. From where
        # there is none it leads to the preferences, which show the whole ladder.
        self._preferences = links.maker(Purpose.PREFERENCES, cause=mailing.no)
        self._steps: list[tuple[str, Mapping[int, Make]]] = []
        self._fields: list[tuple[str, Say]] = []
        ask_of = {field: ask for ask, theirs in mailing.of_best_asks.items() for field in theirs}
        for field in mailing.fields:
            self._prepare(field, ask_of.get(field, 0))
        self._slugs = {no: tier.slug for no, tier in mailing.ladder.items()}
        # An address of ours that is very long, or of this machine, takes the careful way.
        self._is_plain = content.is_plain_url(links.page(f"/l/{_LONGEST_TOKEN}")) is not None

    def write(self, person: Person, name: str, now: float) -> bytes:
        """Write one person's mail; `name` is the local part of its Message-ID."""
        number = varint(person.no)
        values = {field: say(person) for field, say in self._fields}
        links = {field: make(number) for field, make in self._makers}
        for field, makers in self._steps:
            links[field] = makers.get(person.tier_no or 0, self._preferences)(number)
        if person.best_ask:
            links |= {f: make(number) for f, make in self._makers_of.get(person.best_ask, ())}
        unsubscribe = self._unsubscribe(number)
        links["link.unsubscribe"] = unsubscribe
        values.update(self._pages)
        if not self._is_plain:
            values.update({field: link.decode() for field, link in links.items()})
            links = {}
        reader = content.Reader(
            address=person.address,
            message_id=name,
            unsubscribe_url=unsubscribe.decode(),
            facts=content.Facts(
                tier=self._slugs.get(person.tier_no or 0, ""), best_ask=person.best_ask
            ),
            values=values,
            links=links,
            form=person.form,
        )
        return self._fill(reader, person.language, now)

    def _prepare(self, field: str, ask: int) -> None:
        """Find how a field is said; what is not built yet has nothing to say.

        One that stands only in what readers see for whom an `ask` was chosen is kept for those.
        """
        say: dict[str, Say] = {
            "first_name": lambda person: person.first_name,
            "last_name": lambda person: person.last_name,
            "city": lambda person: person.city,
            "group": lambda person: person.group,
            "tier": lambda person: self._of_tier(person, "name"),
            "tier_promise": lambda person: self._of_tier(person, "often"),
            "joined": lambda person: said_date(person.joined_at, person.language),
            "list": lambda person: _in(self._mailing.list_name, self._mailing, person),
        }
        if field in say:
            self._fields.append((field, say[field]))
        elif field in {"link.web", "link.forward"}:
            # A copy without tokens; what is not in the archive leads to where one may join.
            in_archive = self._mailing.in_archive
            self._pages[field] = self._links.page(
                f"/n/{self._mailing.slug}" if in_archive else "/join"
            )
        elif field in _STEPS:
            self._steps.append((field, self._one_step(_STEPS[field])))
        elif make := self._maker(field.removeprefix("link.")):
            (self._makers_of.setdefault(ask, []) if ask else self._makers).append((field, make))

    def _maker(self, what: str) -> Make | None:
        links, no = self._links, self._mailing.no
        if what == "preferences":
            return self._preferences
        if what == "pause":
            return links.maker(Purpose.PAUSE, cause=no)
        if what == "read":
            return links.maker(Purpose.READ, subject=no, cause=no)
        if what.startswith("ask."):
            _ask, ask_no, answer = what.split(".")
            return links.maker(_ANSWERS[answer], subject=int(ask_no), cause=no)
        for tier in self._mailing.ladder.values():
            if what == f"tier.{tier.slug}":
                return links.maker(Purpose.TIER, subject=tier.no, cause=no)
        return None

    def _one_step(self, steps: int) -> Mapping[int, Make]:
        """Give by the level where somebody stands what makes their link one rung up or down.

        Whoever has chosen none yet (0) stands below the lowest.
        """
        nos = [0, *self._mailing.ladder]
        return {
            no: self._links.maker(Purpose.TIER, subject=nos[at + steps], cause=self._mailing.no)
            for at, no in enumerate(nos)
            if 0 < at + steps < len(nos)
        }

    def _of_tier(self, person: Person, which: str) -> str:
        tier = self._mailing.ladder.get(person.tier_no or 0)
        return _in(getattr(tier, which), self._mailing, person) if tier else ""


def _in(text: Localised, mailing: Mailing, person: Person) -> str:
    return in_language(text, person.language, mailing.fallback)


def letter_brand(organisation: Organisation) -> content.LetterBrand:
    """Give how the organisation looks in its letters."""
    return content.LetterBrand(
        name=organisation.name,
        address=organisation.postal_address,
        accent=organisation.colour,
    )


def said_date(moment: datetime | None, language: str) -> str:
    """Say a day in somebody's language."""
    return _said_date(moment.date(), language) if moment else ""


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
    *,
    address: str,
    first_name: str,
    language: str,
    tier: Tier | None,
    joined_at: datetime,
    best_ask: int = 0,
) -> Person:
    """Make the reader of a test: their links open a page that says so, and do nothing."""
    return Person(
        no=NOBODY,
        address=address,
        first_name=first_name,
        language=language,
        joined_at=joined_at,
        tier_no=tier.no if tier else None,
        best_ask=best_ask,
    )
