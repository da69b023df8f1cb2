"""Past newsletters, as anybody may read them: no token, and nobody's data."""

from typing import Any

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, SkipValidation
from litestar.response import Template
from litestar.types import ControllerRouterHandler
from markupsafe import Markup

from mailer import content
from mailer.asks import store as asks
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign, Revision
from mailer.content.webtext import web_line
from mailer.kit import i18n
from mailer.kit.errors import NotFound
from mailer.kit.i18n import in_language
from mailer.kit.work import Work
from web.kit.pages import page
from web.kit.security import public
from web.kit.sessions import Asked
from web.public.words import day, prose

BEFORE = 5  # earlier newsletters that stand beside one


class NotInArchive(NotFound):
    """There is no such newsletter to read here."""


class AskToRead(msgspec.Struct, frozen=True):
    """What a newsletter asked of everybody who got it, without its buttons."""

    effort: str
    title: str
    text: Markup


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """One newsletter in one language."""

    slug: str
    language: str
    dir: str
    day: str
    headline: str
    preheader: str
    body: Markup
    ask: AskToRead | None
    others: list[tuple[str, str]]  # the other languages that it was written in


@get("/n", opt=public)
async def newsletters(request: Asked, work: NamedDependency[SkipValidation[Work]]) -> Template:
    """List the newsletters, newest first."""
    issues = await _listed(work, list(await campaigns.archive(work)))
    return page(request, "public/archive/list.html", issues=issues)


@get("/n/{slug:str}", opt=public)
async def newsletter(
    request: Asked,
    work: NamedDependency[SkipValidation[Work]],
    slug: FromPath[str],
    language: FromQuery[str] = "",
) -> Template:
    """Show one newsletter, in the reader's language if it was written in it."""
    published = list(await campaigns.archive(work))
    at = next((no for no, one in enumerate(published) if one.slug == slug), None)
    revision = None if at is None else await campaigns.newest_revision(work, published[at])
    if at is None or revision is None:
        raise NotInArchive
    before = await _listed(work, published[at + 1 : at + 1 + BEFORE])
    issue = _issue(published[at], revision, language)
    chosen = published[at].best_ask
    demanded = await asks.demands_offered(work, published[at].no) if chosen else []
    return page(
        request,
        "public/archive/issue.html",
        issue=issue,
        before=before,
        demanded=[(in_language(one.title), f"/demands/{one.uid}") for one in demanded],
    )


def _issue(campaign: Campaign, revision: Revision, wanted: str) -> Issue:
    language, words = _in_a_language(revision, wanted)
    return Issue(
        slug=campaign.slug,
        language=language,
        dir=i18n.direction(language),
        day=_sent_on(campaign),
        headline=_headline(words, language),
        preheader=web_line(words["preheader"], language),
        body=prose(words["markdown"], language),
        ask=_ask(campaign, language),
        others=[(code, i18n.own_name(code)) for code in _written(revision) if code != language],
    )


def _ask(campaign: Campaign, language: str) -> AskToRead | None:
    """Give the ask that was the same for all: to whoever reads this by a mail that was passed on.

    One that was chosen for each reader is nobody else's.
    """
    asked = [] if campaign.best_ask else msgspec.convert(campaign.asked, type=list[content.Ask])
    if not asked:
        return None
    [ask] = asked
    return AskToRead(
        effort=in_language(ask.effort, language),
        title=in_language(ask.title, language),
        text=prose(in_language(ask.markdown, language), language),
    )


async def _listed(work: Work, published: list[Campaign]) -> list[tuple[str, str, str]]:
    """Name newsletters, where they are read, and when they were sent."""
    listed = []
    for campaign in published:
        revision = await campaigns.newest_revision(work, campaign)
        if revision is not None:
            language, words = _in_a_language(revision, "")
            headline = _headline(words, language)
            listed.append((headline, f"/n/{campaign.slug}", _sent_on(campaign)))
    return listed


def _written(revision: Revision) -> dict[str, dict[str, Any]]:
    return {code: words for code, words in revision.document.items() if words["markdown"].strip()}


def _in_a_language(revision: Revision, wanted: str) -> tuple[str, dict[str, Any]]:
    """Choose the language: the one asked for, else the reader's, else the first it has."""
    written = _written(revision)
    if not written:
        raise NotInArchive
    spoken = i18n.language.get()
    language = next((code for code in (wanted, spoken) if code in written), next(iter(written)))
    return language, written[language]


def _headline(words: dict[str, Any], language: str) -> str:
    return web_line(words["headline"] or words["subject"], language)


def _sent_on(campaign: Campaign) -> str:
    sent = campaign.started_at or campaign.send_at
    return day(sent) if sent else ""


HANDLERS: list[ControllerRouterHandler] = [
    newsletters,
    newsletter,
]
