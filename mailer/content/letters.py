"""Letters: mails that the system sends by itself, as words and then as bytes.

A letter of a kind says a closed set of facts, in the recipient's language, in the network's look.
The letter of welcome says besides what organisers wrote for its list, and those about a yes what
they wrote of the ask. None of these facts is text that a stranger typed: a sign-up form with a name
field would else carry anybody's advertisement to anybody's inbox. Templates are ours:
templates/mail/<kind>/.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
import msgspec
from markupsafe import Markup

from mailer.content import headers, markdown, mime, qp, textpart
from mailer.content.blocks import Colour
from mailer.content.larger import larger
from mailer.content.merge import clean, clean_lines, is_our_url
from mailer.content.refusals import excerpt
from mailer.kit import i18n
from mailer.kit.errors import Invalid, NotFound
from mailer.kit.i18n import direction, speaking
from mailer.subscribers.model import MailForm


class UnknownLetter(NotFound):
    """There is no letter of the kind %(kind)s."""


class WrongFacts(Invalid):
    """A letter of the kind %(kind)s cannot be written with these facts: %(wrong)s."""


class LetterBrand(msgspec.Struct, frozen=True, kw_only=True):
    """How the network looks in its letters; a neutral name here is the discreet mode."""

    name: str
    address: str  # postal; may be empty where discretion asks for it
    accent: Colour = "#ffc233"
    ink: Colour = "#141b22"


class RenderedLetter(msgspec.Struct, frozen=True):
    """A letter in words."""

    subject: str
    text: str
    html: str


KINDS: dict[str, frozenset[str]] = {
    kind: frozenset(facts.split())
    for kind, facts in {
        "confirm": "code link list_name level_name hours",
        "already-on-the-roll": "private_link list_name",
        "reminder": "code link list_name days",
        "welcome": (
            "own_subject own_words list_name level_name promise_get promise_ask often"
            " preferences_link"
        ),
        "tier-changed": (
            "from_name to_name direction undo_link undo_until preferences_link asked_by reason"
            " goes_with"
        ),
        "tier-requested": "tier_name",
        "tier-request-expired": "tier_name preferences_link",
        "tier-suggested": "from_name tier_name promise_get promise_ask suggestion_link",
        "still-with-us": (
            "again level_name below_name days stay_link down_link pause_link preferences_link"
        ),
        "yearly": "level_name often list_names preferences_link leave_link",
        "tier-request-answered": "tier_name granted reason undo_link preferences_link goes_with",
        "pledge-receipt": (
            "ask_title own_words by_date ask_on rights support_contact report_link ask_link"
            " share_link undo_link undo_until"
        ),
        "answer-receipt": (
            "answer ask_title ask_on support_contact report_link share_link undo_link undo_until"
        ),
        "support-is-coming": "ask_title support_contact report_link",
        "pledge-due": "ask_title own_words by_date support_contact report_link ask_link",
        "did-you-do-it": "ask_title support_contact report_link",
        "ask-again": "ask_title own_words done_on ask_link done_link decline_link",
        "ask-link": "ask_title link days",
        "follow-up": "own_words by_name about",
        "unsubscribed": "list_names undo_link undo_until",
        "paused": "until undo_link",
        "private-link": "link minutes",
        "address-change-confirm": "link hours",
        "address-changed": "undo_link undo_until",
        "also-me": "link hours",
        "also-me-done": "undo_link undo_until",
        "erased": "",
        "sign-in-notice": "at device admin_link",
        "factor-reset": "at",
        "digest": "late_count today_count free_count alert_count queue_link",
    }.items()
}
"""The facts of each kind: all of them are needed, and no other is let in."""

_CHOICES = {
    "direction": frozenset({"up", "down"}),
    "asked_by": frozenset({"you", "organiser", "time"}),
    "answer": frozenset({"done", "told", "later", "help", "declined", "withdrawn"}),
    "again": frozenset({True, False}),
    "granted": frozenset({True, False}),
}
_PROSE = frozenset({"own_words", "rights"})
_MAY_BE_EMPTY = frozenset(
    "reason own_subject own_words promise_get promise_ask by_date ask_on rights support_contact"
    " about goes_with share_link".split()
)

TEMPLATES = Path(__file__).parents[2] / "templates"


def render_letter(
    kind: str, *, language: str, facts: Mapping[str, Any], brand: LetterBrand
) -> RenderedLetter:
    """Write a letter in the recipient's language, or in English where we do not speak it."""
    known = _checked(kind, facts)
    with speaking(language):
        spoken = i18n.language.get()
        context = {**known, "brand": brand, "language": spoken, "dir": direction(spoken)}
        subject = _template(kind, "subject.txt").render(context).strip()
        context["subject"] = subject
        return RenderedLetter(
            subject=subject,
            text=re.sub(r"\n{3,}", "\n\n", _template(kind, "body.txt").render(context)).strip()
            + "\n",
            html=_template(kind, "body.html").render(context),
        )


