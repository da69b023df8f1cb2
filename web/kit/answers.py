"""The fields that an organisation has made for itself, as controls of a form and back.

Each control is called `field-` and the slug of its field. `macros/answers.html` draws them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mailer.fields.model import Field, FieldKind
from mailer.fields.values import PARTED_BY, read_value, written
from mailer.kit.errors import Invalid
from mailer.kit.i18n import _, in_language
from web.kit.forms import Form


def name_of(field: Field) -> str:
    """Give the name of a field's control."""
    return f"field-{field.slug}"


def asked(field: Field, values: Sequence[str], *, typed: str | None = None) -> dict[str, Any]:
    """Give what its control needs: what it asks, what may be chosen, and what stands there.

    `typed` is what somebody wrote that has to be mended.
    """
    standing = written(values) if typed is None else typed
    chosen = standing.split(PARTED_BY) if field.kind is FieldKind.CHOICES else [standing]
    return {
        "name": name_of(field),
        "label": in_language(field.name),
        "help": in_language(field.help),
        "kind": field.kind.value,
        "value": standing,
        "chosen": chosen,
        "options": _options(field, chosen),
    }


def _options(field: Field, chosen: Sequence[str]) -> list[tuple[str, str]]:
    """Give what may be chosen; a closed choice only to who has made it."""
    if field.kind is FieldKind.YES_NO:
        return [("yes", _("Yes")), ("no", _("No"))]
    return [
        (one["slug"], in_language(one["name"]))
        for one in field.choices
        if not one.get("closed") or one["slug"] in chosen
    ]


def typed_in(form: Form, field: Field) -> str | None:
    """Give what was said in a field's control; None when the form did not have it.

    A form says that it has several boxes, of which all may be empty, by one that is hidden.
    """
    name = name_of(field)
    if name not in form.names():
        return None
    if field.kind is FieldKind.CHOICES:
        return PARTED_BY.join(one for one in form.many(name) if one)
    return form.text(name)


def wrong_in(typed: Mapping[Field, str]) -> dict[str, str]:
    """Give what is wrong with what was typed, by the name of the control."""
    errors = {}
    for field, words in typed.items():
        try:
            read_value(field, words)
        except Invalid as refusal:
            errors[name_of(field)] = refusal.said()
    return errors
