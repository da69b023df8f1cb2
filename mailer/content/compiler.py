"""Compiling: from blocks to programs.

Blocks → our Jinja2 templates → MJML → mjml-python → css-inline → HTML with marks → parts; and the
text part from the same blocks. Everything that can be refused is refused here, once, with its
reason and the place where it stands.
"""

import hashlib
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import css_inline
import jinja2
import mjml
import msgspec
from markupsafe import Markup

from mailer.content import markdown, markup, textpart
from mailer.content.blocks import (
    Ask,
    BestAsk,
    Block,
    Columns,
    Condition,
    Newsletter,
    Rung,
)
from mailer.content.larger import larger
from mailer.content.marks import Part, parts_of_html, parts_of_text
from mailer.content.markup import UnsafeMarkup
from mailer.content.merge import Slots
from mailer.content.message import CompiledCampaign, Envelope, Program
from mailer.content.proof import prove
from mailer.content.refusals import Unfit, excerpt
from mailer.content.words import neutral_words, words_for
from mailer.kit.i18n import _, direction, in_language, own_name
from mailer.kit.orm import Localised
from mailer.subscribers.model import MailForm


class TextMissing(Unfit):
    """This text is empty in every language. Write it in one at least."""


TEMPLATES = Path(__file__).parents[2] / "templates" / "newsletters"

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.FileSystemLoader(TEMPLATES),
    undefined=jinja2.StrictUndefined,
    autoescape=jinja2.select_autoescape(enabled_extensions=("mjml",), default=False),
    trim_blocks=True,
    lstrip_blocks=True,
)
_INLINED = (TEMPLATES / "inlined.css").read_text("utf-8")
_IN_HEAD = (TEMPLATES / "head.css").read_text("utf-8")


def compile_campaign(envelope: Envelope, newsletter: Newsletter) -> CompiledCampaign:
    """Compile every language and prove that no reader's values can change more than words."""
    campaign = CompiledCampaign(envelope, compile_newsletter(newsletter))
    prove(campaign)
    return campaign


def compile_newsletter(newsletter: Newsletter) -> dict[str, Program]:
    """Make one program per language."""
    return {language: compile_language(newsletter, language) for language in newsletter.languages}


