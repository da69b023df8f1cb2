"""An organiser's text as a part of a page of ours: nobody's copy, with no token in it."""

import hashlib
import re
from html import escape

from mailer.content.markdown import to_html
from mailer.content.marks import parts_of_html
from mailer.content.merge import NOWHERE, Slots
from mailer.content.words import neutral_words

_LINK_TO_NOWHERE = re.compile(rf'<a href="{NOWHERE}">(.*?)</a>', re.DOTALL)


def web_text(markdown: str, language: str) -> str:
    """Write Markdown as HTML. Fields take their fallbacks, and a reader's own links are words."""
    slots = _slots(markdown, language)
    html = to_html(slots.place_all(markdown))
    parts_of_html(html, slots)  # refuses a field where what stands for it could be a script
    filled = slots.mark.sub(lambda found: escape(slots.slots[int(found[1])].value("")), html)
    return _LINK_TO_NOWHERE.sub(r"\1", filled)


def web_line(text: str, language: str) -> str:
    """Write a line, such as a headline, with the fallbacks of its fields: plain text."""
    slots = _slots(text, language)
    return slots.mark.sub(lambda found: slots.slots[int(found[1])].value(""), slots.place_all(text))


def _slots(text: str, language: str) -> Slots:
    digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    return Slots(digest, neutral_words(language))
