"""The tree of conditions: reading one that came from outside, and one that was kept.

A tree is plain JSON. A node is a nest of others, a condition, or everybody said aloud:

    {"all": [node, …]}   {"any": [node, …]}   {"none": [node, …]}
    {"is": "tag", "tag": "7"}   {"not": "tag", "tag": "7"}   {"everybody": true}

Nothing that is asked is nobody: `{}`, and a nest with nothing in it, be it `none`. What a condition
stands on may go after it was saved (a tag is closed, a group is out of the reader's scope); such a
condition says so, and never makes the answer larger.
"""

import datetime as dt
import enum
import math
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from mailer.kit.errors import Invalid
from mailer.kit.facets import (
    LONGEST_TEXT,
    MOST_CHOSEN,
    MOST_DAYS,
    Args,
    Facet,
    Parameter,
    Takes,
    Uses,
)
from mailer.kit.i18n import _
from mailer.kit.work import Work

Tree = dict[str, Any]
NOBODY: Tree = {"all": []}
EVERYBODY: Tree = {"everybody": True}

DEEPEST = 6
MOST_NODES = 60
_LONGEST_CHOICE = 400


class ConditionWrong(Invalid):
    """One condition cannot be asked like this: %(what)s."""


class NotATree(Invalid):
    """We could not read this question."""


class TooDeep(Invalid):
    """These conditions are nested too deeply. Six levels are the most there can be."""


class TooMany(Invalid):
    """These are too many conditions. Sixty are the most there can be."""


class Nest(enum.StrEnum):
    """How the conditions of a nest belong together."""

    ALL = "all"
    ANY = "any"
    NONE = "none"


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """One question. `wrong` says why it cannot be answered, in the reader's language."""

    path: str  # "0.2": the third in the first of the outermost nest
    name: str
    holds: bool  # False: asked for those of whom it is not true
    args: dict[str, Any] = {}
    facet: Facet | None = None
    wrong: str = ""
    parameter: str = ""  # the one that is wrong


class Nested(msgspec.Struct, frozen=True, kw_only=True):
    """Several nodes that belong together."""

    path: str
    nest: Nest
    nodes: tuple["Node", ...]


class Everybody(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody on the roll, said aloud."""

    path: str


Node = Condition | Nested | Everybody

_FACETS: dict[str, Facet] = {}


def register(*facets: Facet) -> None:
    """Let segments ask these; twice is once."""
    _FACETS.update({facet.name: facet for facet in facets})


def facets() -> Sequence[Facet]:
    """Give everything that can be asked, in the order in which it was registered."""
    return tuple(_FACETS.values())


# --- reading --------------------------------------------------------------------------------------


async def grow(work: Work, tree: object) -> Node:
    """Read a tree, with what is wrong noted at each condition; refuses what is no tree.

    A page asks the same several times. What was read in a unit of work that may not write is
    remembered until its end, for nothing that it stands on can change in it.
    """
    remembered = _remembered(work)
    key = _written(tree) if remembered is not None else None
    if remembered is not None and key in remembered:
        return remembered[key]
    node = await _Reader(work).node(tree, path="", depth=1)
    if remembered is not None and key is not None:
        remembered[key] = node
    return node


def _remembered(work: Work) -> dict[bytes | None, Node] | None:
    if not work.session.get_bind().get_execution_options().get("readonly"):
        return None
    # By scope: what somebody is not told the name of is not known to their question either.
    by_scope = work.session.info.setdefault("grown", {})
    remembered: dict[bytes | None, Node] = by_scope.setdefault(work.scope, {})
    return remembered


def _written(tree: object) -> bytes | None:
    """Give a tree as octets; None for what cannot be written, which `_Reader` refuses."""
    try:
        return msgspec.json.encode(tree)
    except (TypeError, ValueError, RecursionError):
        return None


class _Reader:
    def __init__(self, work: Work) -> None:
        self.work = work
        self.nodes = 0

    async def node(self, said: object, *, path: str, depth: int) -> Node:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise TooMany(path=path)
        if depth > DEEPEST:
            raise TooDeep(path=path)
        match said:
            case {"everybody": True}:
                return Everybody(path=path)
            case {"all": list(nodes)}:
                nest = Nest.ALL
            case {"any": list(nodes)}:
                nest = Nest.ANY
            case {"none": list(nodes)}:
                nest = Nest.NONE
            case {"is": str(name), **args}:
                return await _condition(self.work, name, {**args}, holds=True, path=path)
            case {"not": str(name), **args}:
                return await _condition(self.work, name, {**args}, holds=False, path=path)
            case {**rest} if not rest:
                return Nested(path=path, nest=Nest.ALL, nodes=())
            case _:
                raise NotATree(path=path)
        inner = [
            await self.node(one, path=f"{path}.{at}" if path else str(at), depth=depth + 1)
            for at, one in enumerate(nodes)
        ]
        return Nested(path=path, nest=nest, nodes=tuple(inner))


async def _condition(
    work: Work, name: str, said: Mapping[object, Any], *, holds: bool, path: str
) -> Condition:
    facet = _FACETS.get(name)
    if facet is None:
        return Condition(
            path=path, name=name[:40], holds=holds, wrong=_("We do not know what this asks.")
        )
    args: dict[str, Any] = {}
    for parameter in facet.parameters:
        if parameter.fits is not None and not await parameter.fits(work, args):
            continue
        try:
            found = await _argument(work, parameter, args, said.get(parameter.name))
        except _WrongError as wrong:
            return Condition(
                path=path,
                name=name,
                holds=holds,
                args=args | _as_said(parameter, said),
                facet=facet,
                wrong=str(wrong),
                parameter=parameter.name,
            )
        if found is not None:
            args[parameter.name] = found
    return Condition(path=path, name=name, holds=holds, args=args, facet=facet)


class _WrongError(Exception):
    """What is wrong with one argument, in the reader's language."""


def _as_said(parameter: Parameter, said: Mapping[object, Any]) -> dict[str, Any]:
    """Keep what was said wrongly, for showing it again, if it is short enough to be shown."""
    value = said.get(parameter.name)
    is_short = isinstance(value, str | int | float) and len(str(value)) <= LONGEST_TEXT
    return {parameter.name: value} if is_short else {}


async def _argument(work: Work, parameter: Parameter, args: Args, said: object) -> Any:
    """Give what was said as it is kept; None where nothing was, and nothing need be."""
    if said is None or said in ("", []):
        if parameter.needed:
            raise _WrongError(_("Something is still to be said here."))
        return None
    match parameter.takes:
        case Takes.ONE | Takes.SEVERAL:
            return await _chosen(work, parameter, args, said)
        case Takes.DAYS:
            return _days(said)
        case Takes.TEXT:
            return _text(said)
        case Takes.NUMBER:
            return _number(said)
        case Takes.DATE:
            return _date(said)


async def _chosen(work: Work, parameter: Parameter, args: Args, said: object) -> Any:
    wanted = [said] if isinstance(said, str) else said
    if not isinstance(wanted, list) or len(wanted) > MOST_CHOSEN:
        raise _WrongError(_("Choose one of those that are offered."))
    if not all(isinstance(one, str) and len(one) <= _LONGEST_CHOICE for one in wanted):
        raise _WrongError(_("Choose one of those that are offered."))
    if not all(_is_plain(one) for one in wanted):  # PostgreSQL would refuse the lookup of a NUL
        raise _WrongError(_("Choose one of those that are offered."))
    assert parameter.options is not None, parameter.name
    offered = await parameter.options(work, {**args, parameter.name: said})
    known = {option.value for option in offered}
    if not known.issuperset(wanted):
        raise _WrongError(_("What this asks about is not here any more."))
    if parameter.takes is Takes.SEVERAL:
        return sorted(set(wanted))
    if len(wanted) != 1:
        raise _WrongError(_("Choose one of those that are offered."))
    return wanted[0]


def _days(said: object) -> int:
    text = str(said) if isinstance(said, int | str) and not isinstance(said, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= MOST_DAYS):
        raise _WrongError(_("Write a whole number of days."))
    return int(text)


def _text(said: object) -> str:
    if not isinstance(said, str) or len(said) > LONGEST_TEXT:
        raise _WrongError(_("This text is too long."))
    text = " ".join(unicodedata.normalize("NFC", said).split())
    if not text or not _is_plain(text):
        raise _WrongError(_("Write a word here, in plain letters."))
    return text


def _is_plain(text: str) -> bool:
    return not any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in text)


