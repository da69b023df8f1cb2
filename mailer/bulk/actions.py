"""Doing one thing to many: counted, decided, done in small batches, and taken back.

Whom an act touches is written down when it is counted, so that what is decided is what was shown.
Doing it is a step of the worker: each batch is one transaction that holds the changes, what to go
back to, and the cursor. A crash loses the batch in hand and nothing else.
"""

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import Callable
from typing import Any, Protocol

import structlog

from mailer.accounts import store as accounts
from mailer.audit import actions as audit
from mailer.bulk import store
from mailer.bulk.deeds import WAYS
from mailer.bulk.model import TYPED_FROM, UNDO_FOR, WAITS_FOR, BulkAct, BulkState, Deed
from mailer.kit.errors import Conflict, Invalid, NotFound, Refusal
from mailer.kit.ids import new_uid
from mailer.kit.orm import Facts
from mailer.kit.work import Door, Work
from mailer.segments import asking

log = structlog.get_logger()

_LOOK = 0.05  # seconds until another look at what a worker has in hand


class ActUnknown(NotFound):
    """There is no such act, or it was never decided and is forgotten."""


class NobodyChosen(Invalid):
    """Nobody was chosen, so there is nobody to do this to."""


class NumberNeeded(Invalid):
    """Please type the number of people, %(touches)s, to show that you mean it."""


class ActDecided(Conflict):
    """This was decided before."""


class ActOver(Conflict):
    """This is complete, so there is nothing left to stop. You can undo it."""


class NothingToUndo(Conflict):
    """There is nothing here that can be taken back: nobody was changed, or 30 days have gone by."""


class Rooms(Protocol):
    """What can begin a unit of work: the house."""

    def work(
        self, *, reading: bool = False, door: Door = Door.SYSTEM
    ) -> contextlib.AbstractAsyncContextManager[Work]:
        """Begin one."""


# --- deciding -----------------------------------------------------------------------------------


async def propose(
    work: Work,
    deed: Deed,
    facts: Facts,
    *,
    tree: dict[str, Any] | None = None,
    uids: list[str] | None = None,
) -> BulkAct:
    """Count whom a deed would touch: all who answer to a question, or these. Nothing else changes.

    Who they are is kept with the act: whoever joins or moves before it is decided is not touched.
    """
    facts = await WAYS[deed].check(work, facts)
    act = BulkAct(
        uid=new_uid(),
        deed=deed,
        facts=facts,
        tree=tree,
        scope=None if work.scope is None else sorted(work.scope),
        state=BulkState.WAITING,
        made_at=work.now,
        made_by=work.account,
    )
    work.session.add(act)
    await work.session.flush()
    numbers = (
        await asking.numbers(work, tree) if tree is not None else store.these(work, uids or [])
    )
    act.touches = await store.touch(work, act, numbers)
    if not act.touches:
        raise NobodyChosen(field="who")
    act.would, act.letters = await store.foresee(work, act)
    return act


async def confirm(work: Work, act: BulkAct, *, typed: int | None = None) -> BulkAct:
    """Decide an act; from now on the worker does it. Deciding twice is deciding once.

    From a hundred people on, whoever decides types their number.
    """
    act = await _theirs(work, act)
    if act.state in {BulkState.WORKING, BulkState.DONE}:
        return act
    if act.state is not BulkState.WAITING:
        raise ActDecided
    if act.touches >= TYPED_FROM and typed != act.touches:
        raise NumberNeeded(field="number", touches=act.touches)
    act.state, act.confirmed_at = BulkState.WORKING, work.now
    await audit.note(work, "bulk_confirmed", bulk=act.no, deed=act.deed.value, number=act.touches)
    return act


async def leave(work: Work, act: BulkAct) -> None:
    """Forget an act that was counted and not decided."""
    act = await _theirs(work, act)
    if act.state is not BulkState.WAITING:
        raise ActDecided
    await store.forget(work, act)


async def stop(work: Work, act: BulkAct) -> BulkAct:
    """Stop an act before its next batch. What was done stays, and can be undone."""
    act = await store.held(work, act)
    if act.state is BulkState.STOPPED:
        return act
    if act.state is not BulkState.WORKING:
        raise ActOver
    _end(work, act, BulkState.STOPPED)
    await audit.note(work, "bulk_stopped", bulk=act.no, number=act.changed)
    return act


async def undo(work: Work, act: BulkAct) -> BulkAct:
    """Take an act back for those who were really changed and have not changed since.

    Within 30 days; the worker does it. Undoing twice is undoing once.
    """
    act = await store.held(work, act)
    if act.state in {BulkState.UNDOING, BulkState.UNDONE}:
        return act
    if not act.is_open_to_undo(work.now):
        raise NothingToUndo
    act.state, act.ended_at, act.refused = BulkState.UNDOING, None, None
    if not act.returned + act.left:  # else an undo that was refused goes on where it was
        act.cursor = 0
    await audit.note(work, "bulk_undo_begun", bulk=act.no, number=act.changed)
    return act


async def _theirs(work: Work, act: BulkAct) -> BulkAct:
    """Hold an act that was counted, for who counted it: it was counted for their eyes."""
    act = await store.held(work, act)
    if act.made_by != work.account:
        raise ActUnknown
    return act


# --- doing --------------------------------------------------------------------------------------

LONGEST = 0.02
"""Seconds that a batch may take: on SQLite nobody else can write meanwhile."""


