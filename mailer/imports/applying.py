"""Applying: what a person decided is done line by line, in batches, with the cursor in each.

A step of the worker takes the oldest import that waits, does batches for a moment (`stepping`), and
comes back. Who wants no mail is dealt with first.
"""

import dataclasses
from typing import Any

import structlog

from mailer.audit import actions as audit
from mailer.consent import store as lists
from mailer.imports import adding, bettering, giving, joining, store
from mailer.imports.batch import KNOWN, Batch, Ground
from mailer.imports.house import Rooms
from mailer.imports.model import Fate, Import, ImportState
from mailer.imports.opting_out import opt_out
from mailer.imports.pacing import Pace
from mailer.imports.stepping import SECONDS, Progress, in_batches
from mailer.kit.work import Work
from mailer.organisation import store as organisation
from mailer.tags import actions as tags
from mailer.tags import store as tag_store
from mailer.tiers import store as tiers

log = structlog.get_logger()

COUNTED = (
    "lines added confirmed asked placed grouped tagged fields changed phones opted_out refused"
).split()

_PACE = Pace()


async def apply_some(
    house: Rooms,
    *,
    uid: str | None = None,
    seconds: float = SECONDS,
    limit: int | None = None,
    progress: Progress | None = None,
) -> bool:
    """Apply batches of the oldest import that waits, or of this one; False when none does."""
    return await in_batches(
        house,
        ImportState.APPLYING,
        _apply_batch,
        _PACE,
        uid=uid,
        seconds=seconds,
        limit=limit,
        progress=progress,
    )


async def _apply_batch(work: Work, import_: Import, limit: int) -> None:
    # The timeline and the audit name who decided, though the worker does it.
    work = dataclasses.replace(work, account=import_.confirmed_by)
    ground = await _ground(work, import_)
    await _make_tag(work, import_)
    done: dict[str, int] = {}
    after = import_.done.get("opted_out_to", 0 if import_.counts.get(Fate.OPTS_OUT) else None)
    if after is not None:
        done, after = await opt_out(work, import_, ground, after=int(after), limit=limit)
    else:
        last = await store.last_of_batch(work, import_, limit)
        done = await _apply(Batch(work, import_, ground, first=import_.cursor + 1, last=last))
        import_.cursor = last
    import_.done = {
        **import_.done,
        **{name: int(import_.done.get(name, 0)) + done.get(name, 0) for name in COUNTED},
        "opted_out_to": after,
    }
    if after is None and import_.cursor >= int(import_.found["last_line"]):
        import_.state = ImportState.APPLIED
        import_.ended_at = work.now
        counts = {name: import_.done[name] for name in COUNTED}
        await audit.note(work, "import_applied", **{"import": import_.no, **counts})
        log.info("import_applied", **{"import": import_.no, **counts})


async def _apply(batch: Batch) -> dict[str, int]:
    """Do what the lines say, for whom it is still right; count what was done."""
    fates = await batch.fates()
    lines = sum(fates.get(fate, 0) for fate in (Fate.NEW, *KNOWN))
    done: dict[str, int] = {}
    if lines:
        done = {"lines": lines, "added": await adding.add(batch)}
        joined = await adding.find(batch, fates.get(Fate.NEW, 0) - done["added"])
        batch.some_known = bool(joined or any(fates.get(fate) for fate in KNOWN))
        if batch.some_known:
            await adding.look_again(batch)
        await giving.make_names(batch)
        done["tagged"] = await giving.tag(batch)
        done["grouped"] = await giving.group(batch)
        done["fields"] = await giving.fill_fields(batch)
        done["changed"] = await bettering.change(batch) if fates.get(Fate.CHANGED) else 0
        done["phones"] = await bettering.note_phones(batch)
        done["placed"] = await joining.place(batch)
        done |= await joining.subscribe(batch)
        await joining.tell(batch)
        left = await batch.fates()
        done["refused"] = left.get(Fate.REFUSED, 0) - fates.get(Fate.REFUSED, 0)
    await store.empty_lines(batch.work, batch.import_, batch.first, batch.last)
    return done


async def _ground(work: Work, import_: Import) -> Ground:
    mailing_list = await lists.list_by_no(work, import_.list_no)
    assert mailing_list is not None
    us = await organisation.the_one(work)
    return Ground(mailing_list, us, (await tiers.ladder(work))[0].no)


async def _make_tag(work: Work, import_: Import) -> None:
    """Make the tag that is put on everybody in the file, if it is not there yet."""
    name: Any = import_.format.get("tag")
    if name and import_.tag_no is None:
        standing = (await tag_store.by_names(work, [name])).values()
        import_.done = {**import_.done, "tag_made": not standing}
        import_.tag_no = (await tags.make(work, name=name)).no
        await work.session.flush()
