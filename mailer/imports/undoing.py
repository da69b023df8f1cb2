"""Undoing a whole import: the roll is again as it was before, but for those who have acted since.

Who was new and has done nothing goes from the roll; of the others goes what the file gave them. Who
left, changed level or did anything else since stays as they are, and is counted. Evidence that came
with the file goes with it: it was not true.
"""

import dataclasses
from datetime import timedelta
from typing import Any, cast

import structlog
from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Executable,
    Table,
    and_,
    delete,
    func,
    not_,
    null,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError

from mailer.activity.model import Activity
from mailer.audit import actions as audit
from mailer.campaigns.model import Campaign
from mailer.consent.model import Confirmation, ConsentRecord, Subscription, SubscriptionState
from mailer.deliveries.model import Delivery
from mailer.fields.model import FieldValue
from mailer.groups.model import Group
from mailer.imports import judging, store
from mailer.imports.batch import I, N
from mailer.imports.house import Rooms
from mailer.imports.judging import UNSCOPED, L, S, there, within
from mailer.imports.model import Basis, Fate, Gives, Import, ImportName, ImportState
from mailer.imports.pacing import Pace
from mailer.imports.stepping import SECONDS, Progress, in_batches
from mailer.kit.work import Door, Work
from mailer.outbox.model import DeliveryState, Letter
from mailer.phones import actions as phones
from mailer.subscribers.model import Membership, Subscriber, Suppression, SuppressionReason
from mailer.tags.model import Tag, Tagging
from mailer.tiers.model import ChosenTier, TierChange
from mailer.tiers.model import Source as TierSource

log = structlog.get_logger()

UNDO_FOR = timedelta(days=7)
_UNSENT = (DeliveryState.QUEUED, DeliveryState.SKIPPED)

_PACE = Pace()


async def was_mailed(work: Work, import_: Import) -> bool:
    """Say whether anybody who came by an import was written to."""
    theirs = (L.import_no == import_.no, L.fate == Fate.NEW, L.uid.is_not(None))
    mailed = there(
        (L.line.table, S.no.table), *theirs, S.uid == L.uid, S.last_mailed_at.is_not(None)
    )
    written = there(
        (L.line.table, Letter),
        *theirs,
        Letter.subscriber_no == L.subscriber_no,
        Letter.state.not_in(_UNSENT),
    )
    return bool(
        await work.session.scalar(select(or_(mailed, written)).execution_options(**UNSCOPED))
    )


async def undo_some(
    house: Rooms,
    *,
    uid: str | None = None,
    seconds: float = SECONDS,
    limit: int | None = None,
    progress: Progress | None = None,
) -> bool:
    """Take back batches of the oldest import that is being undone; False when none is."""
    return await in_batches(
        house,
        ImportState.UNDOING,
        _undo_batch,
        _PACE,
        uid=uid,
        seconds=seconds,
        limit=limit,
        progress=progress,
    )


async def _undo_batch(work: Work, import_: Import, limit: int) -> None:
    work = dataclasses.replace(work, account=import_.confirmed_by)
    first = int(import_.done.get("undone_to", 0)) + 1
    end = int(import_.found["last_line"])
    last = min(first + limit - 1, end)
    undone, kept = await TakingBack(work, import_, first, last).take_back()
    import_.done = {
        **import_.done,
        "undone": int(import_.done.get("undone", 0)) + undone,
        "kept": int(import_.done.get("kept", 0)) + kept,
        "undone_to": last,
    }
    if last >= end:
        await _unmake_names(work, import_)
        import_.state = ImportState.UNDONE
        counts = {name: import_.done[name] for name in ("undone", "kept")}
        await audit.note(work, "import_taken_back", **{"import": import_.no, **counts})
        log.info("import_undone", **{"import": import_.no, **counts})


async def _unmake_names(work: Work, import_: Import) -> None:
    """Take away the groups and the tags that the import made, where nobody uses them."""
    made = [(one.gives, one.no) for one in await store.names(work, import_) if one.was_made]
    if import_.done.get("tag_made") and import_.tag_no is not None:
        made.append((Gives.TAG, import_.tag_no))
        import_.tag_no = None
    await work.session.execute(
        update(ImportName)
        .where(ImportName.import_no == import_.no)
        .values(no=None)
        .execution_options(synchronize_session=False)
    )
    await work.session.flush()
    for gives, no in made:
        kind, link = (Tag, Tagging.tag_no) if gives == Gives.TAG else (Group, Membership.group_no)
        try:
            async with work.session.begin_nested():
                await work.session.execute(
                    delete(kind)
                    .where(kind.no == no, not_(there(link.class_, link == no)))
                    .execution_options(synchronize_session=False)
                )
        except IntegrityError:  # something else names it, such as an account's scope
            continue


