"""What can be asked about the fields of an organisation. Special ones cannot be asked about."""

from sqlalchemy import Select, select

from mailer.fields import store
from mailer.fields.model import Field, FieldKind, FieldValue
from mailer.fields.values import shown
from mailer.kit.facets import (
    Args,
    Facet,
    Fits,
    Option,
    Parameter,
    Takes,
    beginning,
    day_in_words,
    days_after,
    days_ago,
    number_of,
    repeats,
    spellings,
    today,
    uses_the,
)
from mailer.kit.i18n import N_, _, in_language, language, ngettext
from mailer.kit.work import Work

_FILLED = {"filled": N_("is filled in")}
_HOWS: dict[FieldKind, dict[str, str]] = {
    FieldKind.TEXT: {"is": N_("is"), "begins": N_("begins with"), **_FILLED},
    FieldKind.NUMBER: {
        "is": N_("is"),
        "at_least": N_("is at least"),
        "at_most": N_("is at most"),
        "between": N_("is between"),
        **_FILLED,
    },
    FieldKind.DATE: {
        "is": N_("is"),
        "before": N_("is before"),
        "after": N_("is after"),
        "between": N_("is between"),
        "last": N_("was in the last days"),
        "next": N_("is in the next days"),
        **_FILLED,
    },
    FieldKind.CHOICE: {"one_of": N_("is one of"), **_FILLED},
    FieldKind.CHOICES: {"one_of": N_("has one of"), **_FILLED},
    FieldKind.YES_NO: {"yes": N_("is yes"), "no": N_("is no"), **_FILLED},
}


async def _field(work: Work, args: Args) -> Field | None:
    """Find the field that a condition names, if it can be asked about."""
    number = number_of(args, "field")
    field = None if number is None else await store.by_no(work, number)
    if field is None or field.is_special or field.closed_at is not None:
        return None
    return field


async def _fields(work: Work, _args: Args) -> list[Option]:
    return [Option(str(one.no), in_language(one.name)) for one in await store.all_fields(work)]


async def _hows(work: Work, args: Args) -> list[Option]:
    field = await _field(work, args)
    return [Option(how, words) for how, words in _HOWS[field.kind].items()] if field else []


async def _choices(work: Work, args: Args) -> list[Option]:
    field = await _field(work, args)
    return [Option(one["slug"], in_language(one["name"])) for one in field.choices] if field else []


def _of(kind: FieldKind, *hows: str) -> Fits:
    """Ask for a parameter only of fields of one kind, and beside some ways of asking."""

    async def fits(work: Work, args: Args) -> bool:
        field = await _field(work, args)
        return field is not None and field.kind is kind and args.get("how") in hows

    return fits


async def _is_chosen_from(_work: Work, args: Args) -> bool:
    return args.get("how") == "one_of"


async def _with_value(work: Work, args: Args) -> Select[int]:
    field = await work.session.get_one(Field, number_of(args, "field"))
    found = select(FieldValue.subscriber_no).where(FieldValue.field_no == field.no)
    value = FieldValue.value.expression
    match field.kind, args["how"]:
        case FieldKind.CHOICES, "filled":
            return repeats(found)
        case _, "filled":
            return found
        case FieldKind.CHOICES, _:
            return repeats(found.where(value.in_(args["values"])))
        case FieldKind.CHOICE, _:
            return found.where(value.in_(args["values"]))
        case FieldKind.YES_NO, answer:
            return found.where(value == answer)
        case FieldKind.TEXT, "is":
            return found.where(value.in_(sorted(spellings(args["text"]))))
        case FieldKind.TEXT, _:
            return beginning(value, args["text"], found.where)
        case FieldKind.NUMBER, how:
            return _with_number(found, how, args)
        case FieldKind.DATE, how:
            return _with_date(work, found, how, args)


def _with_number(found: Select[int], how: str, args: Args) -> Select[int]:
    number, said = FieldValue.number.expression, args["number"]
    match how:
        case "at_least":
            return found.where(number >= said)
        case "at_most":
            return found.where(number <= said)
        case "between":
            return found.where(number >= said, number <= args["most"])
        case _:
            return found.where(number == said)


def _with_date(work: Work, found: Select[int], how: str, args: Args) -> Select[int]:
    """Compare days as they are written: ISO 8601 dates sort as days do."""
    day = FieldValue.value.expression
    match how:
        case "before":
            return found.where(day < args["date"])
        case "after":
            return found.where(day > args["date"])
        case "between":
            return found.where(day >= args["date"], day <= args["until"])
        case "last":
            first = days_ago(work, args["days"]).isoformat()
            return found.where(day >= first, day <= today(work).isoformat())
        case "next":
            last = days_after(work, args["days"]).isoformat()
            return found.where(day >= today(work).isoformat(), day <= last)
        case _:
            return found.where(day == args["date"])


