"""Telling: a question as a plain sentence, and why somebody is in the answer or not."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from mailer.kit.facets import Facet, Option, Parameter, Takes
from mailer.kit.i18n import N_, _
from mailer.kit.work import Work
from mailer.segments import asking
from mailer.segments.tree import (
    Condition,
    Everybody,
    Nest,
    Nested,
    Node,
    conditions,
    plain,
)
from mailer.subscribers import store as subscribers
from mailer.subscribers.actions import SubscriberUnknown
from mailer.subscribers.model import Subscriber

CONDITION, EVERYBODY = "condition", "everybody"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One node in words: a nest of others, a condition, or everybody.

    `words` of a condition go on after "people who"; of a nest they are its heading. `so` says, for
    one person, whether it is true of them; None where nobody was asked about, and of a condition
    that cannot be answered.
    """

    path: str  # "0.2"; the outermost is ""
    kind: str  # "all", "any", "none", "condition" or "everybody"
    words: str
    node: Mapping[str, Any]  # as it stands in the tree
    wrong: str = ""
    parameter: str = ""  # the one of the condition that is wrong
    so: bool | None = None
    parts: tuple["Part", ...] = ()

    def all_parts(self) -> Iterator["Part"]:
        """Give this and all that are in it, in the order in which they are read."""
        yield self
        for part in self.parts:
            yield from part.all_parts()


_HEADINGS = {
    Nest.ALL: N_("all of these"),
    Nest.ANY: N_("at least one of these"),
    Nest.NONE: N_("none of these"),
}


async def sentence(work: Work, tree: object) -> str:
    """Say a question as one plain sentence, without its full stop."""
    told = await parts(work, tree)
    if told.kind == EVERYBODY:
        return _("Everybody on the roll")
    if told.kind == CONDITION:
        return _("People who %(what)s") % {"what": told.words}
    if not told.parts:
        return _("Nobody: nothing has been asked yet")
    return _("People who %(what)s") % {"what": _outermost(told)}


def _outermost(told: Part) -> str:
    """Join what stands side by side; what is taken away comes last, after "but not"."""
    if told.kind != Nest.ALL:
        return _inner(told, outermost=True)
    kept = [part for part in told.parts if part.kind != Nest.NONE]
    taken = [part for part in told.parts if part.kind == Nest.NONE and part.parts]
    if not kept:
        kept, taken = taken, []
    words = _and_who([_inner(part) for part in kept])
    for part in taken:
        words = _("%(people)s, but not those who %(others)s") % {
            "people": words,
            "others": _or([_inner(one) for one in part.parts]),
        }
    return words


def _inner(told: Part, *, outermost: bool = False) -> str:
    """Say a part so that it can stand among others."""
    if told.kind == EVERYBODY:
        return _("are on the roll")
    if told.kind == CONDITION:
        return told.words
    if not told.parts:
        return _("are nobody yet")
    said = [_inner(part) for part in told.parts]
    match told.kind:
        case Nest.NONE:
            return _("are none of those who %(others)s") % {"others": _or(said)}
        case Nest.ANY if len(said) > 1:
            return _or(said) if outermost else _("either %(some)s") % {"some": _or(said)}
        case Nest.ALL if len(said) > 1:
            return _("both %(some)s") % {"some": _and(said)}
        case _:
            return said[0]


def _and_who(said: Sequence[str]) -> str:
    words = said[0]
    for one in said[1:]:
        words = _("%(some)s, and who %(last)s") % {"some": words, "last": one}
    return words


def _or(said: Sequence[str]) -> str:
    words = said[0]
    for one in said[1:]:
        words = _("%(some)s or %(last)s") % {"some": words, "last": one}
    return words


def _and(said: Sequence[str]) -> str:
    words = said[0]
    for one in said[1:]:
        words = _("%(some)s and %(last)s") % {"some": words, "last": one}
    return words


# --- in parts -------------------------------------------------------------------------------------


async def parts(work: Work, tree: object) -> Part:
    """Tell each node of a question in words, with what is wrong at it."""
    node = await asking.grown(work, tree)
    return await _part(work, node, {}, positive=True)