class TakingBack:
    """The lines of an import, from one to another, of which all is taken back."""

    def __init__(self, work: Work, import_: Import, first: int, last: int) -> None:
        """Take the lines; nothing is done yet."""
        self.work, self.import_ = work, import_
        self.here = within(import_, first, last)
        self.done = and_(self.here, L.subscriber_no.is_not(None), L.line <= import_.cursor)
        self.is_new = and_(L.fate == Fate.NEW, L.uid.is_not(None))
        goes = or_(L.did.is_(None), not_(L.did.contains("k")))
        touched = and_(self.done, L.fate.in_([Fate.NEW, Fate.KNOWN, Fate.CHANGED]), goes)
        self.new = and_(touched, self.is_new)
        self.known = and_(touched, not_(self.is_new))
        self.opted_out = and_(self.here, L.fate == Fate.OPTS_OUT, goes)

    async def take_back(self) -> tuple[int, int]:
        """Take back what these lines did; give how many were undone, and how many stay."""
        await self._keep_who_acted()
        kept = await self._count(and_(self.here, L.did.contains("k")))
        undone = await self._count(or_(self.new, self.known, self.opted_out))
        if await self._count(or_(self.known, self.opted_out)):
            await self._give_back_details()
            await self._take_items()
            await self._take_list()
            await self._forget_evidence()
        await self._do(
            delete(Suppression).where(
                Suppression.mark.in_(
                    select(L.mark).where(self.opted_out, L.did.contains("s")),
                ),
                Suppression.reason == SuppressionReason.IMPORTED,
            )
        )
        await self._do(
            delete(Subscriber).where(Subscriber.no.in_(select(L.subscriber_no).where(self.new)))
        )
        await self._do(
            update(L.line.table)
            .where(self.here, L.fate != Fate.REFUSED)
            .values(**store.EMPTY, before=null(), phone_before=null())
        )
        return undone, kept

    async def _do(self, statement: Executable) -> int:
        options: dict[str, Any] = {"synchronize_session": False, "preserve_rowcount": True}
        options |= UNSCOPED
        result = await self.work.session.execute(statement.execution_options(**options))
        return max(cast("CursorResult[Any]", result).rowcount, 0)

    async def _count(self, condition: ColumnElement[bool]) -> int:
        return await self.work.session.scalar(select(func.count()).where(condition)) or 0

    async def _keep_who_acted(self) -> None:
        """Mark those who have done something since, or to whom something was done."""
        since, until = self.import_.confirmed_at, self.import_.ended_at
        by_us = and_(Activity.door == Door.IMPORT, Activity.at <= until)
        acted = there(
            Activity, Activity.subscriber_no == L.subscriber_no, Activity.at >= since, not_(by_us)
        )
        chosen = there(
            Delivery,
            Delivery.subscriber_no == L.subscriber_no,
            Delivery.campaign_no.in_(self._campaigns()),
        )
        stays = or_(acted, and_(self.is_new, chosen))
        await self._do(
            update(L.line.table)
            .where(self.done, L.fate != Fate.REFUSED, L.fate != Fate.UNCHANGED, stays)
            .values(did=func.coalesce(L.did, "").concat("k"))
        )

    def _campaigns(self) -> Any:
        """Ask for the campaigns whose people were chosen since."""
        return select(Campaign.no).where(Campaign.frozen_at >= self.import_.confirmed_at)

    def _theirs(self) -> Any:
        return select(L.subscriber_no).where(or_(self.known, self.opted_out))

    async def _give_back_details(self) -> None:
        rows = (
            select(L.before, S.no, *[S[name] for name in judging.DETAILS])
            .where(self.known, L.before.is_not(None), S.no == L.subscriber_no)
            .execution_options(**UNSCOPED)
        )
        changes: list[dict[str, Any]] = []
        for before, no, *stands in await self.work.session.execute(rows):
            now = dict(zip(judging.DETAILS, stands, strict=True))
            back = {
                name: was
                for name, was in before["was"].items()
                if now[name] == before["became"][name]  # what was changed since is better known
            }
            row = {**now, **back}
            keys = Subscriber.keys_of(row["first_name"], row["last_name"])
            changes.append({"at": no, **row, **keys})
        await judging.write_details(self.work, changes)
        numbers = select(L.subscriber_no, L.phone_before).where(
            self.known, L.phone_before.is_not(None)
        )
        await phones.note_many(
            self.work,
            {
                no: self.work.keys.unseal("phone", sealed)
                for no, sealed in (await self.work.session.execute(numbers))
            },
            wording=self.import_.evidence or "–",
            language="en",
        )

    async def _take_items(self) -> None:
        """Take back tags, groups, fields and first levels."""
        lines = L.line.table
        beside = and_(I.import_no == L.import_no, I.line == L.line)
        named = and_(N.import_no == I.import_no, N.gives == I.gives, N.ref == I.ref)
        given = (
            select(L.subscriber_no, N.no)
            .select_from(lines.join(I.line.table, beside).join(N.no.table, named))
            .where(self.known, I.was_given)
        )
        await self._do(
            delete(Tagging).where(
                tuple_(Tagging.subscriber_no, Tagging.tag_no).in_(given.where(I.gives == Gives.TAG))
            )
        )
        await self._do(
            delete(Membership).where(
                tuple_(Membership.subscriber_no, Membership.group_no).in_(
                    given.where(I.gives == Gives.GROUP)
                )
            )
        )
        said = (
            select(L.subscriber_no, I.ref, I.value)
            .select_from(lines.join(I.line.table, beside))
            .where(self.known)
        )
        await self._do(
            delete(FieldValue).where(
                tuple_(FieldValue.subscriber_no, FieldValue.field_no, FieldValue.value).in_(
                    said.where(I.gives == Gives.FIELD, I.was_given)
                )
            )
        )
        columns = ["subscriber_no", "field_no", "value", "number"]
        before = said.add_columns(I.number).where(I.gives == Gives.FIELD_BEFORE)
        table = cast(Table, FieldValue.__table__)
        await self._do(table.insert().from_select(columns, before))
        if self.import_.tag_no is not None:
            ours = select(L.subscriber_no).where(self.known, L.did.contains("g"))
            await self._do(
                delete(Tagging).where(
                    Tagging.tag_no == self.import_.tag_no, Tagging.subscriber_no.in_(ours)
                )
            )
        placed = select(L.subscriber_no).where(self.known, L.did.contains("t"))
        await self._do(delete(ChosenTier).where(ChosenTier.subscriber_no.in_(placed)))
        await self._do(
            delete(TierChange).where(
                TierChange.subscriber_no.in_(placed),
                TierChange.source == TierSource.IMPORT,
                TierChange.made_at >= self.import_.confirmed_at,
            )
        )

    async def _take_list(self) -> None:
        """Put people back where they stood on the list."""
        list_no = self.import_.list_no
        was = select(L.subscriber_no).where(or_(self.known, self.opted_out))
        on_it = Subscription.list_no == list_no
        never = was.where(L.list_was == "none")
        waited = was.where(L.list_was == SubscriptionState.UNCONFIRMED.value)
        agreed = was.where(L.list_was == SubscriptionState.CONFIRMED.value)
        if self.import_.basis is Basis.ASK:
            asked = (
                Confirmation.list_no == list_no,
                Confirmation.made_at >= self.import_.confirmed_at,
                Confirmation.made_at <= self.import_.ended_at,
                Confirmation.subscriber_no.in_(was.where(L.list_was.is_not(None))),
            )
            numbers = (await self.work.session.scalars(select(Confirmation.no).where(*asked))).all()
            keys = [f"confirm:{no}" for no in numbers]
            await self._do(delete(Letter).where(Letter.dedupe_key.in_(keys)))
            await self._do(delete(Confirmation).where(Confirmation.no.in_(numbers)))
        await self._do(delete(Subscription).where(on_it, Subscription.subscriber_no.in_(never)))
        for people, state in (
            (waited, SubscriptionState.UNCONFIRMED),
            (agreed, SubscriptionState.CONFIRMED),
        ):
            values: dict[str, Any] = {"state": state, "ended_at": null()}
            if state is SubscriptionState.UNCONFIRMED:
                values["confirmed_at"] = null()
            await self._do(
                update(Subscription)
                .where(on_it, Subscription.subscriber_no.in_(people))
                .values(**values)
            )

    async def _forget_evidence(self) -> None:
        await self._do(
            delete(ConsentRecord).where(
                ConsentRecord.import_no == self.import_.no,
                ConsentRecord.subscriber_no.in_(self._theirs()),
            )
        )
        await self._do(
            delete(Activity).where(
                Activity.subscriber_no.in_(self._theirs()),
                Activity.door == Door.IMPORT,
                Activity.at >= self.import_.confirmed_at,
                Activity.at <= self.import_.ended_at,
            )
        )