# --- in words -------------------------------------------------------------------------------------


async def _said(work: Work, args: Args, *, holds: bool) -> str:
    field = await work.session.get_one(Field, number_of(args, "field"))
    how = args["how"]
    if how == "filled":
        words = _("have something in %(field)s") if holds else _("have nothing in %(field)s")
        return words % {"field": in_language(field.name)}
    words = _("have in %(field)s %(what)s") if holds else _("do not have in %(field)s %(what)s")
    return words % {"field": in_language(field.name), "what": _what(field, how, args)}


def _what(field: Field, how: str, args: Args) -> str:
    match field.kind:
        case FieldKind.TEXT if how == "is":
            return _("“%(text)s”") % {"text": args["text"]}
        case FieldKind.TEXT:
            return _("what begins with “%(text)s”") % {"text": args["text"]}
        case FieldKind.NUMBER:
            return _what_number(field, how, args)
        case FieldKind.DATE:
            return _what_date(how, args)
        case FieldKind.YES_NO:
            return _("yes") if how == "yes" else _("no")
        case FieldKind.CHOICE | FieldKind.CHOICES:
            said = [shown(field, [slug], language.get()) for slug in args["values"]]
            words = said[0]
            for one in said[1:]:
                words = _("%(some)s or %(last)s") % {"some": words, "last": one}
            return words


def _what_number(field: Field, how: str, args: Args) -> str:
    words = {
        "at_least": N_("at least %(number)s"),
        "at_most": N_("at most %(number)s"),
        "between": N_("between %(number)s and %(most)s"),
        "is": N_("%(number)s"),
    }[how]
    number, most = (
        shown(field, [repr(args.get(name, 0.0))], language.get()) for name in ("number", "most")
    )
    return _(words) % {"number": number, "most": most}


def _what_date(how: str, args: Args) -> str:
    if how == "last":
        words = ngettext(
            "a day in the last %(days)s day", "a day in the last %(days)s days", args["days"]
        )
        return words % {"days": args["days"]}
    if how == "next":
        words = ngettext(
            "a day in the next %(days)s day", "a day in the next %(days)s days", args["days"]
        )
        return words % {"days": args["days"]}
    words = {
        "before": N_("a day before %(date)s"),
        "after": N_("a day after %(date)s"),
        "between": N_("a day from %(date)s to %(until)s"),
        "is": N_("%(date)s"),
    }[how]
    until = day_in_words(args["until"]) if "until" in args else ""
    return _(words) % {"date": day_in_words(args["date"]), "until": until}


FACETS = (
    Facet(
        name="field",
        group=N_("What we noted"),
        words=N_("have in the field"),
        negated=N_("do not have in the field"),
        parameters=(
            Parameter(name="field", takes=Takes.ONE, words=N_("Field"), options=_fields),
            Parameter(name="how", takes=Takes.ONE, words=N_("How"), options=_hows),
            Parameter(
                name="text",
                takes=Takes.TEXT,
                words=N_("Text"),
                fits=_of(FieldKind.TEXT, "is", "begins"),
            ),
            Parameter(
                name="number",
                takes=Takes.NUMBER,
                words=N_("Number"),
                fits=_of(FieldKind.NUMBER, "is", "at_least", "at_most", "between"),
            ),
            Parameter(
                name="most",
                takes=Takes.NUMBER,
                words=N_("At most"),
                fits=_of(FieldKind.NUMBER, "between"),
            ),
            Parameter(
                name="date",
                takes=Takes.DATE,
                words=N_("Date"),
                fits=_of(FieldKind.DATE, "is", "before", "after", "between"),
            ),
            Parameter(
                name="until",
                takes=Takes.DATE,
                words=N_("Until"),
                fits=_of(FieldKind.DATE, "between"),
            ),
            Parameter(
                name="days",
                takes=Takes.DAYS,
                words=N_("Days"),
                fits=_of(FieldKind.DATE, "last", "next"),
            ),
            Parameter(
                name="values",
                takes=Takes.SEVERAL,
                words=N_("Choices"),
                options=_choices,
                fits=_is_chosen_from,
            ),
        ),
        numbers=_with_value,
        sentence=_said,
        uses=uses_the("field", "field"),
    ),
)
