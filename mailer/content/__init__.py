"""Content: what an organiser composes, and how it becomes the bytes of a mail.

A *newsletter* is a list of blocks in several languages, usually one text of Markdown. Compiling it
makes one *program* per language: constant bytes, *slots* that take something of the reader, and
*regions* that only some readers see. Filling a program for one reader is a list copy, a few
assignments and a join. A *letter* is a mail that the system sends by itself, from templates of
ours. Nothing an organiser or a member wrote is ever read as code: not by Jinja, MJML, a browser or
a mail server.
"""

from mailer.content.blocks import (
    Ask,
    AskAnswer,
    BestAsk,
    Brand,
    Button,
    Condition,
    EmptyCondition,
    Facts,
    ForeignPicture,
    LowContrast,
    Newsletter,
    Rung,
    newsletter_of,
)
from mailer.content.compiler import TextMissing, compile_campaign
from mailer.content.headers import BadHeader, Unmailable
from mailer.content.letters import (
    KINDS,
    LetterBrand,
    RenderedLetter,
    UnknownLetter,
    WrongFacts,
    letter_bytes,
    render_letter,
)
from mailer.content.markdown import UnsafeLink
from mailer.content.marks import RegionUnbalanced, SlotMisplaced
from mailer.content.markup import UnsafeMarkup
from mailer.content.merge import (
    FIELDS,
    FallbackNeeded,
    MalformedField,
    UnknownField,
    is_plain_url,
)
from mailer.content.message import CompiledCampaign, Envelope, Reader
from mailer.content.previews import Preview, preview, web_copy
from mailer.content.proof import NotProven
from mailer.content.refusals import Unfit
from mailer.content.selftest import headers_hold

__all__ = [
    "FIELDS",
    "KINDS",
    "Ask",
    "AskAnswer",
    "BadHeader",
    "BestAsk",
    "Brand",
    "Button",
    "CompiledCampaign",
    "Condition",
    "EmptyCondition",
    "Envelope",
    "Facts",
    "FallbackNeeded",
    "ForeignPicture",
    "LetterBrand",
    "LowContrast",
    "MalformedField",
    "Newsletter",
    "NotProven",
    "Preview",
    "Reader",
    "RegionUnbalanced",
    "RenderedLetter",
    "Rung",
    "SlotMisplaced",
    "TextMissing",
    "Unfit",
    "UnknownField",
    "UnknownLetter",
    "Unmailable",
    "UnsafeLink",
    "UnsafeMarkup",
    "WrongFacts",
    "compile_campaign",
    "headers_hold",
    "is_plain_url",
    "letter_bytes",
    "newsletter_of",
    "preview",
    "render_letter",
    "web_copy",
]