def _checked(kind: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    if kind not in KINDS:
        raise UnknownLetter(kind=excerpt(kind))
    if facts.keys() != KINDS[kind]:
        raise WrongFacts(kind=kind, wrong=", ".join(sorted(facts.keys() ^ KINDS[kind])))
    known = {name: _cleaned(name, fact) for name, fact in facts.items()}
    if wrong := sorted(name for name, fact in known.items() if not _may_be(name, fact, known)):
        raise WrongFacts(kind=kind, wrong=", ".join(wrong))
    return known


def _cleaned(name: str, fact: object) -> object:
    if not isinstance(fact, str):
        return fact
    return clean_lines(fact) if name in _PROSE else clean(fact)


def _may_be(name: str, fact: object, facts: Mapping[str, Any]) -> bool:
    if name in _CHOICES:
        return fact in _CHOICES[name]
    if name in {"days", "hours", "minutes"}:
        return isinstance(fact, int) and fact > 0
    if name.endswith("_count"):
        return isinstance(fact, int) and fact >= 0
    if not isinstance(fact, str):
        return False
    if name == "undo_link" and not fact:
        return facts.get("granted") is False  # nothing has changed, so there is nothing to undo
    if not fact:
        return name in _MAY_BE_EMPTY
    return not name.endswith("link") or is_our_url(fact) is not None


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=jinja2.select_autoescape(enabled_extensions=("html",), default=False),
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    wrap = textpart.wrapper()
    environment.filters["lines"] = wrap
    # What an organiser wrote, as Markdown: its renderer escapes, and refuses unsafe links.
    environment.filters["prose"] = lambda words: Markup(markdown.to_html(words))  # noqa: S704
    environment.filters["prose_lines"] = lambda words: markdown.to_text(words, wrap)
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # by the extension
        i18n._,  # the name that everybody knows
        i18n.ngettext,
        newstyle=True,
    )
    return environment


_ENVIRONMENT = _environment()


def _template(kind: str, part: str) -> jinja2.Template:
    return _ENVIRONMENT.get_template(f"mail/{kind}/{part}")


def letter_bytes(
    rendered: RenderedLetter,
    *,
    from_name: str,
    from_address: str,
    to: str,
    message_id: str,
    domain: str,
    now: datetime | float,
    auto_submitted: bool = True,
    reply_to: str | None = None,
    list_unsubscribe: str | None = None,
    list_id: str | None = None,
    list_name: str = "",
    form: MailForm = MailForm.USUAL,
) -> bytes:
    """Write a letter as it goes over the wire, with exactly the header lines it needs.

    Refuses an address that cannot be written (`Unmailable`). `Auto-Submitted` keeps out-of-office
    notes from answering it (RFC 3834); a letter that a person caused may do without.
    """
    head, body = _in_form(rendered, form)
    lines = [
        headers.from_(from_name, from_address),
        *([headers.reply_to(reply_to)] if reply_to else []),
        headers.to(to),
        headers.subject(rendered.subject),
        headers.date(now),
        headers.message_id(message_id, domain),
        *([headers.AUTO_SUBMITTED] if auto_submitted else []),
        *([headers.list_id(list_name, list_id)] if list_id else []),
        *(
            [headers.list_url("List-Unsubscribe", list_unsubscribe), headers.ONE_CLICK]
            if list_unsubscribe
            else []
        ),
        head,
    ]
    return b"\r\n".join(lines) + body


def _in_form(rendered: RenderedLetter, form: MailForm) -> tuple[bytes, bytes]:
    """Give the last lines of the head, and all that follows it."""
    text = qp.piece(rendered.text)
    if form is MailForm.PLAIN:
        return mime.HEAD_OF_TEXT, b"\r\n" + text
    html = qp.piece(larger(rendered.html) if form is MailForm.LARGE else rendered.html)
    frame = mime.frame(hashlib.blake2b(text + html, digest_size=8).hexdigest())
    return frame.head, b"".join([frame.before_text, text, frame.before_html, html, frame.after])