def compile_language(
    newsletter: Newsletter, language: str, *, public: frozenset[str] | None = None
) -> Program:
    """Make one program; see `Composer` for what `public` means."""
    composer = Composer(newsletter, language, public=public)
    subject = composer.subject()
    with composer.found_in("markdown", ""):
        text = parts_of_text(composer.text(), composer.slots)
        written = composer.html()
        html = {MailForm.USUAL: parts_of_html(written, composer.slots)}
        if public is None:  # for readers, of whom some asked for larger words
            html[MailForm.LARGE] = parts_of_html(larger(written), composer.slots)
    return Program(
        language=language,
        digest=composer.digest,
        subject=subject,
        text=text,
        html=html,
        slots=composer.slots.slots,
        conditions=composer.conditions,
    )


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One rung of the ladder as some readers see it."""

    rung: Rung
    seen_by: Condition
    words: str
    here: bool


class Composer:
    """One newsletter in one language on its way: what the templates may call.

    With `public` it is not for a reader but for everybody: it has neither ladder nor footer links,
    and of the reader's own links only those named there, which lead to neutral pages.
    """

    def __init__(
        self, newsletter: Newsletter, language: str, *, public: frozenset[str] | None = None
    ) -> None:
        self.newsletter = newsletter
        self.language = language
        self.public = public
        self.digest = _digest(newsletter, language)
        self.slots = Slots(self.digest, neutral_words(language))
        self.conditions: list[Condition] = []
        self.wrap = textpart.wrapper(self.slots.as_wide_as_usual)
        self.words = {
            name: self.slots.place_all(words) for name, words in words_for(language).items()
        }
        self._look_at_what_stands_outside_blocks()

    def _look_at_what_stands_outside_blocks(self) -> None:
        with self.found_in("subject", _("in the subject")):
            self.say(self.newsletter.subject)
        with self.found_in("headline", _("in the headline")):
            self.say(self.newsletter.headline)
        with self.found_in("preheader", _("in the preview line")):
            self.say_or_nothing(self.newsletter.preheader)
        with self.found_in("issue", _("in the issue")):
            self.say_or_nothing(self.newsletter.issue)
        with self.found_in("brand", _("in the name of the network")):
            self.say(self.newsletter.brand.name)
        with self.found_in("brand", _("in the postal address of the network")):
            self.say(self.newsletter.brand.address)

    @contextmanager
    def found_in(self, field: str, where: str) -> Generator[None]:
        """Add to a refusal where its reason stands, unless it is known more closely."""
        try:
            yield
        except Unfit as refusal:
            if where and len(self.newsletter.languages) > 1:
                where = f"{where}, {own_name(self.language)}"
            if where:
                refusal.facts.setdefault("where", where)
            refusal.facts.setdefault("field", field)
            refusal.facts.setdefault("language", self.language)
            raise

    def subject(self) -> list[Part]:
        """Give the subject with its slots."""
        return parts_of_text(self.say(self.newsletter.subject), self.slots)

    def html(self) -> str:
        """Give the finished HTML, with marks in it."""
        return to_html(self.mjml(), painted(_INLINED, self.newsletter))

    def mjml(self) -> str:
        """Give the MJML, with marks in it."""
        template = _ENVIRONMENT.get_template(f"layouts/{self.newsletter.layout}.mjml")
        head_css = Markup(painted(_IN_HEAD, self.newsletter))  # noqa: S704  # ours
        return template.render(self._context(), head_css=head_css, shown=self._shown())

    def text(self) -> str:
        """Give the text part, with marks in it."""
        template = _ENVIRONMENT.get_template("layouts/letter.txt")
        written = template.render(self._context(), shown=self._shown())
        return re.sub(r"\n{3,}", "\n\n", written).strip() + "\n"

    def _context(self) -> dict[str, object]:
        rtl = direction(self.language) == "rtl"
        brand = self.newsletter.brand
        return {
            "c": self,
            "words": self.words,
            "newsletter": self.newsletter,
            "brand": brand,
            "language": self.language,
            "personal": self.public is None,
            "dir": "rtl" if rtl else "ltr",
            "start": "right" if rtl else "left",
            "end": "left" if rtl else "right",
            "ink": brand.ink,
            "accent": brand.accent,
        }

    def _shown(self) -> list[tuple[Block, Condition | None]]:
        """Choose the blocks of this language, each with what is left for the reader to decide."""
        shown: list[tuple[Block, Condition | None]] = []
        for block in self.newsletter.blocks:
            if isinstance(block, BestAsk):
                shown += [(ask, Condition(best_ask=ask.ask)) for ask in block.asks]
                continue
            condition = block.shown_to
            if condition is None or condition.asks_the_reader:
                shown.append((block, condition))
            elif (self.language in condition.languages) is not condition.unless:
                shown.append((block, None))
        return shown

    # What templates call.

    def say(self, text: Localised) -> str:
        """Choose the words of this language and mark their fields; not yet escaped."""
        words = in_language(text, self.language, self.newsletter.languages[0])
        if not words:
            raise TextMissing
        return self.slots.place_all(words)

    def say_or_nothing(self, text: Localised) -> str:
        """Do the same where silence is a choice."""
        return self.say(text) if text else ""

    def prose(self, text: Localised) -> Markup:
        """Give Markdown as HTML."""
        return Markup(markdown.to_html(self.say(text)))  # noqa: S704  # markdown-it escapes

    def prose_text(self, text: Localised) -> str:
        """Give Markdown as lines."""
        return markdown.to_text(self.say(text), self.wrap)

    def url(self, url: str) -> str:
        """Give a link that an organiser typed."""
        return markdown.safe_link(self.slots.place_all(url))

    def link(self, name: str) -> str:
        """Give one of the reader's own links."""
        return self.slots.place(f"link.{name}")

    def leads(self, url: str) -> bool:
        """Tell whether a link leads anywhere: on the web the reader's own do not."""
        mark = self.slots.mark.fullmatch(url)
        if self.public is None or mark is None:
            return True
        return self.slots.slots[int(mark[1])].field.name in self.public

    def picture(self, src: str) -> str:
        """Give the address of a picture of ours."""
        return self.newsletter.brand.own_picture(self.slots.place_all(src))

    def raw(self, source: Localised) -> Markup:
        """Give MJML by hand."""
        cleaned = markup.clean_mjml(self.say(source), self.newsletter.brand.own_picture)
        return Markup(cleaned)  # noqa: S704  # rebuilt from an allow-list

    def block(self, block: Block) -> Markup:
        """Give a block as MJML."""
        template = _ENVIRONMENT.get_template(f"blocks/{_kind(block)}.mjml")
        with self._found_in_block(block):
            return Markup(template.render(self._context(), block=block))  # noqa: S704  # escaped

    def block_text(self, block: Block) -> str:
        """Give a block as lines."""
        with self._found_in_block(block):
            return self._lines(block)

    def _lines(self, block: Block) -> str:
        if isinstance(block, Columns):
            return "\n".join(map(self._lines, (*block.left, *block.right)))
        template = _ENVIRONMENT.get_template(f"blocks/{_kind(block)}.txt")
        return template.render(self._context(), block=block)

    @contextmanager
    def _found_in_block(self, block: Block) -> Generator[None]:
        with self.found_in("markdown", self._where(block)):
            yield

    def _where(self, block: Block) -> str:
        if isinstance(block, Ask):
            # It was written on a page of its own, and there may be many of them.
            return _("in the ask “%(title)s”") % {"title": in_language(block.title, self.language)}
        written = [one for one in self.newsletter.blocks if not isinstance(one, Ask | BestAsk)]
        if len(written) == 1:
            return _("in the text")
        return _("in block %(number)s") % {"number": self.newsletter.blocks.index(block) + 1}

    def begin(self, condition: Condition | None) -> Markup:
        """Open what only some readers see."""
        return self._edge("b", condition)

    def close(self, condition: Condition | None) -> Markup:
        """End what only some readers see."""
        return self._edge("e", condition)

    def _edge(self, edge: str, condition: Condition | None) -> Markup:
        word = self.edge_text(edge, condition).strip()
        return Markup(f"<!--{word}-->" if word else "")  # noqa: S704  # a mark is a plain word

    def edge_text(self, edge: str, condition: Condition | None) -> str:
        """Give the same for the text part."""
        if condition is None:
            return ""
        if condition not in self.conditions:
            self.conditions.append(condition)
        return f"rc{self.digest}{edge}{self.conditions.index(condition):04}z\n"

    def steps(self) -> list[Step]:
        """Write the ladder, highest rung first, each rung in up to three ways.

        Those below it may step up to it, those above may step down, the others stand there.
        """
        ladder = self.newsletter.ladder
        slugs = [rung.tier for rung in ladder]
        return [
            step
            for at, rung in reversed(list(enumerate(ladder)))
            for step in (
                *self._step(slugs[:at], "up_on_request" if rung.on_request else "up", rung),
                *self._step(slugs[at + 1 :], "down", rung),
                *self._step([rung.tier], "here", rung),
            )
        ]

    def _step(self, tiers: list[str], word: str, rung: Rung) -> list[Step]:
        if not tiers:
            return []
        words = self.words[word] % {"name": self.say(rung.name)}
        return [
            Step(rung=rung, seen_by=Condition(tiers=tuple(tiers)), words=words, here=word == "here")
        ]


