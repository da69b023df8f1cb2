"""What a form may ask besides the address, and how an answer is read.

A question is a column of ours or a public field. Nothing is asked that its person does not see on
their own page afterwards, and nothing that is specially protected: that has its own consent.
"""

import enum
from collections.abc import Collection, Sequence

import msgspec

from mailer.fields import store as fields
from mailer.fields.model import LONGEST, Field, FieldKind
from mailer.fields.values import read_value
from mailer.forms.model import SignUpForm
from mailer.kit.errors import Invalid
from mailer.kit.i18n import LANGUAGES, N_, _, in_language, own_name
from mailer.kit.texts import TextMissing, one_line
from mailer.kit.work import Work
from mailer.subscribers import filling
from mailer.tiers import store as tiers

LEVEL, LANGUAGE, GROUP = "level", "language", "group"
FIELD = "field:"
LONGEST_GROUP = 160
MOST_TYPED = 4000
"""Characters of one answer that are looked at; what is longer is refused without reading it."""


class AnswerTooLong(Invalid):
    """This is too long."""


class NotOffered(Invalid):
    """Please choose one of those offered."""


class Kind(enum.StrEnum):
    """How a question is shown."""

    LINE = "line"
    NUMBER = "number"
    DATE = "date"
    ONE = "one"  # of some choices
    SEVERAL = "several"


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One question, in the reader's language."""

    name: str
    words: str
    help: str = ""
    kind: Kind = Kind.LINE
    needed: bool = False
    choices: tuple[tuple[str, str], ...] = ()  # value, words
    longest: int = LONGEST
    autocomplete: str = ""


_COLUMNS = {
    # name: words, autocomplete (HTML, 4.10.18.7.1)
    "first_name": (N_("First name"), "given-name"),
    "last_name": (N_("Last name"), "family-name"),
    "city": (N_("Town"), "address-level2"),
    "postcode": (N_("Postcode"), "postal-code"),
    GROUP: (N_("Union, branch or group"), "organization"),
    LEVEL: (N_("Level"), ""),
    LANGUAGE: (N_("Language of the emails"), ""),
}
_LANGUAGES = tuple((code, own_name(code)) for code in LANGUAGES)
_KINDS = {
    FieldKind.TEXT: Kind.LINE,
    FieldKind.NUMBER: Kind.NUMBER,
    FieldKind.DATE: Kind.DATE,
    FieldKind.CHOICE: Kind.ONE,
    FieldKind.CHOICES: Kind.SEVERAL,
    FieldKind.YES_NO: Kind.ONE,
}


async def possible(work: Work) -> list[Question]:
    """Give all that a form can ask, columns first."""
    columns = [await _column(work, name) for name in _COLUMNS]
    return [*columns, *[_of_field(field) for field in await _askable(work)]]


async def asked_by(work: Work, form: SignUpForm) -> list[Question]:
    """Give what a form asks, in its order; a field that was closed since is asked no longer."""
    known = {question.name: question for question in await possible(work)}
    needed = set(form.needed)
    return [
        msgspec.structs.replace(known[name], needed=name in needed)
        for name in form.asks_for
        if name in known
    ]


async def fields_of(work: Work, names: Collection[str]) -> dict[str, Field]:
    """Give the fields behind names of questions."""
    return {
        FIELD + field.slug: field
        for field in await _askable(work)
        if FIELD + field.slug in set(names)
    }


async def read_answer(work: Work, question: Question, typed: Sequence[str]) -> str:
    """Read one answer as it is kept; empty for none. Refuses at the question's name."""
    words = [one for one in typed if one.strip()]
    if sum(map(len, words)) > MOST_TYPED:
        raise AnswerTooLong(field=question.name)
    answer = await _read(work, question, words) if words else ""
    if question.needed and not answer:
        raise TextMissing(field=question.name)
    return answer


async def _read(work: Work, question: Question, words: list[str]) -> str:
    if question.kind in {Kind.ONE, Kind.SEVERAL}:
        offered = {value for value, _words in question.choices}
        if not offered.issuperset(words) or (question.kind is Kind.ONE and len(words) > 1):
            raise NotOffered(field=question.name)
        return ";".join(words)
    if question.name.startswith(FIELD):
        return await _field_answer(work, question, words[0])
    if question.name == GROUP:
        return one_line(words[0], longest=LONGEST_GROUP, field=question.name)
    return filling.read(question.name, words[0], field=question.name)


async def _field_answer(work: Work, question: Question, typed: str) -> str:
    field = (await fields_of(work, [question.name]))[question.name]
    try:
        return ";".join(value for value, _number in read_value(field, typed))
    except Invalid as refusal:
        refusal.facts["field"] = question.name
        raise


async def _askable(work: Work) -> list[Field]:
    return [field for field in await fields.public_fields(work) if not field.is_special]


async def _column(work: Work, name: str) -> Question:
    words, autocomplete = _COLUMNS[name]
    question = Question(name=name, words=_(words), autocomplete=autocomplete)
    match name:
        case "level":
            ladder = [(tier.slug, in_language(tier.name)) for tier in await tiers.ladder(work)]
            return msgspec.structs.replace(question, kind=Kind.ONE, choices=tuple(ladder))
        case "language":
            return msgspec.structs.replace(question, kind=Kind.ONE, choices=_LANGUAGES)
        case "group":
            return msgspec.structs.replace(question, longest=LONGEST_GROUP)
        case _:
            return msgspec.structs.replace(question, longest=filling.LONGEST[name])


def _of_field(field: Field) -> Question:
    choices: tuple[tuple[str, str], ...] = ()
    if field.kind in {FieldKind.CHOICE, FieldKind.CHOICES}:
        choices = tuple(
            (one["slug"], in_language(one["name"]))
            for one in field.choices
            if not one.get("closed")
        )
    elif field.kind is FieldKind.YES_NO:
        choices = (("yes", _("Yes")), ("no", _("No")))
    return Question(
        name=FIELD + field.slug,
        words=in_language(field.name),
        help=in_language(field.help),
        kind=_KINDS[field.kind],
        choices=choices,
    )
