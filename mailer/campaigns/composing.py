"""Composing: what a campaign says and to whom, until it is reviewed.

Words are kept as revisions, which are only ever added: what was sent can always be read again.
"""

import asyncio
import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence

import msgspec

from mailer import content
from mailer.asks.model import Ask
from mailer.audit import actions as audit
from mailer.campaigns import asking, linking, store
from mailer.campaigns.model import Campaign, CampaignState, Kind, OnDoubt, Revision
from mailer.consent import store as consent
from mailer.consent.model import MailingList
from mailer.content import headers, markdown, merge
from mailer.content import words as our_words
from mailer.kit.errors import Conflict, Invalid, Refusal
from mailer.kit.i18n import LANGUAGES, _, in_language, speaking
from mailer.kit.ids import new_uid, slug
from mailer.kit.texts import lines
from mailer.kit.work import Work
from mailer.organisation import store as organisations
from mailer.organisation.model import Organisation
from mailer.segments import store as segments
from mailer.tiers import store as tiers

Words = Mapping[str, Mapping[str, str]]
"""Language to `subject`, `headline`, `preheader` and `markdown`."""

PARTS = ("subject", "headline", "preheader", "markdown")
_NEEDED = ("subject", "headline", "markdown")
_LONGEST = {"subject": 250, "headline": 250, "preheader": 250, "markdown": 100_000}


class CampaignUnnamed(Invalid):
    """Give the campaign a name, so that the other organisers know which one it is."""


class AlertUnexplained(Invalid):
    """Say why it cannot wait: the words stand in the email."""


class NotADraft(Conflict):
    """Only a draft can be changed. Bring the campaign back to draft first."""


class WrittenMeanwhile(Conflict):
    """Somebody saved other words after you opened these. Save again to put yours in their place."""


class LanguageUnknown(Invalid):
    """A campaign cannot be written in %(language)s yet."""


class TooLong(Invalid):
    """This is too long. It may have %(longest)s characters."""


class NothingWritten(Invalid):
    """Nothing has been written yet. A campaign needs a subject, a headline and a text."""


class HalfWritten(Invalid):
    """A language that has a text needs a subject and a headline too, or its text taken out."""


class ListUnknown(Invalid):
    """Choose one of the lists."""


class TierUnknown(Invalid):
    """Choose among the levels of the ladder."""


class SegmentMissing(Invalid):
    """Choose one of the segments."""


class AudienceGiven(Conflict):
    """A correction goes to those who got the first. Write a campaign of its own to reach others."""


class SenderUnknown(Conflict):
    """Nothing can be sent yet. First say who you are: name, postal address, sender address."""


async def begin(work: Work, *, name: str, kind: Kind = Kind.NEWSLETTER) -> Campaign:
    """Begin a draft that says nothing and goes to nobody."""
    name = " ".join(name.split())[:200]
    if not name:
        raise CampaignUnnamed(field="name")
    campaign = Campaign(
        uid=new_uid(),
        slug=await _free_slug(work, name),
        kind=kind,
        name=name,
        state=CampaignState.DRAFT,
        # An alert must arrive, even twice; of a newsletter two are worse than a question.
        on_doubt=OnDoubt.RESEND if kind is Kind.ALERT else OnDoubt.HOLD,
        made_at=work.now,
        made_by=work.account,
    )
    work.session.add(campaign)
    await work.session.flush()
    await audit.note(work, "campaign_begun", campaign=campaign.no)
    return campaign


async def begin_alert(work: Work, *, name: str, why: str) -> Campaign:
    """Begin an alert: it may exceed what levels promise, and its mails say why."""
    why = lines(why, longest=300, field="why_urgent")
    if not why:
        raise AlertUnexplained(field="why_urgent")
    campaign = await begin(work, name=name, kind=Kind.ALERT)
    campaign.why_urgent = why
    return campaign