def to_html(source: str, css: str) -> str:
    """Render MJML with `css` inlined.

    Only our own classes are inlined; MJML's style sheets, and ours with media queries, stay in the
    head. Letting css-inline take MJML's too repeats `border-collapse:collapse;mso-table-…` on every
    cell: a third more bytes.
    """
    # mjml-python writes attributes as Rust debug strings: a backslash is doubled, a no-break space
    # becomes \\u{a0}. References pass it untouched, and css-inline makes characters of them again.
    source = source.replace("\\", "&#92;").encode("ascii", "xmlcharrefreplace").decode()
    try:
        # fonts={}: the default links fonts.googleapis.com as soon as a font stack names Ubuntu or
        # Roboto: a stranger would learn who has read the mail.
        rendered = mjml.mjml2html(source, fonts={}, include_loader=_refuse_include)
    except ValueError as error:
        raise UnsafeMarkup(found=excerpt(str(error))) from error
    inliner = css_inline.CSSInliner(
        inline_style_tags=False, keep_style_tags=True, extra_css=css, load_remote_stylesheets=False
    )
    return str(inliner.inline(rendered))


def _refuse_include(path: str) -> str:
    raise UnsafeMarkup(found=excerpt(f"mj-include {path}"))


def painted(css: str, newsletter: Newsletter) -> str:
    """Put the brand's colours into a style sheet."""
    return css.replace("INK", newsletter.brand.ink).replace("ACCENT", newsletter.brand.accent)


def _kind(block: Block) -> str:
    return str(block.__struct_config__.tag)


def _digest(newsletter: Newsletter, language: str) -> str:
    """Make eight hex digits that do not occur in the newsletter.

    Deterministic: the same newsletter, the same bytes.
    """
    source = msgspec.json.encode(newsletter, order="deterministic") + language.encode()
    digest = ""
    while digest.encode() in source:
        digest = hashlib.blake2b(source + digest.encode(), digest_size=4).hexdigest()
    return digest
