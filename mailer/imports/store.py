"""Questions about imports, and what the roll knows of the people in a file, asked set-wise."""

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import exists, func, insert, or_, select, update

from mailer.consent.model import Subscription, SubscriptionState
from mailer.imports.model import Fate, Import, ImportLine, ImportState
from mailer.kit.orm import Facts
from mailer.kit.pages import Page, cut
from mailer.kit.work import Work
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import Subscriber
from mailer.tiers import store as tiers


async def by_uid(work: Work, uid: str) -> Import | None:
    """Give the import of this name."""
    return await work.session.scalar(select(Import).where(Import.uid == uid))


async def by_nos(work: Work, nos: Collection[int]) -> dict[int, Import]:
    """Find several by number."""
    found = await work.session.scalars(select(Import).where(Import.no.in_(nos)))
    return {import_.no: import_ for import_ in found}


async def by_no(work: Work, no: int) -> Import | None:
    """Give the import of this number."""
    return await work.session.get(Import, no)


async def recent(work: Work, *, limit: int = 20) -> Sequence[Import]:
    """Give the newest imports, newest first."""
    newest = select(Import).order_by(Import.no.desc()).limit(limit)
    return (await work.session.scalars(newest)).all()


async def lines(
    work: Work,
    import_: Import,
    *,
    fate: Fate | None = None,
    after: int = 0,
    limit: int = 50,
) -> Page[ImportLine]:
    """Give lines in the order of the file, a page at a time."""
    found = select(ImportLine).where(ImportLine.import_no == import_.no, ImportLine.line > after)
    if fate is not None:
        found = found.where(ImportLine.fate == fate)
    rows = (await work.session.scalars(found.order_by(ImportLine.line).limit(limit + 1))).all()
    return cut(rows, limit, lambda row: row.line)


async def reasons(work: Work, import_: Import) -> dict[str, int]:
    """Count the refused lines by reason."""
    counted = (
        select(ImportLine.why, func.count())
        .where(ImportLine.import_no == import_.no, ImportLine.fate == Fate.REFUSED)
        .group_by(ImportLine.why)
    )
    found = await work.session.execute(counted)
    return {why: number for why, number in found}  # noqa: C416  # rows, not pairs, to mypy


async def keep_lines(work: Work, rows: Sequence[Facts]) -> None:
    """Write down the fates of a batch of lines."""
    await work.session.execute(insert(ImportLine), list(rows))


# --- applying -----------------------------------------------------------------------------------


async def is_any_waiting(work: Work) -> bool:
    """Say whether an import is being applied: asked often, so it must not take the write lock."""
    return bool(
        await work.session.scalar(select(exists().where(Import.state == ImportState.APPLYING)))
    )


async def to_apply(work: Work, *, uid: str | None = None) -> Import | None:
    """Take the oldest import that is being applied, or this one, and keep other workers from it."""
    wanted = select(Import).where(Import.state == ImportState.APPLYING)
    if uid is not None:
        wanted = wanted.where(Import.uid == uid)
    claimed = wanted.order_by(Import.confirmed_at, Import.no).limit(1)
    return await work.session.scalar(claimed.with_for_update(skip_locked=True))


async def held(work: Work, import_: Import) -> Import:
    """Read an import again and keep it: a batch in another process is waited for."""
    await work.session.flush()  # refreshing drops what is not written yet
    await work.session.refresh(import_, with_for_update=True)
    return import_


async def next_lines(work: Work, import_: Import, limit: int) -> Sequence[ImportLine]:
    """Give the lines after the cursor that change something."""
    waiting = (
        select(ImportLine)
        .where(
            ImportLine.import_no == import_.no,
            ImportLine.line > import_.cursor,
            ImportLine.fate.in_([Fate.NEW, Fate.KNOWN]),
        )
        .order_by(ImportLine.line)
        .limit(limit)
    )
    return (await work.session.scalars(waiting)).all()


async def forget_waiting(work: Work, import_: Import) -> None:
    """Empty the lines that will not be applied any more of who stood in them."""
    await work.session.execute(
        update(ImportLine)
        .where(ImportLine.import_no == import_.no, ImportLine.fate != Fate.REFUSED)
        .values(values={})
        .execution_options(synchronize_session=False),
    )


async def forget_older(work: Work, before: datetime) -> None:
    """Empty the lines of imports that ended before this, or were left lying since."""
    old = select(Import.no).where(
        Import.state != ImportState.APPLYING,
        or_(Import.ended_at < before, Import.made_at < before),
    )
    await work.session.execute(
        update(ImportLine)
        .where(ImportLine.import_no.in_(old))
        .values(values={})
        .execution_options(synchronize_session=False),
    )


# --- what the roll knows ------------------------------------------------------------------------


class Known(msgspec.Struct, kw_only=True):
    """Somebody who is on the roll already, with what matters to an import."""

    person: Subscriber
    lists: dict[int, SubscriptionState] = {}
    groups: set[int] = set()
    has_tier: bool = False

    def has_left(self, list_no: int) -> bool:
        """Say whether they have left this list, or all there were."""
        if self.lists.get(list_no) is SubscriptionState.UNSUBSCRIBED:
            return True
        return set(self.lists.values()) == {SubscriptionState.UNSUBSCRIBED}


async def known(work: Work, keys: Collection[str]) -> dict[str, Known]:
    """Find those of these addresses that are on the roll, by key."""
    people = await subscribers.by_keys(work, keys)
    by_no = {person.no: Known(person=person) for person in people.values()}
    states = select(Subscription.subscriber_no, Subscription.list_no, Subscription.state)
    for no, list_no, state in await work.session.execute(
        states.where(Subscription.subscriber_no.in_(by_no))
    ):
        by_no[no].lists[list_no] = state
    for membership in await subscribers.memberships_of(work, by_no):
        by_no[membership.subscriber_no].groups.add(membership.group_no)
    for no in await tiers.chosen_of(work, by_no):
        by_no[no].has_tier = True
    return {key: by_no[person.no] for key, person in people.items()}
