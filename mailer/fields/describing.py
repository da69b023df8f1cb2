"""Making fields, changing what they ask, and closing them.

What people have answered stays readable: a field that has values keeps its kind, a choice that
somebody has made is not closed, and what is closed can be opened again.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from mailer.audit import actions as audit
from mailer.fields import store
from mailer.fields.model import Field, FieldKind
from mailer.fields.values import PARTED_BY, choice_key
from mailer.kit.errors import Conflict, Forbidden, Invalid
from mailer.kit.ids import slug
from mailer.kit.orm import Localised
from mailer.kit.rows import add_missing
from mailer.kit.texts import in_languages
from mailer.kit.work import Work

LEAST_THRESHOLD = 5
MOST_THRESHOLD = 1000
MOST_CHOICES = 200

# These are columns of files already.
_TAKEN = frozenset(
    "address email first-name last-name name city postcode region country language time-zone "
    "phone tier level group groups role tag tags list lists opt-out agreed-at source"
    " uid state new".split()
)


class FieldsOutOfReach(Forbidden):
    """You look after some groups only. Fields are made by those who look after everybody."""


class TooManyFields(Conflict):
    """There are too many fields of this name."""


class KindStands(Conflict):
    """People have answered already: what sort of answer it takes can no longer be changed."""


class ProtectionStands(Conflict):
    """People have answered already: whether it is specially protected can no longer be changed."""


class ChoicesNeeded(Invalid):
    """Please write at least two choices."""


class ChoicesAlike(Invalid):
    """Two choices are called the same: %(name)s."""


class ChoiceHasSeparator(Invalid):
    """A choice has no semicolon in its name: files would read it as two."""


class ChoiceInUse(Conflict):
    """Somebody has chosen “%(name)s”, so it stays. It can be renamed."""


class TooManyChoices(Invalid):
    """That is more than %(most)s choices."""


class SpecialNeedsChoices(Invalid):
    """What is specially protected is only ever counted: it takes choices, or yes and no."""


class SpecialNeedsConsent(Invalid):
    """Please write what people agree to when they tell you this."""


class SpecialIsTheirs(Invalid):
    """Only its person fills it in, so it has to be one that they see."""


class ThresholdOutOfRange(Invalid):
    """Numbers are shown from %(least)s people on at the least, and from %(most)s at the most."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One of the choices of a field, as somebody wants it. A new one has no slug yet."""

    name: Localised
    slug: str = ""
    closed: bool = False


def may_make(work: Work) -> bool:
    """Say whether the actor may make, change and close fields: they are everybody's."""
    return work.scope is None


async def make(
    work: Work,
    *,
    name: Localised,
    kind: FieldKind,
    help: Localised | None = None,  # noqa: A002  # the column's name
    choices: Sequence[Choice] = (),
    is_public: bool = False,
    is_special: bool = False,
    consent_text: Localised | None = None,
    threshold: int = LEAST_THRESHOLD,
) -> Field:
    """Make a field, as the last in the order. Its slug is made of its name and never changes."""
    _reach(work)
    described = _described(
        name=name,
        kind=kind,
        help_=help or {},
        is_public=is_public,
        is_special=is_special,
        consent_text=consent_text or {},
        threshold=threshold,
    )
    described["choices"] = _choices(kind, choices, standing=[])
    standing = await store.every_field(work)
    called = slug(next(iter(described["name"].values())), longest=50)
    for number in range(2 if called in _TAKEN else 1, 100):
        row = {
            "slug": called if number == 1 else f"{called}-{number}",
            "place": max((one.place for one in standing), default=-1) + 1,
            "made_at": work.now,
            **described,
        }
        if made := await add_missing(work, Field, [row]):
            await audit.note(work, "field_made", field=made[0].no, special=is_special)
            return made[0]
    raise TooManyFields(field="name")


async def describe(
    work: Work,
    field: Field,
    *,
    name: Localised,
    kind: FieldKind,
    help: Localised | None = None,  # noqa: A002  # the column's name
    choices: Sequence[Choice] = (),
    is_public: bool = False,
    is_special: bool = False,
    consent_text: Localised | None = None,
    threshold: int = LEAST_THRESHOLD,
) -> Field:
    """Change what a field asks. Choices that are not named any more are closed."""
    _reach(work)
    described = _described(
        name=name,
        kind=kind,
        help_=help or {},
        is_public=is_public,
        is_special=is_special,
        consent_text=consent_text or {},
        threshold=threshold,
    )
    field = await store.again(work, field)
    if (kind, is_special) != (field.kind, field.is_special) and await store.has_values(work, field):
        raise (
            KindStands(field="kind")
            if kind is not field.kind
            else ProtectionStands(field="is_special")
        )
    described["choices"] = _choices(kind, choices, standing=field.choices)
    await _refuse_closing_what_is_chosen(work, field, described["choices"])
    changed = [key for key, value in described.items() if getattr(field, key) != value]
    for key in changed:
        setattr(field, key, described[key])
    if changed:
        await audit.note(work, "field_described", field=field.no, fields=changed)
    return field


