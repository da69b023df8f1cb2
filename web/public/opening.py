"""Opening a link: whose it is, what it may do, and what is shown when it leads nowhere.

The page of a link shows nothing that a stranger must not see, because mails get passed on: the
address is masked, and there is no name, no history, no list of what somebody cares about. Only a
fresh private link shows a person to themselves.
"""

import dataclasses
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from litestar.response import Template
from litestar.response.base import Response

from mailer.asks import fresh_links
from mailer.kit import i18n
from mailer.kit.addresses import masked
from mailer.kit.i18n import _
from mailer.kit.links import NOBODY, Links
from mailer.kit.tokens import LIVES, Claim, LinkExpired, LinkUnknown, Purpose
from mailer.kit.work import Door, Work
from mailer.subscribers import pausing
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import Subscriber
from mailer.tiers import store as tiers
from web.kit.pages import page
from web.kit.sessions import Asked, Notice
from web.public.words import Level, day, levels_of

Answer = Response[Any] | Template


PAUSE_DAYS = pausing.PAUSE_DAYS

JUST_NOW = timedelta(minutes=10)
"""So long is the page after an answer read by whoever gave it."""


class LinkOfATest(LinkUnknown):
    """This link comes from a test: it belongs to nobody and does nothing."""


class OwnerGone(LinkUnknown):
    """Whoever this link was made for is no longer on the roll."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Opened:
    """A link that somebody opened, and the person it was made for."""

    request: Asked
    work: Work
    token: str
    claim: Claim
    subscriber: Subscriber

    @property
    def cause(self) -> int | None:
        """Give the campaign that the link stood in, if it was one."""
        return self.claim.cause or None

    @property
    def here(self) -> str:
        """Give the path of this page."""
        leaving = self.claim.purpose is Purpose.UNSUBSCRIBE
        return f"/u/{self.token}" if leaving else f"/l/{self.token}"

    @property
    def pause_ends(self) -> datetime:
        """Give the day when a break that begins now is over."""
        return self.work.now + timedelta(days=PAUSE_DAYS)

    @property
    def noted(self) -> str:
        """Give the path of the page that thanks for an answer, whatever was answered before."""
        return f"{self.here}/noted"

    def is_just_now(self, moment: datetime) -> bool:
        """Say whether something happened on the way to this page."""
        return self.work.now - moment < JUST_NOW

    def link(self, purpose: Purpose, subject: int = 0) -> str:
        """Make the path of another link for the same person; it remembers the same campaign.

        It runs out with this one, or before: else whoever was passed a mail could go from page to
        page for ever.
        """
        return self._path(purpose, subject, self.claim.expires_at)

    def undo(self, purpose: Purpose, subject: int = 0) -> str:
        """Make the path of the undo of what this very request did, for as long as it may be."""
        return self._path(purpose, subject, None)

    def _path(self, purpose: Purpose, subject: int, until: datetime | None) -> str:
        return Links("", self.work.signer, self.work.now).to(
            purpose, self.subscriber.no, subject=subject, cause=self.claim.cause, until=until
        )

    def page(self, template: str, *, status: int = 200, **context: Any) -> Template:
        """Answer with a page that knows what every page of a link knows."""
        until = self.claim.expires_at
        known = {
            "path": self.here,  # where a choice of language leads back to, also after a POST
            "masked": masked(self.subscriber.address or ""),
            "token": self.token,
            "until": day(until) if until else None,
            "preferences": self.link(Purpose.PREFERENCES),
        }
        return page(self.request, template, status=status, **{**known, **context})

    async def ladder(self) -> tuple[list[Level], Level | None]:
        """Give the levels, lowest first, and the one that holds."""
        levels = levels_of(await tiers.ladder(self.work))
        chosen = await tiers.chosen(self.work, self.subscriber.no)
        return levels, next((one for one in levels if chosen and one.no == chosen.no), None)


async def opened(request: Asked, work: Work, token: str, *purposes: Purpose) -> Opened:
    """Read a link and find whose it is; refuse if it leads nowhere.

    What is done through it came in by a mail, whatever page it is done on.
    """
    claim = work.signer.read(token, *purposes, now=work.now)
    if claim.subscriber == NOBODY:
        raise LinkOfATest
    subscriber = await owner_of(work, claim)
    if subscriber is None:
        raise OwnerGone
    speak_as(request, subscriber)
    by_mail = dataclasses.replace(work, door=Door.EMAIL)
    return Opened(request=request, work=by_mail, token=token, claim=claim, subscriber=subscriber)


async def owner_of(work: Work, claim: Claim) -> Subscriber | None:
    """Find whom a link was made for; None once they were erased."""
    subscriber = await subscribers.by_no(work, claim.subscriber)
    return None if subscriber is None or subscriber.erased_at else subscriber


def speak_as(request: Asked, subscriber: Subscriber) -> None:
    """Speak the language of their mails, unless they chose another for pages."""
    if "language" not in request.cookies:
        i18n.language.set(i18n.known(subscriber.language))


async def at_the_door(
    request: Asked,
    work: Work,
    token: str,
    then: Callable[[Opened], Awaitable[Answer]],
    *purposes: Purpose,
    gone: Callable[[Asked], Template] | None = None,
) -> Answer:
    """Open a link and go on; where it leads nowhere, say so and what can be done.

    A forged link, a mangled one, one of another kind and one of somebody who is gone get the same
    page, to the letter.
    """
    try:
        return await then(await opened(request, work, token, *purposes))
    except LinkOfATest:
        return page(request, "public/links/test.html")
    except LinkExpired as refusal:
        return await _expired(request, work, token, claim_of(refusal))
    except OwnerGone:
        return (gone or leads_nowhere)(request)
    except LinkUnknown:
        return leads_nowhere(request)


def leads_nowhere(request: Asked) -> Template:
    """Say that a link is not one of ours, and how to get one."""
    return page(request, "public/links/unknown.html", status=404)


def claim_of(refusal: LinkExpired) -> Claim:
    """Give what a link said that has run out."""
    claim = refusal.facts["claim"]
    assert isinstance(claim, Claim)
    return claim


async def _expired(request: Asked, work: Work, token: str, claim: Claim) -> Template:
    if claim.subscriber == NOBODY:
        return page(request, "public/links/test.html")
    subscriber = await owner_of(work, claim)
    if subscriber is None or subscriber.address is None:
        return leads_nowhere(request)
    speak_as(request, subscriber)
    goes_on = await fresh_links.leads_on(work, claim)
    return page(
        request,
        "public/links/expired.html",
        status=410,
        token=token,
        masked=masked(subscriber.address),
        is_over=claim.purpose is Purpose.READ,
        days=(LIVES[claim.purpose] or timedelta()).days if goes_on else 0,
        minutes=minutes(LIVES[Purpose.PRIVATE]),
    )


def no_button() -> str:
    """Say why nothing was done."""
    return _("Nothing has changed, because no button was pressed.")


def unchanged(shown: Answer, *, pressed: bool) -> Answer:
    """Show a page again, and say on it that nothing was done."""
    said = _("Nothing has changed.")
    if not pressed:
        said = no_button()
    if isinstance(shown, Template):
        shown.context["notice"] = Notice(said, "info")
    return shown


def minutes(life: timedelta | None) -> int:
    """Say a short life in minutes, at least one."""
    return max(1, -(-int((life or timedelta()).total_seconds()) // 60))