class Pace:
    """How many people the next batch takes, so that it lasts about half of `LONGEST`."""

    FIRST, FEWEST, MOST = 20, 10, 400

    def __init__(self) -> None:
        """Begin small: how dear a deed is, only doing it tells."""
        self._sizes: dict[tuple[Deed, BulkState], int] = {}

    def of(self, act: BulkAct) -> int:
        """Give the size of the next batch."""
        return self._sizes.get((act.deed, act.state), self.FIRST)

    def took(self, key: tuple[Deed, BulkState], number: int, seconds: float) -> None:
        """Learn from a batch: at most twice as many next time, and at once fewer."""
        fair = int(number * LONGEST / 2 / max(seconds, 1e-4))
        self._sizes[key] = max(self.FEWEST, min(fair, number * 2, self.MOST))


_PACE = Pace()


async def work_some(house: Rooms) -> bool:
    """Do the next batch of the act that was decided first; False when there is nothing to do."""
    async with house.work(reading=True) as work:
        busy = await store.is_any_busy(work)
        tidy = not busy and await _is_any_forgettable(work)
    if tidy:
        return await _forget_some(house)
    return busy and await _work_batch(house, uid=None) is not None


async def drive(
    house: Rooms,
    uid: str,
    progress: Callable[[BulkAct], None] = lambda _act: None,
    *,
    patience: float | None = None,
) -> BulkAct:
    """Do one act, or its undoing, to its end. Another worker that has it in hand goes on first.

    `patience` is how many seconds that may take where somebody waits; the rest is the worker's.
    """
    until = None if patience is None else time.monotonic() + patience
    while True:
        act = await _work_batch(house, uid=uid)
        is_mine = act is not None
        if act is None:
            async with house.work(reading=True) as work:
                act = await store.named(work, uid)
            if act is None:
                raise ActUnknown
        progress(act)
        if act.state not in {BulkState.WORKING, BulkState.UNDOING}:
            return act
        if until is not None and time.monotonic() >= until:
            return act
        if not is_mine:
            await asyncio.sleep(_LOOK)


async def _work_batch(house: Rooms, *, uid: str | None) -> BulkAct | None:
    async with house.work(door=Door.ADMIN) as work:
        act = await store.to_work(work, uid=uid)
        if act is None:
            return None
        began, key, before = time.perf_counter(), (act.deed, act.state), _come_to(act)
        await _batch(work, act, _PACE.of(act))
        await work.session.flush()
        # Without the commit: how long a disk takes does not depend on how many they are.
        if number := _come_to(act) - before:
            _PACE.took(key, number, time.perf_counter() - began)
    return act


def _come_to(act: BulkAct) -> int:
    return act.done + act.returned + act.left


async def _batch(work: Work, act: BulkAct, limit: int) -> None:
    """Do a batch as whoever decided it: their name is on it, and they see whom they see today."""
    decided_by = await accounts.by_no(work, act.made_by) if act.made_by is not None else None
    if decided_by is not None and decided_by.disabled_at is not None:
        _end(work, act, BulkState.STOPPED, refused="AccountClosed")
        return
    scope = await accounts.scope_of(work, decided_by) if decided_by is not None else None
    theirs = dataclasses.replace(work, account=act.made_by, scope=_narrower(act.scope, scope))
    try:
        async with work.session.begin_nested():
            undoing = act.state is BulkState.UNDOING
            await (_undo_batch if undoing else _do_batch)(theirs, act, limit)
    except Refusal as refusal:
        # What it needs is gone, or no longer theirs: the next batch would be refused as well.
        await work.session.refresh(act)
        _end(work, act, BulkState.STOPPED, refused=type(refusal).__name__)
        log.warning("bulk_refused", act=act.no, refusal=refusal.code)


async def _do_batch(work: Work, act: BulkAct, limit: int) -> None:
    nos = await store.next_nos(work, act, limit)
    if not nos:
        _end(work, act, BulkState.DONE)
        await audit.note(work, "bulk_done", bulk=act.no, number=act.changed)
        log.info("bulk_done", act=act.no, touched=act.touches, changed=act.changed)
        return
    changed = await WAYS[act.deed].do(work, act, nos)
    await store.keep_before(work, act, changed)
    act.done += len(nos)
    act.changed += len(changed)
    act.cursor = nos[-1]


async def _undo_batch(work: Work, act: BulkAct, limit: int) -> None:
    changed = await store.next_changed(work, act, limit)
    if not changed:
        _end(work, act, BulkState.UNDONE)
        await audit.note(work, "bulk_undone", bulk=act.no, number=act.returned)
        log.info("bulk_undone", act=act.no, returned=act.returned, left=act.left)
        return
    returned = await WAYS[act.deed].undo(work, act, changed)
    act.returned += len(returned)
    act.left += len(changed) - len(returned)
    act.cursor = max(changed)


def _end(work: Work, act: BulkAct, state: BulkState, *, refused: str | None = None) -> None:
    act.state, act.ended_at, act.refused = state, work.now, refused


def _narrower(then: list[int] | None, now: frozenset[int] | None) -> frozenset[int] | None:
    """Give what was in sight when it was decided and still is: a care that was lost is lost."""
    if then is None:
        return now
    return frozenset(then) if now is None else now.intersection(then)


# --- forgetting ---------------------------------------------------------------------------------

FORGOTTEN_AT_ONCE = 2000


async def _is_any_forgettable(work: Work) -> bool:
    return await _forgettable(work, keep=False) is not None


async def _forget_some(house: Rooms) -> bool:
    """Forget some of the people of an act that was never decided, or is past all undoing."""
    async with house.work() as work:
        act = await _forgettable(work, keep=True)
        if act is None:
            return False
        if not await store.forget_people(work, act, FORGOTTEN_AT_ONCE) and (
            act.state is BulkState.WAITING
        ):
            await store.forget(work, act)
    return True


async def _forgettable(work: Work, *, keep: bool) -> BulkAct | None:
    return await store.forgettable(
        work,
        keep=keep,
        unconfirmed_before=work.now - WAITS_FOR,
        ended_before=work.now - UNDO_FOR,
    )