async def move(work: Work, field: Field, *, up: bool) -> None:
    """Change places with the open field above, or below. The first and the last stay."""
    _reach(work)
    await store.again(work, field)
    order = list(await store.all_fields(work, special=True))
    at = next((n for n, one in enumerate(order) if one.no == field.no), None)
    if at is None or not 0 <= (to := at - 1 if up else at + 1) < len(order):
        return
    order[at], order[to] = order[to], order[at]
    for place, one in enumerate(order):
        one.place = place


async def close(work: Work, field: Field) -> Field:
    """Ask for a field no longer; what it holds is kept. Segments are asked before (`segments`)."""
    _reach(work)
    field = await store.again(work, field)
    if field.closed_at is None:
        field.closed_at = work.now
        await audit.note(work, "field_closed", field=field.no)
    return field


async def reopen(work: Work, field: Field) -> Field:
    """Ask for a closed field again, with all that it held."""
    _reach(work)
    field = await store.again(work, field)
    if field.closed_at is not None:
        field.closed_at = None
        await audit.note(work, "field_reopened", field=field.no)
    return field


def _described(
    *,
    name: Localised,
    kind: FieldKind,
    help_: Localised,
    is_public: bool,
    is_special: bool,
    consent_text: Localised,
    threshold: int,
) -> dict[str, Any]:
    described = {
        "name": in_languages(name, longest=120, field="name", needed=True),
        "kind": kind,
        "help": in_languages(help_, longest=400, field="help"),
        "consent_text": in_languages(consent_text, longest=2000, field="consent_text"),
        "is_public": is_public,
        "is_special": is_special,
        "threshold": threshold,
    }
    if not LEAST_THRESHOLD <= threshold <= MOST_THRESHOLD:
        raise ThresholdOutOfRange(field="threshold", least=LEAST_THRESHOLD, most=MOST_THRESHOLD)
    if not is_special:
        return described
    if kind not in {FieldKind.CHOICE, FieldKind.CHOICES, FieldKind.YES_NO}:
        raise SpecialNeedsChoices(field="kind")
    if not is_public:
        raise SpecialIsTheirs(field="is_public")
    if not described["consent_text"]:
        raise SpecialNeedsConsent(field="consent_text")
    return described


def _choices(
    kind: FieldKind, wanted: Sequence[Choice], *, standing: Sequence[Any]
) -> list[dict[str, Any]]:
    """Give the choices as they are kept: those that stood before and are not wanted are closed."""
    if kind not in {FieldKind.CHOICE, FieldKind.CHOICES}:
        return []
    old = {one["slug"]: one for one in standing}
    kept: dict[str, dict[str, Any]] = {}
    for one in wanted:
        name = in_languages(one.name, longest=120, field="choices")
        if not name:
            continue
        if any(PARTED_BY in words for words in name.values()):
            raise ChoiceHasSeparator(field="choices")
        called = one.slug if one.slug in old else _new_slug(name, {*old, *kept})
        kept[called] = {"slug": called, "name": name} | ({"closed": True} if one.closed else {})
    for called, one in old.items():
        kept.setdefault(called, {**one, "closed": True})
    if len(kept) > MOST_CHOICES:
        raise TooManyChoices(field="choices", most=MOST_CHOICES)
    open_ones = [one for one in kept.values() if not one.get("closed")]
    if len(open_ones) < 2:
        raise ChoicesNeeded(field="choices")
    _refuse_alike(list(kept.values()))
    return list(kept.values())


def _new_slug(name: Localised, taken: set[str]) -> str:
    called = slug(next(iter(name.values())), longest=50)
    return next(
        one
        for n in range(1, MOST_CHOICES * 2)
        if (one := called if n == 1 else f"{called}-{n}") not in taken
    )


def _refuse_alike(choices: Sequence[dict[str, Any]]) -> None:
    """Refuse two choices that a file could not tell apart, in whatever language."""
    spelt: dict[str, str] = {}
    for one in choices:
        for words in one["name"].values():
            if spelt.setdefault(choice_key(words), one["slug"]) != one["slug"]:
                raise ChoicesAlike(field="choices", name=words)


async def _refuse_closing_what_is_chosen(
    work: Work, field: Field, choices: Sequence[dict[str, Any]]
) -> None:
    open_before = {one["slug"] for one in field.choices if not one.get("closed")}
    closing = [one for one in choices if one.get("closed") and one["slug"] in open_before]
    if not closing:
        return
    # Of a specially protected field nobody may learn what was chosen: it closes no choice at all
    # once there are answers.
    chosen = (
        {one["slug"] for one in closing}
        if field.is_special and await store.has_values(work, field)
        else await store.chosen_in(work, field.no)
    )
    for one in closing:
        if one["slug"] in chosen:
            raise ChoiceInUse(field="choices", name=next(iter(one["name"].values())))


def _reach(work: Work) -> None:
    if not may_make(work):
        raise FieldsOutOfReach