async def _free_slug(work: Work, name: str) -> str:
    wanted = slug(name)
    taken = await store.slugs_like(work, wanted)
    number, free = 1, wanted
    while free in taken:
        number += 1
        free = f"{wanted}-{number}"
    return free


async def revise(
    work: Work, campaign: Campaign, *, words: Words, opened: Words | None = None
) -> Revision:
    """Keep what was written as a new revision; the same words again are no new revision.

    A draft may be half written. What is there is looked at now: a refusal names the part, the
    language and, in the text, the line. Who says which words they `opened` is refused if somebody
    else has changed the same language since.
    """
    await _hold_draft(work, campaign)
    document = _cleaned(words)
    for language, parts in document.items():
        for part, text in parts.items():
            _look_at(language, part, text)
    await linking.ask_for_answers(work, campaign, document)
    digest = hashlib.blake2b(
        msgspec.json.encode(document, order="deterministic"), digest_size=16
    ).hexdigest()
    standing = await store.newest_revision(work, campaign)
    if standing is not None and standing.digest == digest:
        return standing
    if standing is not None and opened is not None:
        _ask_for_other_writers(document, standing.document, opened)
    revision = Revision(
        campaign_no=campaign.no,
        document=document,
        digest=digest,
        made_at=work.now,
        made_by=work.account,
    )
    work.session.add(revision)
    await work.session.flush()
    campaign.revision_no = revision.no
    return revision


async def _hold_draft(work: Work, campaign: Campaign) -> None:
    """Keep others from moving a campaign; refuse what is, as it is now, no draft any more.

    Who waited here for a freezing would else write into what was reviewed.
    """
    await store.hold(work, campaign)
    if not campaign.is_editable:
        raise NotADraft


def _ask_for_other_writers(document: Words, standing: Words, opened: Words) -> None:
    for language in LANGUAGES:
        theirs = standing.get(language)
        if theirs not in (opened.get(language), document.get(language)):
            raise WrittenMeanwhile(language=language)


def _cleaned(words: Words) -> dict[str, dict[str, str]]:
    document: dict[str, dict[str, str]] = {}
    for language, parts in words.items():
        if language not in LANGUAGES:
            raise LanguageUnknown(language=language, field="language")
        said = {part: parts.get(part, "").replace("\r\n", "\n").strip() for part in PARTS}
        for part, text in said.items():
            if len(text) > _LONGEST[part]:
                raise TooLong(longest=_LONGEST[part], field=part, language=language)
        if any(said.values()):
            document[language] = said
    return document


def _look_at(language: str, part: str, text: str) -> None:
    """Read merge fields and Markdown as compiling will, and say where something is wrong."""
    try:
        _read(language, part, text)
    except Refusal as refusal:
        refusal.facts |= {"field": part, "language": language}
        if part == "markdown":
            refusal.facts["line"] = _line_of_fault(language, text)
        raise


def _read(language: str, part: str, text: str) -> None:
    slots = merge.Slots("00000000", our_words.neutral_words(language))
    marked = slots.place_all(text)
    if part == "markdown":
        markdown.to_html(marked)


def _line_of_fault(language: str, text: str) -> int:
    """Find the first line up to which the text is refused."""
    lines = text.split("\n")
    fair, unfair = 0, len(lines)
    while unfair - fair > 1:  # what stands above a fault is fair, so halving finds it
        middle = (fair + unfair) // 2
        try:
            _read(language, "markdown", "\n".join(lines[:middle]))
        except Refusal:
            unfair = middle
        else:
            fair = middle
    return unfair


