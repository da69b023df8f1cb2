"""A newsletter as a reader will get it: in a sandboxed frame, and as words beside the form.

The frame's document has a policy of its own: that of the other pages would forbid an email's inline
styles, and the email must be able to do nothing at all. What is typed and not saved yet is shown by
posting the form into the frame. So nothing half-written is kept anywhere, neither as a revision nor
in a memory that a second web process would not have; and it works without scripts.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Response
from litestar.enums import MediaType
from litestar.response import Template

from mailer.campaigns import composing
from mailer.campaigns.model import Campaign, Revision
from mailer.consent import store as consent
from mailer.content.blocks import Facts, Newsletter
from mailer.content.message import Reader
from mailer.content.previews import Preview, preview
from mailer.kit.errors import Refusal
from mailer.kit.i18n import LANGUAGES, _, in_language, speaking
from mailer.kit.work import Work
from mailer.tiers import store as tiers
from mailer.tiers.model import Tier
from web.admin.telling import day, language_name, number, said

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; sandbox;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
HEADERS = {"content-security-policy": POLICY, "cache-control": "no-store"}

NAMES: Mapping[str, tuple[str, str]] = {
    "known": ("Farida", "Rahman"),
    "unknown": ("", ""),
    "awkward": ("Maria-Zoë “Zee” <O’Brien> & Co", '"Müller-O\'Neill" <b>'),
}
"""First and last names of readers who do not exist; the last shows that a name is only words."""


class Sample(msgspec.Struct, frozen=True):
    """A reader who does not exist: the level they are on, and what we know of their name."""

    tier: Tier | None
    name: str


async def sample(work: Work, *, tier: str, name: str) -> Sample:
    """Choose the reader that was asked for; on the highest self-chosen level unless one was."""
    ladder = await tiers.ladder(work)
    chosen = next((one for one in ladder if one.slug == tier), None)
    usual = [one for one in ladder if not one.needs_approval] or list(ladder)
    return Sample(chosen or (usual[-1] if usual else None), name if name in NAMES else "known")


async def choices(work: Work, of: Sample) -> dict[str, Any]:
    """Give what can be chosen about the reader, and what is."""
    return {
        "tiers": [(one.slug, in_language(one.name)) for one in await tiers.ladder(work)],
        "names": [
            ("known", _("known")),
            ("unknown", _("not known to us")),
            ("awkward", _("long and full of signs")),
        ],
        "tier": of.tier.slug if of.tier else "",
        "name": of.name,
    }


class Seen(msgspec.Struct, frozen=True):
    """A newsletter, and how it looks to one reader."""

    newsletter: Newsletter
    preview: Preview


async def see(
    work: Work, campaign: Campaign, revision: Revision, code: str, of: Sample, *, base: str
) -> Seen:
    """Fill what was written for a reader who does not exist. Refuses what cannot be sent so."""
    newsletter = await composing.newsletter(work, campaign, revision, base=base)
    mailing_list = await consent.list_by_no(work, campaign.list_no) if campaign.list_no else None
    with speaking(code):
        reader = _reader(
            of,
            code,
            list_name=in_language(mailing_list.name) if mailing_list else "",
            best_ask=newsletter.first_best_ask,
            work=work,
        )
    # Making the HTML takes some ten milliseconds of pure work, too long for the loop.
    return Seen(newsletter, await asyncio.to_thread(preview, newsletter, code, reader))


def _reader(of: Sample, code: str, *, list_name: str, best_ask: int, work: Work) -> Reader:
    first, last = NAMES[of.name]
    values = {"first_name": first, "last_name": last, "list": list_name, "joined": day(work.now)}
    if of.name != "unknown":
        values |= {"city": "Leeds", "group": "Northgate Trades Council"}
    if of.tier:
        values["tier"] = in_language(of.tier.name, code)
        values["tier_promise"] = in_language(of.tier.often, code)
    return Reader(
        address="farida@example.org",
        message_id="preview",
        unsubscribe_url="https://preview.invalid/unsubscribe",
        facts=Facts(tier=of.tier.slug if of.tier else "", best_ask=best_ask),
        values=values,
    )


def document(html: str) -> Response[str]:
    """Answer with an email as a document that can do nothing."""
    return Response(html, media_type=MediaType.HTML, headers=HEADERS)


def unshown(refusal: Refusal) -> Template:
    """Answer, in the frame, why there is nothing to show."""
    return Template(
        "admin/campaigns/unshown.html", context={"words": said(refusal)}, headers=HEADERS
    )


class Sketch(msgspec.Struct, frozen=True):
    """What is said about a text: whether it could go, and how it reads without pictures."""

    checks: list[tuple[str, str, str]]  # kind, title, words
    text: str = ""


def sketched(seen: Seen) -> Sketch:
    """Say what a filled newsletter lacks, and what it does not."""
    newsletter, found = seen.newsletter, seen.preview
    checks = [("warn", fault, "") for fault in found.faults]
    checks += [
        (
            "off",
            _("Not written in %(language)s") % {"language": language_name(code)},
            _("Its readers get the text in %(language)s.")
            % {"language": language_name(newsletter.languages[0])},
        )
        for code in LANGUAGES
        if code not in newsletter.languages
    ]
    if not found.faults:
        size = number(max(1, len(found.html.encode()) // 1000))
        checks.append(
            ("ok", _("%(size)s kB, under the 102 kB at which Gmail cuts") % {"size": size}, "")
        )
        checks.append(("ok", _("The ways to pause, to change and to leave are in it"), ""))
    return Sketch(checks, found.text)


def unsketched(refusal: Refusal) -> Sketch:
    """Say why there is nothing to fill yet."""
    return Sketch([("danger", said(refusal), "")])
