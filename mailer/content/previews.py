"""Previews: a newsletter as one reader will get it, and as everybody may read it on the web."""

import re
from collections.abc import Mapping

import msgspec

from mailer.content.blocks import Facts, Newsletter, nearest
from mailer.content.compiler import compile_language
from mailer.content.headers import subject_read
from mailer.content.lint import lint
from mailer.content.merge import NOWHERE, Kind
from mailer.content.message import Reader
from mailer.content.proof import decoded


class Preview(msgspec.Struct, frozen=True):
    """A filled newsletter, decoded. The faults are sentences in the organiser's language."""

    subject: str
    html: str
    text: str
    faults: tuple[str, ...]


def preview(newsletter: Newsletter, language: str, reader: Reader) -> Preview:
    """Fill a newsletter as sending will; a link without a value leads nowhere, and works no more.

    A language that the newsletter does not have is shown in its first, as its readers get it.
    """
    program = compile_language(newsletter, nearest(language, newsletter.languages))
    dead_links = {
        slot.field.name: f"https://preview.invalid/{slot.field.name}"
        for slot in program.slots
        if slot.field.kind is Kind.LINK
    }
    values = {**dead_links, **reader.values}
    filled = decoded(program, values, program.holding(reader.facts))
    return Preview(
        subject=subject_read(program.subject(values)),
        html=filled.html,
        text=filled.text,
        faults=tuple(lint(filled.html, newsletter.brand.media)),
    )


def web_copy(newsletter: Newsletter, language: str, links: Mapping[str, str] | None = None) -> str:
    """Write the HTML for the archive: nobody's copy, so that there is no token in it.

    Fields take their fallbacks; blocks for some readers only are left out. Links of the reader's
    lead to the neutral pages in `links` (by name, as "link.preferences"); where there is none,
    buttons are left out, and among words only the words stay.
    """
    values = dict(links or {})
    language = nearest(language, newsletter.languages)
    program = compile_language(newsletter, language, public=frozenset(values))
    html = decoded(program, values, program.holding(Facts(tier=""))).html
    return _LINK_TO_NOWHERE.sub(r"\1", html)


_REST_OF_TAG = r'(?:"[^"]*"|[^">])*'
_LINK_TO_NOWHERE = re.compile(
    rf'<a\b{_REST_OF_TAG}\bhref="{NOWHERE}"{_REST_OF_TAG}>(.*?)</a>', re.DOTALL
)
