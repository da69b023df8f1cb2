"""Demands: raising one, saying how far it has come, and telling that it was won."""

from mailer.asks import store
from mailer.asks.composing import ChangedMeanwhile
from mailer.asks.model import Demand, DemandState
from mailer.audit import actions as audit
from mailer.kit.errors import Conflict
from mailer.kit.i18n import in_language
from mailer.kit.ids import new_uid
from mailer.kit.orm import Localised
from mailer.kit.texts import in_languages
from mailer.kit.work import Work

LONGEST = {"title": 160, "text": 4000, "progress": 2000}
"""Characters, in each language."""


class NotOpenYet(Conflict):
    """This demand is a draft. Open it first."""


class SeenAlready(Conflict):
    """This demand was open already. It can be closed, and not thrown away."""


class StillServed(Conflict):
    """Asks serve this demand. Give them another one first, or none."""


async def raise_demand(work: Work, *, title: Localised, text: Localised) -> Demand:
    """Write a demand down, as a draft that nobody else sees."""
    demand = Demand(
        uid=new_uid(),
        state=DemandState.DRAFT,
        made_at=work.now,
        progress={},
        **_read(title=title, text=text),
    )
    work.session.add(demand)
    await work.session.flush()
    await audit.note(work, "demand_raised", demand=demand.no)
    return demand


async def describe(
    work: Work,
    demand: Demand,
    *,
    version: int,
    title: Localised,
    text: Localised,
    progress: Localised,
) -> Demand:
    """Change what a demand says and what was reached so far.

    `version` is the one that was read; refuses if somebody else has changed it since. The same
    words again change nothing.
    """
    demand = await store.hold_demand(work, demand)
    said = _read(title=title, text=text, progress=progress)
    changed = [name for name, words in said.items() if getattr(demand, name) != words]
    if not changed:
        return demand
    if demand.version != version:
        raise ChangedMeanwhile
    for name in changed:
        setattr(demand, name, said[name])
    demand.version += 1
    await work.session.flush()
    await audit.note(work, "demand_described", demand=demand.no, fields=changed)
    return demand


def _read(**texts: Localised) -> dict[str, Localised]:
    return {
        name: in_languages(words, longest=LONGEST[name], field=name, needed=name == "title")
        for name, words in texts.items()
    }


async def open_demand(work: Work, demand: Demand) -> Demand:
    """Let a draft be seen, and let asks be offered under it."""
    demand = await store.hold_demand(work, demand)
    if demand.state is not DemandState.DRAFT:
        return demand
    demand.state, demand.opened_at = DemandState.OPEN, work.now
    await work.session.flush()
    await audit.note(work, "demand_opened", demand=demand.no)
    return demand


async def throw_away(work: Work, demand: Demand) -> None:
    """Throw a draft away, for good: nobody has seen it, and no ask serves it."""
    demand = await store.hold_demand(work, demand)
    if demand.state is not DemandState.DRAFT:
        raise SeenAlready
    if await store.asks_of(work, demand.no):
        raise StillServed
    await audit.note(work, "demand_thrown_away", title=in_language(demand.title))
    await work.session.delete(demand)
    await work.session.flush()


async def win(work: Work, demand: Demand) -> Demand:
    """Tell that a demand was won. Its asks stay as they are."""
    return await _end(work, demand, DemandState.WON, "demand_won")


async def close(work: Work, demand: Demand) -> Demand:
    """Pursue a demand no longer. Its asks stay as they are."""
    return await _end(work, demand, DemandState.CLOSED, "demand_closed")


async def reopen(work: Work, demand: Demand) -> Demand:
    """Take up again a demand that was closed, or that was told as won too early."""
    demand = await store.hold_demand(work, demand)
    if demand.state is DemandState.OPEN:
        return demand
    if demand.state is DemandState.DRAFT:
        raise NotOpenYet
    demand.state, demand.closed_at = DemandState.OPEN, None
    await work.session.flush()
    await audit.note(work, "demand_reopened", demand=demand.no)
    return demand


async def _end(work: Work, demand: Demand, how: DemandState, act: str) -> Demand:
    demand = await store.hold_demand(work, demand)
    if demand.state is how:
        return demand
    if demand.state is DemandState.DRAFT:
        raise NotOpenYet
    demand.state, demand.closed_at = how, work.now
    await work.session.flush()
    await audit.note(work, act, demand=demand.no)
    return demand