async def choose_audience(
    work: Work,
    campaign: Campaign,
    *,
    list_no: int | None,
    to_everybody: bool,
    tier_nos: Sequence[int],
    segment_no: int | None = None,
    on_doubt: OnDoubt | None = None,
    in_archive: bool | None = None,
) -> Campaign:
    """Choose who gets it: a list, and of those on it everybody, some tiers, or a segment.

    None of the three is nobody: "everybody" is a choice that somebody makes, and goes before the
    others; a segment goes before tiers. What else is None stays as it is. Of a correction, whose
    people are given, only the rest can be chosen.
    """
    await _hold_draft(work, campaign)
    if campaign.corrects_no is not None and (
        list_no != campaign.list_no or tier_nos or segment_no or not to_everybody
    ):
        raise AudienceGiven(field="list")
    if list_no is not None and await consent.list_by_no(work, list_no) is None:
        raise ListUnknown(field="list")
    known = {tier.no for tier in await tiers.ladder(work)}
    if not known.issuperset(tier_nos):
        raise TierUnknown(field="tier")
    if segment_no is not None:
        segment = await segments.by_no(work, segment_no)
        if segment is None or (segment.closed_at and segment_no != campaign.segment_no):
            raise SegmentMissing(field="segment")
    campaign.list_no = list_no
    campaign.to_everybody = to_everybody
    campaign.segment_no = None if to_everybody else segment_no
    campaign.tier_nos = [] if to_everybody or segment_no else sorted(set(tier_nos))
    campaign.on_doubt = on_doubt or campaign.on_doubt
    campaign.in_archive = campaign.in_archive if in_archive is None else in_archive
    await work.session.flush()
    return campaign


async def choose_ask(
    work: Work, campaign: Campaign, *, ask_no: int | None = None, best: bool = False
) -> Campaign:
    """Choose what stands below the text: nothing, one ask for all, or each reader's own best one.

    Which one is best for whom is decided when the campaign is frozen (`asks.choosing`).
    """
    await _hold_draft(work, campaign)
    ask_no = None if best else ask_no
    if ask_no is not None and ask_no != campaign.ask_no:
        await asking.open_ask(work, ask_no)
    campaign.ask_no, campaign.best_ask = ask_no, best
    await work.session.flush()
    return campaign


async def rename(work: Work, campaign: Campaign, *, name: str) -> Campaign:
    """Give a draft another name; its page in the archive keeps its address."""
    await _hold_draft(work, campaign)
    name = " ".join(name.split())[:200]
    if not name:
        raise CampaignUnnamed(field="name")
    campaign.name = name
    await work.session.flush()
    return campaign


# --- from words to a mail -------------------------------------------------------------------------


async def newsletter(
    work: Work,
    campaign: Campaign,
    revision: Revision,
    *,
    base: str,
    offered: Sequence[Ask] | None = None,
) -> content.Newsletter:
    """Join what was written with the brand and the ladder; refuses what is not wholly written.

    `base` is the public address of the pages, where pictures come from; `offered` are its asks,
    where they were read already.
    """
    organisation = await organisations.the_one(work)
    texts = _texts(revision)
    if campaign.why_urgent:
        texts["markdown"] = {
            language: f"{_why_urgent(language, campaign.why_urgent)}\n\n{said}"
            for language, said in texts["markdown"].items()
        }
    letter = content.newsletter_of(
        subject=texts["subject"],
        headline=texts["headline"],
        preheader=texts["preheader"],
        markdown=texts["markdown"],
        brand=content.Brand(
            name={organisation.language: organisation.name},
            address={organisation.language: organisation.postal_address},
            media=f"{base.rstrip('/')}/static/",
            accent=organisation.colour,
        ),
        asking=await asking.block_of(work, campaign, tuple(texts["markdown"]), offered),
        ladder=tuple(
            [
                content.Rung(
                    tier=tier.slug,
                    name=tier.name,
                    promise=tier.often,
                    on_request=tier.needs_approval,
                )
                for tier in await tiers.ladder(work)
            ]
        ),
    )
    return _asking_for_word(letter) if campaign.is_urgent else letter