def _number(said: object) -> float:
    wrong = _WrongError(_("Write a number here."))
    if isinstance(said, bool) or not isinstance(said, int | float | str) or len(str(said)) > 40:
        raise wrong
    try:
        number = float(str(said).replace(",", ".") if isinstance(said, str) else said)
    except (ValueError, OverflowError):
        raise wrong from None
    if not math.isfinite(number):
        raise wrong
    return number


def _date(said: object) -> str:
    wrong = _WrongError(_("Write a date, like 2026-03-09."))
    if not isinstance(said, str) or len(said) != 10:
        raise wrong
    try:
        day = dt.date.fromisoformat(said)
    except ValueError:
        raise wrong from None
    # A day of room at both ends for time zones and "until the end of the day".
    if not 2 <= day.year <= 9998:
        raise wrong
    return day.isoformat()


# --- what was read --------------------------------------------------------------------------------


def plain(node: Node) -> Tree:
    """Give a node as JSON again, each condition as its facet wants it."""
    match node:
        case Everybody():
            return dict(EVERYBODY)
        case Nested():
            return {node.nest.value: [plain(one) for one in node.nodes]}
        case Condition():
            return {"is" if node.holds else "not": node.name, **node.args}


def conditions(node: Node) -> Iterator[Condition]:
    """Give all conditions, in the order in which they are read."""
    match node:
        case Nested():
            for one in node.nodes:
                yield from conditions(one)
        case Condition():
            yield node
        case Everybody():
            return


def first_wrong(node: Node) -> ConditionWrong | None:
    """Give a refusal of the first condition that cannot be answered."""
    for one in conditions(node):
        if one.wrong:
            return ConditionWrong(
                what=one.wrong, path=one.path, parameter=one.parameter, field="tree"
            )
    return None


def uses(tree: object) -> Uses:
    """Give what of ours a stored tree stands on, without asking the database."""
    found: Uses = set()
    if not isinstance(tree, dict):
        return found
    for nest in Nest:
        inner = tree.get(nest.value)
        for one in inner if isinstance(inner, list) else ():
            found |= uses(one)
    facet = _FACETS.get(str(tree.get("is") or tree.get("not")))
    return found | facet.uses(tree) if facet else found
