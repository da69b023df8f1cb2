"""Composing an ask: what is to be done, by whom and until when; opening it, and closing it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from typing_extensions import Unpack

from mailer.asks import store
from mailer.asks.model import Ask, AskFor, AskState, Evidence, Turn
from mailer.audit import actions as audit
from mailer.kit.errors import Conflict, Forbidden, Invalid
from mailer.kit.i18n import in_language
from mailer.kit.ids import new_uid
from mailer.kit.orm import Localised
from mailer.kit.texts import in_languages, one_line
from mailer.kit.work import Work
from mailer.tiers import store as tiers

LONGEST = {"title": 160, "text": 4000, "why": 1000, "unit": 60, "risk": 1000, "rights": 8000}
"""Characters, in each language."""

LONGEST_CONTACT = 300
MOST_MINUTES = 10_000
MOST_DAYS = 365
MOST = 1_000_000_000


class MinutesOutOfRange(Invalid):
    """Say in 1 to 10,000 minutes how long it takes, or leave it empty."""


class TargetOutOfRange(Invalid):
    """A target is a whole number above 0. Leave it empty if there is none."""


class CapacityOutOfRange(Invalid):
    """Say for how many people there is room, in a number above 0, or leave it empty."""


class RepeatOutOfRange(Invalid):
    """Say after how many days it is asked again, in 1 to 365."""


class AudienceUnknown(Invalid):
    """Choose among those whom an ask can be for."""


class LevelUnknown(Invalid):
    """Choose among the levels of the ladder."""


class DemandUnknown(Invalid):
    """Choose one of the demands."""


class DeadlineGone(Invalid):
    """This deadline has gone by. Choose a later one, or leave it empty."""


class ContactMissing(Invalid):
    """Where there is a risk, people need somebody to turn to. Say whom."""


class ChangedMeanwhile(Conflict):
    """Somebody changed this after you opened it. Look at it again before you change it."""


class SeenAlready(Forbidden):
    """People have seen this ask already. Somebody who may send newsletters can change it."""


class NotADraft(Conflict):
    """People have seen this ask already. It can be closed, and not thrown away."""


class NeverOpened(Conflict):
    """This ask is a draft. Open it first."""


class AskFields(TypedDict, total=False):
    """What may be said of an ask beside its title, as it was typed."""

    demand_no: int | None
    text: Localised
    why: Localised
    minutes: int | None
    unit: Localised
    target: int | None
    audience: Sequence[str]
    minimum_tier_no: int | None
    suggested_tier_no: int | None
    turn: Turn
    repeat_days: int | None
    risk: Localised
    rights: Localised
    support_contact: str
    evidence: Evidence
    needs_support: bool
    capacity: int | None
    deadline: datetime | None


async def draft(work: Work, *, title: Localised, **rest: Unpack[AskFields]) -> Ask:
    """Write an ask down, as a draft that nobody is asked yet."""
    said = await _read(work, None, title=title, **rest)
    said["repeat_days"] = _repeat(said.get("turn", Turn.ONCE), said.get("repeat_days"))
    ask = Ask(uid=new_uid(), state=AskState.DRAFT, made_at=work.now, **said)
    work.session.add(ask)
    await work.session.flush()
    await audit.note(work, "ask_drafted", ask=ask.no)
    return ask


async def revise(
    work: Work,
    ask: Ask,
    *,
    version: int,
    title: Localised,
    only_a_draft: bool = False,
    **rest: Unpack[AskFields],
) -> Ask:
    """Change an ask; what is not named stays as it is.

    `version` is the one that was read; refuses if somebody else has changed it since. The same
    again changes nothing. Who has said yes keeps their yes, and a new deadline counts for them too:
    they are written to about it. So whoever may not send changes `only_a_draft`.
    """
    ask = await store.hold(work, ask)
    if only_a_draft and ask.state is not AskState.DRAFT:
        raise SeenAlready
    said = await _read(work, ask, title=title, **rest)
    said["repeat_days"] = _repeat(
        said.get("turn", ask.turn), said.get("repeat_days", ask.repeat_days)
    )
    changed = [name for name, value in said.items() if getattr(ask, name) != value]
    if not changed:
        return ask
    if ask.version != version:
        raise ChangedMeanwhile
    if ask.state is AskState.OPEN:
        _ask_for_whole(work, ask, said)
    for name in changed:
        setattr(ask, name, said[name])
    ask.version += 1
    await work.session.flush()
    await audit.note(work, "ask_revised", ask=ask.no, fields=changed)
    return ask


async def _read(work: Work, ask: Ask | None, **typed: Any) -> dict[str, Any]:
    """Give the columns for what was typed; refuses each at its field."""
    said = dict(typed)
    for name in LONGEST.keys() & typed.keys():
        said[name] = in_languages(
            typed[name], longest=LONGEST[name], field=name, needed=name == "title"
        )
    if "support_contact" in typed:
        said["support_contact"] = one_line(
            typed["support_contact"], longest=LONGEST_CONTACT, field="support_contact"
        )
    if "audience" in typed:
        said["audience"] = _audience(typed["audience"])
    for name, most, refusal in (
        ("minutes", MOST_MINUTES, MinutesOutOfRange),
        ("target", MOST, TargetOutOfRange),
        ("capacity", MOST, CapacityOutOfRange),
        ("repeat_days", MOST_DAYS, RepeatOutOfRange),
    ):
        number = typed.get(name)
        if number is not None and not 1 <= number <= most:
            raise refusal(field=name)
    await _ask_for_rows(work, ask, typed)
    return said


def _audience(typed: Sequence[str]) -> list[str]:
    """Give those whom it is for, in one order, each once."""
    known = [one.value for one in AskFor]
    if not set(typed) <= set(known):
        raise AudienceUnknown(field="audience")
    return [one for one in known if one in typed]


async def _ask_for_rows(work: Work, ask: Ask | None, typed: dict[str, Any]) -> None:
    """Refuse levels and demands that are not there. A level that was named stays, also closed."""
    ladder = {tier.no for tier in await tiers.ladder(work)}
    for name in ("minimum_tier_no", "suggested_tier_no"):
        named = {None} if ask is None else {None, getattr(ask, name)}
        if typed.get(name) not in ladder | named:
            raise LevelUnknown(field=name)
    demand_no = typed.get("demand_no")
    if demand_no is not None and await store.demand_by_no(work, demand_no) is None:
        raise DemandUnknown(field="demand_no")


def _repeat(turn: Turn, days: int | None) -> int | None:
    """See that what repeats says when, and that nothing else does."""
    if turn is not Turn.REPEAT:
        return None
    if days is None:
        raise RepeatOutOfRange(field="repeat_days")
    return days


def _ask_for_whole(work: Work, ask: Ask, said: Mapping[str, Any]) -> None:
    """Refuse to ask people what nobody can answer, or what may harm them alone."""
    deadline = said.get("deadline", ask.deadline)
    if deadline is not None and deadline < work.now:
        raise DeadlineGone(field="deadline")
    if said.get("risk", ask.risk) and not said.get("support_contact", ask.support_contact):
        raise ContactMissing(field="support_contact")


# --- open, and closed -----------------------------------------------------------------------------


async def open_ask(work: Work, ask: Ask) -> Ask:
    """Let people say yes. One that is open stays as it is, with its first date."""
    ask = await store.hold(work, ask)
    if ask.state is AskState.OPEN:
        return ask
    _ask_for_whole(work, ask, {})
    ask.state, ask.closed_at = AskState.OPEN, None
    ask.opened_at = ask.opened_at or work.now
    await work.session.flush()
    await audit.note(work, "ask_opened", ask=ask.no)
    return ask


async def throw_away(work: Work, ask: Ask) -> None:
    """Throw a draft away, for good: nobody has seen it."""
    ask = await store.hold(work, ask)
    if ask.state is not AskState.DRAFT:
        raise NotADraft
    await audit.note(work, "ask_thrown_away", title=in_language(ask.title))
    await work.session.delete(ask)
    await work.session.flush()


async def reopen_ask(work: Work, ask: Ask) -> Ask:
    """Let people say yes again to what was closed. Refuses while its deadline is one gone by."""
    ask = await store.hold(work, ask)
    if ask.state is AskState.DRAFT:
        raise NeverOpened
    return await open_ask(work, ask)


async def close_ask(work: Work, ask: Ask) -> Ask:
    """Take no more yes. Who said yes can still report what became of it."""
    ask = await store.hold(work, ask)
    if ask.state is AskState.CLOSED:
        return ask
    if ask.state is AskState.DRAFT:
        raise NeverOpened
    ask.state, ask.closed_at = AskState.CLOSED, work.now
    await work.session.flush()
    await audit.note(work, "ask_closed", ask=ask.no)
    return ask