def _asking_for_word(alert: content.Newsletter) -> content.Newsletter:
    """Let the readers of an alert say that they have read it."""
    label = {language: our_words.have_read(language) for language in alert.languages}
    button = content.Button(label=label, url="{{ link.read }}")
    return msgspec.structs.replace(alert, blocks=(*alert.blocks, button))


def _why_urgent(language: str, why: str) -> str:
    with speaking(language):
        said = _("This email is beyond what your level promises, because it cannot wait.")
        return f"**{said}** {why}"


def _texts(revision: Revision) -> dict[str, dict[str, str]]:
    document: dict[str, dict[str, str]] = revision.document
    written = {language: said for language, said in document.items() if said["markdown"]}
    if not written:
        raise NothingWritten(field="markdown")
    for language, said in written.items():
        for part in _NEEDED:
            if not said[part]:
                raise HalfWritten(field=part, language=language)
    texts = {part: {language: said[part] for language, said in written.items()} for part in PARTS}
    if any(texts["preheader"].values()):
        # Else a language without a preview line would show another's.
        texts["preheader"] = {
            language: said or written[language]["headline"]
            for language, said in texts["preheader"].items()
        }
    return texts


async def program(
    work: Work,
    campaign: Campaign,
    *,
    base: str,
    revision: Revision | None = None,
    offered: Sequence[Ask] | None = None,
    subject: Callable[[str, str], str] | None = None,
) -> content.CompiledCampaign:
    """Compile what a campaign says (its newest revision, or another) and prove it.

    `offered` are its asks, where they were read already: what is frozen is what was proven.
    `subject` may change the subject of each language, as a test does. The compiling runs in a
    thread of its own, and not again for the same words and brand.
    """
    revision = revision or await store.newest_revision(work, campaign)
    if revision is None:
        raise NothingWritten(field="markdown")
    organisation = await organisations.the_one(work)
    if not organisation.may_send:
        raise SenderUnknown
    mailing_list = await consent.list_by_no(work, campaign.list_no) if campaign.list_no else None
    letter = await newsletter(work, campaign, revision, base=base, offered=offered)
    if subject is not None:
        changed = {language: subject(language, said) for language, said in letter.subject.items()}
        letter = msgspec.structs.replace(letter, subject=changed)
    return await asyncio.to_thread(compiled, envelope(campaign, organisation, mailing_list), letter)


def envelope(
    campaign: Campaign, organisation: Organisation, mailing_list: MailingList | None
) -> content.Envelope:
    """Say what is the same in every mail of a campaign.

    Message-IDs and the List-Id are in the domain of the sender's address, which is ours for sure:
    the public address may be a number.
    """
    domain = sending_domain(organisation)
    name = in_language(mailing_list.name, organisation.language) if mailing_list else ""
    return content.Envelope(
        from_name=organisation.sender_name or organisation.name,
        from_address=organisation.sender_address,
        domain=domain,
        list_name=name,
        list_id=f"{mailing_list.slug if mailing_list else 'list'}.{domain}",
        campaign=str(campaign.no),
        kind=campaign.kind.value,
        reply_to=organisation.reply_to or None,
    )


def sending_domain(organisation: Organisation) -> str:
    """Give the domain of the sender's address as it is written on the wire."""
    address = headers.bare_address(organisation.sender_address).decode()
    return address.rpartition("@")[2].lower()


def compiled(
    envelope: content.Envelope, newsletter: content.Newsletter
) -> content.CompiledCampaign:
    """Compile, or give what was compiled for the same input before."""
    return _compiled(
        msgspec.json.encode(envelope, order="deterministic"),
        msgspec.json.encode(newsletter, order="deterministic"),
    )


@functools.lru_cache(maxsize=16)
def _compiled(envelope: bytes, newsletter: bytes) -> content.CompiledCampaign:
    return content.compile_campaign(
        msgspec.json.decode(envelope, type=content.Envelope),
        msgspec.json.decode(newsletter, type=content.Newsletter),
    )
