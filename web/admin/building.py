"""Building a question as a sentence: the form of its tree, and what its buttons do.

Each node of the tree is named by its place ("t" is the outermost, "t.0.2" the third in its first),
and its fields begin with that name. So the whole tree comes along with every button, and the server
gives it back changed; nothing is kept in between. What is asked stands in the address of a page as
one compact text, which may be sent to a colleague.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from mailer.kit.facets import Facet, Option, Takes
from mailer.kit.i18n import _, ngettext
from mailer.kit.work import Work
from mailer.segments import asking, telling
from mailer.segments.asking import EVERYBODY, NotATree, Tree
from mailer.segments.telling import Control, Part
from mailer.segments.tree import Nest
from web.admin.telling import number as telling_number
from web.kit.forms import Form

ROOT = "t"
LONGEST = 16_000
"""Characters of a question in an address."""

USUAL_DAYS = 30

_NAME = re.compile(
    rf"{ROOT}(?P<path>(?:\.[0-9]{{1,3}})*):(?P<what>nest|is|was|said)(?:\.(?P<argument>\w+))?"
)
_DEED = re.compile(r"(?P<what>add|nest|except|remove) (?P<path>[0-9.]*)")


# --- in an address --------------------------------------------------------------------------------


def read_asked(text: str) -> Tree | None:
    """Read a question out of an address; None where there is none. Refuses what is no question."""
    if not text:
        return None
    if len(text) > LONGEST:
        raise NotATree(field="tree")
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        raise NotATree(field="tree") from None
    if not isinstance(tree, dict):
        raise NotATree(field="tree")
    return None if is_nothing(tree) else tree


def written(tree: Tree | None) -> str:
    """Write a question as it stands in an address."""
    return "" if tree is None else json.dumps(tree, separators=(",", ":"), ensure_ascii=False)


def query(tree: Tree | None, **more: str | int) -> str:
    """Write the query of an address with a question in it, without what is not said."""
    said = {"tree": written(tree), **more}
    kept = {name: value for name, value in said.items() if value}
    return f"?{urlencode(kept)}" if kept else ""


def is_nothing(tree: Tree) -> bool:
    """Say whether nothing is asked yet."""
    return tree == {} or any(tree == {nest.value: []} for nest in Nest)


# --- how many -------------------------------------------------------------------------------------

LOOKED_AT = 50_000
"""Of so many people it is looked up who would get an email; of more it takes too long to wait."""


async def how_many(work: Work, tree: Tree) -> tuple[int, int | None]:
    """Count who answers, and who of them would get no email today; None where they are too many."""
    number = await asking.count(work, tree)
    if number > LOOKED_AT:
        return number, None
    counted = await asking.counted(work, tree)
    return counted.people, counted.people - counted.reachable


def unreachable(number: int, without: int | None) -> str:
    """Say how many of those who answer would get no email today; nothing where nobody knows."""
    if without is None or not number:
        return ""
    if not without:
        return _("each of them would get an email today")
    return ngettext(
        "%(count)s of them would not get an email today",
        "%(count)s of them would not get an email today",
        without,
    ) % {"count": telling_number(without)}


# --- the form -------------------------------------------------------------------------------------


def tree_of(form: Form) -> Tree:
    """Put the tree together of which a form has the fields. What has no place in it is left out."""
    nodes: dict[tuple[int, ...], dict[str, Any]] = {}
    for name in form.names():
        found = _NAME.fullmatch(name)
        if found is None:
            continue
        path = tuple(int(step) for step in found["path"].split(".")[1:])
        node = nodes.setdefault(path, {"said": {}})
        if found["what"] == "said" and found["argument"]:
            said = [one for one in form.many(name) if one]
            node["said"][found["argument"]] = said
        else:
            node[found["what"]] = form.raw(name)
    return _node(nodes, ())


def _node(nodes: Mapping[tuple[int, ...], Mapping[str, Any]], path: tuple[int, ...]) -> Tree:
    node = nodes.get(path, {})
    if "is" in node:
        return _condition(node)
    children = sorted(
        one for one in nodes if len(one) == len(path) + 1 and one[: len(path)] == path
    )
    nest = node.get("nest")
    known = nest if nest in {one.value for one in Nest} else Nest.ALL.value
    return {known: [_node(nodes, one) for one in children]}


def _condition(node: Mapping[str, Any]) -> Tree:
    """Read one condition; where another was chosen, what was said about the first is dropped."""
    holds, _colon, name = str(node["is"]).partition(":")
    if name == EVERYBODY_IS:
        return dict(EVERYBODY)
    facet = telling.facet_of({"is": name})
    said = node["said"] if node.get("was") == name else {}
    args = {
        one.name: said[one.name] if one.takes is Takes.SEVERAL else said[one.name][0]
        for one in (facet.parameters if facet else ())
        if said.get(one.name)
    }
    return {"not" if holds == "not" else "is": name, **args}


EVERYBODY_IS = "everybody"


# --- what buttons do ------------------------------------------------------------------------------


async def done(work: Work, tree: Tree, deed: str) -> Tree:
    """Give the tree after a button: a condition or a group more, or one less.

    Whatever has nothing said about it yet begins with the first that may be chosen.
    """
    if found := _DEED.fullmatch(deed):
        path = [int(step) for step in found["path"].split(".") if step][:10]
        if found["what"] == "remove":
            tree = _without(tree, path)
        else:
            _added(tree, path, _new(found["what"]))
    return await _begun(work, tree)


def _new(what: str) -> Tree:
    condition = {"is": asking.facets()[0].name}
    nests = {"nest": Nest.ANY.value, "except": Nest.NONE.value}
    return {nests[what]: [condition]} if what in nests else condition


def _inside(tree: Tree) -> list[Tree] | None:
    """Give the nodes of a nest, for changing them; None if it is no nest."""
    for nest in Nest:
        if isinstance(inner := tree.get(nest.value), list):
            return inner
    return None


def _added(tree: Tree, path: Iterable[int], node: Tree) -> None:
    for step in path:
        inner = _inside(tree)
        if inner is None or step >= len(inner):
            return
        tree = inner[step]
    if (inner := _inside(tree)) is not None:
        inner.append(node)


def _without(tree: Tree, path: list[int]) -> Tree:
    """Take a node out; a group with nothing left in it goes along."""
    inner = _inside(tree)
    if not path or inner is None or path[0] >= len(inner):
        return tree
    if path[1:]:
        inner[path[0]] = _without(inner[path[0]], path[1:])
    if not path[1:] or _inside(inner[path[0]]) == []:
        del inner[path[0]]
    return tree


async def _begun(work: Work, tree: Tree) -> Tree:
    """Let each condition that says nothing yet begin with the first that may be chosen."""
    if (inner := _inside(tree)) is not None:
        inner[:] = [await _begun(work, one) for one in inner]
        return tree
    if len(tree) > 1 or tree == EVERYBODY:
        return tree
    facet = telling.facet_of(tree)
    for _again in facet.parameters if facet else ():
        empty = next(
            (
                one
                for one in await telling.controls(work, tree)
                if one.needed and one.value is None and _first(one) is not None
            ),
            None,
        )
        if empty is None:
            break
        tree = {**tree, empty.name: _first(empty)}
    return tree


def _first(control: Control) -> Any:
    if control.takes is Takes.DAYS:
        return USUAL_DAYS
    if not control.options:
        return None
    first = control.options[0].value
    return [first] if control.takes is Takes.SEVERAL else first


# --- for the template -----------------------------------------------------------------------------


async def shown(work: Work, tree: Tree | None) -> dict[str, Any]:
    """Give the tree as the builder shows it: each node with its controls, or the nodes in it."""
    told = await telling.parts(work, tree or {})
    if told.kind in {telling.CONDITION, telling.EVERYBODY}:  # one alone stands in a nest, too
        told = await telling.parts(work, {Nest.ALL.value: [tree]})
    return {"nest": await _nest(work, told), "menu": _menu()}


async def _nest(work: Work, told: Part) -> dict[str, Any]:
    nodes = [
        await _nest(work, part) if part.kind in set(Nest) else await _line(work, part)
        for part in told.parts
    ]
    joins = {Nest.ALL: _("and who"), Nest.ANY: _("or who"), Nest.NONE: _("or who")}
    kind = Nest(told.kind)
    return {
        "is_nest": True,
        "path": told.path,
        "id": _id(told.path),
        "kind": kind.value,
        "nodes": nodes,
        "join": joins[kind],
    }


async def _line(work: Work, part: Part) -> dict[str, Any]:
    name = part.node.get("is") or part.node.get("not") or EVERYBODY_IS
    return {
        "is_nest": False,
        "path": part.path,
        "id": _id(part.path),
        "name": name,
        "chosen": f"{'not' if 'not' in part.node else 'is'}:{name}",
        "controls": [_control(one) for one in await telling.controls(work, part.node)],
        "wrong": part.wrong,
        "words": part.words,
        "is_known": name == EVERYBODY_IS or telling.facet_of(part.node) is not None,
    }


def _control(control: Control) -> dict[str, Any]:
    value = control.value
    chosen = [str(one) for one in value] if isinstance(value, list) else []
    options = list(control.options)
    offered = {one.value for one in options}
    # Nothing is chosen in place of what is gone: that would quietly ask something else.
    if control.takes is Takes.ONE and value is not None and str(value) not in offered:
        options.insert(0, Option(str(value), _("Not here any more")))
    elif control.takes is Takes.ONE and control.needed and value is None:
        options.insert(0, Option("", _("Choose")))
    return {
        "name": control.name,
        "takes": control.takes.value,
        "words": control.words,
        "needed": control.needed,
        "value": "" if value is None else value,
        "options": [(one.value, one.words) for one in options],
        "chosen": chosen,
        "chosen_words": ", ".join(one.words for one in options if one.value in chosen),
    }


def _menu() -> list[tuple[str, list[tuple[str, str]]]]:
    """Give all that can be asked under its headings, each also as its contrary."""
    groups: dict[str, list[Facet]] = {}
    for facet in asking.facets():
        groups.setdefault(facet.group, []).append(facet)
    menu = [
        (
            _(heading),
            [
                choice
                for facet in some
                for choice in (
                    (f"is:{facet.name}", _(facet.words)),
                    (f"not:{facet.name}", _(facet.negated)),
                )
            ],
        )
        for heading, some in groups.items()
    ]
    return [*menu, (_("Everybody"), [(f"is:{EVERYBODY_IS}", _("are on the roll"))])]


def _id(path: str) -> str:
    return f"{ROOT}.{path}" if path else ROOT