async def why(work: Work, tree: object, subscriber: Subscriber) -> Part:
    """Tell each node of a question with whether it is so for somebody.

    Refuses for those whom the actor may not see, as if there were nobody.
    """
    standing = await subscribers.by_no(work, subscriber.no)
    if standing is None:
        raise SubscriberUnknown
    node = await asking.grown(work, tree)
    able = [one for one in conditions(node) if one.facet is not None and not one.wrong]
    found = await asking.which_are_so(work, able, subscriber.no)
    facts = {one.path: so is one.holds for one, so in zip(able, found, strict=True)}
    told = await _part(work, node, facts, positive=True, asked=True)
    # Who was erased answers to nothing, whatever is still known of them.
    return told if standing.erased_at is None else msgspec.structs.replace(told, so=False)


async def _part(
    work: Work, node: Node, facts: Mapping[str, bool], *, positive: bool, asked: bool = False
) -> Part:
    match node:
        case Everybody():
            return Part(
                path=node.path,
                kind=EVERYBODY,
                words=_("everybody on the roll"),
                node=plain(node),
                so=True if asked else None,
            )
        case Condition():
            return Part(
                path=node.path,
                kind=CONDITION,
                words=await _words(work, node),
                node=plain(node),
                wrong=node.wrong,
                parameter=node.parameter,
                so=facts.get(node.path),
            )
        case Nested():
            inner_positive = positive is not (node.nest is Nest.NONE)
            inner = [
                await _part(work, one, facts, positive=inner_positive, asked=asked)
                for one in node.nodes
            ]
            return Part(
                path=node.path,
                kind=node.nest.value,
                words=_(_HEADINGS[node.nest]),
                node=plain(node),
                parts=tuple(inner),
                so=_together(node.nest, inner, positive=positive) if asked else None,
            )


def _together(nest: Nest, inner: Sequence[Part], *, positive: bool) -> bool:
    """Join as `compiling` does: what is not known makes the whole answer smaller."""
    if not inner:
        return not positive
    inside = positive is not (nest is Nest.NONE)
    known = [(not inside) if part.so is None else part.so for part in inner]
    match nest:
        case Nest.ALL:
            return all(known)
        case Nest.ANY:
            return any(known)
        case Nest.NONE:
            return not any(known)


async def _words(work: Work, condition: Condition) -> str:
    facet = condition.facet
    if facet is None:
        return _("something we do not know")
    if condition.wrong:
        return _(facet.words if condition.holds else facet.negated) + " …"
    async with asking.at_home(work):
        return await facet.sentence(work, condition.args, holds=condition.holds)


# --- for the builder ------------------------------------------------------------------------------


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to fill in of a condition that is being built."""

    name: str
    takes: Takes
    words: str
    needed: bool
    value: Any  # as it stands in the tree; None where nothing was said yet
    options: tuple[Option, ...] = ()


async def controls(work: Work, condition: Mapping[str, Any]) -> list[Control]:
    """Give what a condition has to say so far, each with what it may be.

    What comes after a parameter may depend on it: where one has just changed, the rest are new.
    """
    facet = facet_of(condition)
    if facet is None:
        return []
    node = await asking.grown(work, condition)
    assert isinstance(node, Condition)
    async with asking.at_home(work):
        fitting = [
            (parameter, await _control(work, parameter, node.args))
            for parameter in facet.parameters
            if parameter.fits is None or await parameter.fits(work, node.args)
        ]
    # What there is nothing to choose of yet comes once there is; the first is always shown.
    return [
        control
        for at, (parameter, control) in enumerate(fitting)
        if at == 0 or parameter.options is None or control.options
    ]


async def _control(work: Work, parameter: Parameter, args: Mapping[str, Any]) -> Control:
    options = await parameter.options(work, args) if parameter.options else []
    return Control(
        name=parameter.name,
        takes=parameter.takes,
        words=_(parameter.words),
        needed=parameter.needed,
        value=args.get(parameter.name),
        options=tuple(Option(one.value, _(one.words)) for one in options),
    )


def facet_of(condition: Mapping[str, Any]) -> Facet | None:
    """Find the facet that a condition names."""
    name = condition.get("is") or condition.get("not")
    return next((facet for facet in asking.facets() if facet.name == name), None)
