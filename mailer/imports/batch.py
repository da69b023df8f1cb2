"""Some lines of an import, applied set-wise in one unit of work.

Every statement asks again what the rehearsal asked: who has said no since, left, or joined by
themselves is found out here, in the transaction that acts. What an undo must know is written into
the lines and into what they give, before anything is changed.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Executable,
    Select,
    Table,
    and_,
    case,
    delete,
    exists,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from mailer.activity.model import Activity
from mailer.consent import actions as consent
from mailer.consent.model import ConsentRecord, MailingList, Subscription, SubscriptionState
from mailer.fields.model import FieldValue
from mailer.groups import actions as groups
from mailer.groups import store as group_store
from mailer.imports import judging, store
from mailer.imports.judging import DETAILS, UNSCOPED, L, S, refusal, there, within
from mailer.imports.model import (
    Basis,
    Fate,
    Gives,
    Import,
    ImportItem,
    ImportName,
    Rule,
    Why,
)
from mailer.kit.orm import Json, UtcDateTime
from mailer.kit.work import Work
from mailer.organisation.model import Organisation
from mailer.outbox.model import Letter
from mailer.phones import actions as phones
from mailer.phones import store as phone_store
from mailer.subscribers.model import (
    GroupRole,
    Membership,
    Subscriber,
    Suppression,
)
from mailer.tags import actions as tags
from mailer.tags.model import Tagging
from mailer.tiers.model import ChosenTier, Source, TierChange

LETTERS_WAIT = timedelta(hours=1)
"""Who is asked gets their letter after that: till then an undo takes it back unsent."""

I = cast(Table, ImportItem.__table__).c  # noqa: E741  # beside L and S it reads well
N = cast(Table, ImportName.__table__).c

_KNOWN = (Fate.KNOWN, Fate.CHANGED)


class Ground:
    """What is the same for all lines of an import: the list, the words, the house."""

    def __init__(self, mailing_list: MailingList, us: Organisation, lowest_tier: int) -> None:
        """Take the list they join, who we are, and the tier of whom a file gives none."""
        self.mailing_list = mailing_list
        self.us = us
        self.lowest_tier = lowest_tier


class Batch:
    """The lines of an import from one to another."""

    def __init__(
        self, work: Work, import_: Import, ground: Ground, *, first: int, last: int
    ) -> None:
        """Take the lines; nothing is done yet."""
        self.work, self.import_, self.ground = work, import_, ground
        self.first, self.last = first, last
        self.here = within(import_, first, last)
        self.is_new = and_(L.fate == Fate.NEW, L.uid.is_not(None))
        self.willing = and_(
            self.here,
            L.fate.in_([Fate.NEW, *_KNOWN]),
            L.subscriber_no.is_not(None),
        )
        # Of whom something was on the roll before, so that an undo must know what.
        self.was_here = and_(self.willing, not_(self.is_new))
        self.some_known = False

    async def apply(self) -> dict[str, int]:
        """Do what the lines say, for whom it is still right; count what was done."""
        fates = await self._fates()
        lines = sum(fates.get(fate, 0) for fate in (Fate.NEW, *_KNOWN))
        if not lines:
            await store.empty_lines(self.work, self.import_, self.first, self.last)
            return {}
        done = {"lines": lines, "added": await self._add()}
        joined = await self._find(fates.get(Fate.NEW, 0) - done["added"])
        self.some_known = bool(joined or any(fates.get(fate) for fate in _KNOWN))
        if self.some_known:
            await self._look_again()
        await self._make_names()
        done["tagged"] = await self._tag()
        done["grouped"] = await self._group()
        done["fields"] = await self._fill_fields()
        done["changed"] = await self._change() if fates.get(Fate.CHANGED) else 0
        done["phones"] = await self._note_phones()
        done["placed"] = await self._place()
        done |= await self._subscribe()
        await self._tell()
        left = await self._fates()
        done["refused"] = left.get(Fate.REFUSED, 0) - fates.get(Fate.REFUSED, 0)
        await store.empty_lines(self.work, self.import_, self.first, self.last)
        return done

    async def _do(self, statement: Executable) -> int:
        """Execute, and give how many rows it was."""
        options: dict[str, Any] = {**UNSCOPED, "preserve_rowcount": True}
        result = await self.work.session.execute(statement.execution_options(**options))
        return max(cast("CursorResult[Any]", result).rowcount, 0)

    def _insert(self, kind: type[Any], columns: Mapping[str, Any], wanted: Select[Any]) -> Any:
        """Insert what a question over the lines gives, where it does not stand already."""
        on_postgres = self.work.session.get_bind().dialect.name == "postgresql"
        table = cast(Table, kind.__table__)
        rows = wanted.with_only_columns(*columns.values())
        insert = (postgresql if on_postgres else sqlite).insert(table)
        return insert.from_select(list(columns), rows).on_conflict_do_nothing()

    def _now(self) -> ColumnElement[datetime]:
        return literal(self.work.now, UtcDateTime())

    async def _fates(self) -> dict[Fate, int]:
        # Not by GROUP BY: SQLite would read the whole import in the order of its index of fates.
        counts = [func.count().filter(L.fate == fate) for fate in Fate]
        row = (await self.work.session.execute(select(*counts).where(self.here))).one()
        return dict(zip(Fate, row, strict=True))

    # --- people ---------------------------------------------------------------------------------

    async def _add(self) -> int:
        """Take those who are new onto the roll, unless they have said no since the rehearsal."""
        await self._do(
            update(L.line.table)
            .where(
                self.here,
                L.fate.in_([Fate.NEW, *_KNOWN]),
                L.address.is_not(None),
                there(Suppression, Suppression.mark == L.mark),
            )
            .values(fate=Fate.REFUSED, why=Why.SUPPRESSED)
        )
        words = ("city", "postcode", "region", "country", "time_zone")
        columns: dict[str, Any] = {
            "uid": L.uid,
            "address": L.address,
            "address_key": L.address_key,
            "mark": case((L.address.is_not(None), L.mark), else_=null()),
            "first_name": L.first_name,
            "last_name": L.last_name,
            "name_key": L.name_key,
            "called_key": L.called_key,
            "middle_key": L.middle_key,
            "second_key": L.second_key,
            **{name: func.coalesce(L[name], "") for name in words},
            "source": func.coalesce(func.nullif(L.source, ""), self.import_.source),
            "language": func.coalesce(L.language, self.ground.us.language),
            "door": literal(self.work.door, Subscriber.__table__.c.door.type),
            "joined_at": self._now(),
        }
        new = select(L.line).where(self.here, L.fate == Fate.NEW).order_by(L.line)
        return await self._do(self._insert(Subscriber, columns, new))

    async def _find(self, missing: int) -> int:
        """Find those who were added, and who has joined by themselves since; count the latter."""
        new = and_(self.here, L.fate == Fate.NEW)
        table = L.line.table
        await self._do(update(table).where(new, S.uid == L.uid).values(subscriber_no=S.no))
        if missing <= 0:
            return 0
        return await self._do(
            update(table)
            .where(new, L.subscriber_no.is_(None), S.address_key == L.address_key)
            .values(subscriber_no=func.coalesce(S.merged_no, S.no), uid=null())
        )

    async def _look_again(self) -> None:
        """Refuse the lines of those who have said no since, or are others now."""
        table = L.line.table
        owner = cast(Table, Subscriber.__table__).alias("owner")
        is_theirs = there(
            owner,
            owner.c.address_key == L.address_key,
            func.coalesce(owner.c.merged_no, owner.c.no) == L.subscriber_no,
        )
        gone = and_(L.address_key.is_not(None), not_(is_theirs))
        reasons = [*refusal(self.import_), (gone, Why.GONE)]
        refused = or_(*[condition for condition, _ in reasons])
        await self._do(
            update(table)
            .where(self.was_here, S.no == L.subscriber_no, refused)
            .values(fate=Fate.REFUSED, why=case(*reasons, else_=""))
        )

    # --- tags and groups ------------------------------------------------------------------------

    async def _make_names(self) -> None:
        """Make the tags and found the groups that these lines are the first to give."""
        wanted = (
            select(ImportName)
            .where(
                ImportName.import_no == self.import_.no,
                ImportName.no.is_(None),
                exists()
                .select_from(I.line.table.join(L.line.table, self._beside()))
                .where(self.willing, I.gives == N.gives, I.ref == N.ref)
                .correlate(N.no.table),
            )
            .order_by(ImportName.ref)
        )
        for name in (await self.work.session.scalars(wanted)).all():
            if name.gives == Gives.TAG:
                name.was_made = True
                name.no = (await tags.make(self.work, name=name.name)).no
            else:
                name.no, name.was_made = await self._group_of(name.name)
        await self.work.session.flush()

    async def _group_of(self, name: str) -> tuple[int, bool]:
        try:
            async with self.work.session.begin_nested():
                return (await groups.found(self.work, name=name)).no, True
        except groups.GroupExists:  # since the file was read
            standing = await group_store.by_name(self.work, name)
            assert standing is not None
            return standing.no, False

    def _beside(self) -> ColumnElement[bool]:
        return and_(I.import_no == L.import_no, I.line == L.line)

    def _given(self, gives: Gives) -> Select[Any]:
        """Ask for what the lines give: their person, and the tag or the group."""
        named = and_(N.import_no == I.import_no, N.gives == I.gives, N.ref == I.ref)
        return (
            select(L.subscriber_no)
            .select_from(L.line.table.join(I.line.table, self._beside()).join(N.no.table, named))
            .where(self.willing, I.gives == gives)
        )

    async def _mark_given(self, gives: Gives, has: ColumnElement[bool]) -> None:
        """Mark what somebody who was here is given and had not: an undo takes that back."""
        if not self.some_known:
            return
        named = (N.import_no == I.import_no, N.gives == I.gives, N.ref == I.ref)
        await self._do(
            update(I.line.table)
            .where(self._beside(), self.was_here, I.gives == gives, *named, not_(has))
            .values(was_given=True)
        )

    async def _tag(self) -> int:
        given = 0
        if "tags" in self.import_.columns:
            has = there(Tagging, Tagging.subscriber_no == L.subscriber_no, Tagging.tag_no == N.no)
            await self._mark_given(Gives.TAG, has)
            row = {"subscriber_no": L.subscriber_no, "tag_no": N.no, "since": self._now()}
            given += await self._do(self._insert(Tagging, row, self._given(Gives.TAG)))
        if self.import_.tag_no is not None:
            tag_no = self.import_.tag_no
            has = there(Tagging, Tagging.subscriber_no == L.subscriber_no, Tagging.tag_no == tag_no)
            await self._mark_did("g", not_(has))
            row = {
                "subscriber_no": L.subscriber_no,
                "tag_no": literal(tag_no),
                "since": self._now(),
            }
            given += await self._do(self._insert(Tagging, row, select(L.line).where(self.willing)))
        return given

    async def _mark_did(self, letter: str, condition: ColumnElement[bool]) -> None:
        if self.some_known:
            await self._do(
                update(L.line.table)
                .where(self.was_here, condition)
                .values(did=func.coalesce(L.did, "").concat(letter))
            )

    async def _group(self) -> int:
        if not {"group", "group_roles"} & set(self.import_.columns):
            return 0
        member = there(
            Membership, Membership.subscriber_no == L.subscriber_no, Membership.group_no == N.no
        )
        await self._mark_given(Gives.GROUP, member)
        row = {
            "subscriber_no": L.subscriber_no,
            "group_no": N.no,
            "since": self._now(),
            "role": func.coalesce(func.nullif(I.value, ""), GroupRole.MEMBER.value),
        }
        return await self._do(self._insert(Membership, row, self._given(Gives.GROUP)))

    # --- what is known of them ------------------------------------------------------------------

    async def _fill_fields(self) -> int:
        if not any(kind.startswith("field:") for kind in self.import_.columns):
            return 0
        given = [self.is_new]
        if self.some_known and self.import_.rule is not Rule.LEAVE:
            await self._mark_fields()
            given.append(I.was_given)
        row = {
            "subscriber_no": L.subscriber_no,
            "field_no": I.ref,
            "value": I.value,
            "number": I.number,
        }
        said = (
            select(L.subscriber_no)
            .select_from(L.line.table.join(I.line.table, self._beside()))
            .where(self.willing, I.gives == Gives.FIELD, or_(*given))
        )
        return await self._do(self._insert(FieldValue, row, said))

    async def _mark_fields(self) -> None:
        """Mark the values that change something, and move those that they take the place of."""
        held = and_(FieldValue.subscriber_no == L.subscriber_no, FieldValue.field_no == I.ref)
        fills = self.import_.rule is Rule.FILL
        has = there(FieldValue, held if fills else and_(held, FieldValue.value == I.value))
        field = I.gives == Gives.FIELD
        await self._do(
            update(I.line.table)
            .where(self._beside(), self.was_here, field, not_(has))
            .values(was_given=True)
        )
        if fills:
            return
        said = cast(Table, ImportItem.__table__).alias("said")
        beside = (said.c.import_no == L.import_no, said.c.line == L.line)
        about = (said.c.gives == Gives.FIELD, said.c.ref == FieldValue.field_no)
        speaks = there(said, *beside, *about)
        the_same = there(said, *beside, *about, said.c.value == FieldValue.value)
        theirs = and_(self.was_here, FieldValue.subscriber_no == L.subscriber_no)
        old = select(L.line).select_from(L.line.table.join(FieldValue, theirs))
        row = {
            "import_no": L.import_no,
            "line": L.line,
            "gives": literal(int(Gives.FIELD_BEFORE)),
            "ref": FieldValue.field_no,
            "value": FieldValue.value,
            "number": FieldValue.number,
        }
        await self._do(self._insert(ImportItem, row, old.where(speaks, not_(the_same))))
        people = select(L.subscriber_no).where(self.was_here)
        before = there(
            (I.line.table, L.line.table),
            I.import_no == self.import_.no,
            I.line.between(self.first, self.last),
            I.gives == Gives.FIELD_BEFORE,
            I.ref == FieldValue.field_no,
            I.value == FieldValue.value,
            I.line == L.line,
            L.import_no == I.import_no,
            L.subscriber_no == FieldValue.subscriber_no,
        )
        await self._do(delete(FieldValue).where(FieldValue.subscriber_no.in_(people), before))

    async def _change(self) -> int:
        """Write the details that the file knows better, by the rule; keep what stood there."""
        people = (
            select(L.line, S.no, *[S[name] for name in DETAILS], *[L[name] for name in DETAILS])
            .where(self.willing, L.fate == Fate.CHANGED, S.no == L.subscriber_no)
            .order_by(S.no)
            .execution_options(**UNSCOPED)
        )
        changes: list[dict[str, Any]] = []
        befores: list[dict[str, Any]] = []
        for line, no, *details in await self.work.session.execute(people):
            stands = dict(zip(DETAILS, details, strict=False))
            said = dict(zip(DETAILS, details[len(DETAILS) :], strict=True))
            becomes = {
                name: said[name]
                for name in DETAILS
                if said[name] and _changes(name, stands[name], said[name], self.import_.rule)
            }
            if not becomes:
                continue
            row = {**stands, **becomes}
            keys = Subscriber.keys_of(row["first_name"], row["last_name"])
            changes.append({"at": no, **row, **keys})
            befores.append(
                {"at": line, "kept": {"was": {n: stands[n] for n in becomes}, "became": becomes}}
            )
        await judging.write_details(self.work, changes)
        await judging.keep_befores(self.work, self.import_, befores)
        return len(changes)

    async def _note_phones(self) -> int:
        """Take down telephone numbers, under the evidence; who is only asked gave none for that."""
        if "phone" not in self.import_.columns or self.import_.basis is not Basis.AGREED:
            return 0
        wanted = select(L.line, L.subscriber_no, L.phone).where(self.willing, L.phone.is_not(None))
        if self.import_.rule is Rule.LEAVE:
            wanted = wanted.where(self.is_new)
        said = {
            no: (line, self.work.keys.unseal("phone", sealed))
            for line, no, sealed in (await self.work.session.execute(wanted))
        }
        if self.import_.rule is not Rule.OVERWRITE:
            standing = await phone_store.of_many(self.work, list(said))
            for no, phone in standing.items():
                if phone.sealed is not None:
                    del said[no]
        changed = await phones.note_many(
            self.work,
            {no: number for no, (_, number) in said.items()},
            wording=self.import_.evidence,
            language=self.ground.us.language,
            import_no=self.import_.no,
        )
        await judging.keep_phones(
            self.work,
            self.import_,
            [
                {"at": said[no][0], "kept": self.work.keys.seal("phone", before)}
                for no, before in changed.items()
            ],
        )
        return len(changed)

    async def _place(self) -> int:
        """Give a tier to those who have none: the file's, or for new people the lowest."""
        chosen = there(ChosenTier, ChosenTier.subscriber_no == L.subscriber_no)
        await self._mark_did("t", and_(L.tier_no.is_not(None), not_(chosen)))
        tier = func.coalesce(L.tier_no, self.ground.lowest_tier)
        moved = select(L.line).where(self.willing, or_(self.is_new, L.did.contains("t")))
        row = {"subscriber_no": L.subscriber_no, "tier_no": tier, "since": self._now()}
        placed = await self._do(self._insert(ChosenTier, row, moved))
        if placed:
            columns = TierChange.__table__.c
            change = {
                "subscriber_no": L.subscriber_no,
                "to_no": tier,
                "source": literal(Source.IMPORT, columns.source.type),
                "door": literal(self.work.door, columns.door.type),
                "account_no": literal(self.work.account, columns.account_no.type),
                "reason": literal(""),
                "made_at": self._now(),
            }
            await self._do(self._insert(TierChange, change, moved.order_by(L.line)))
        return placed

    # --- the list -------------------------------------------------------------------------------

    async def _subscribe(self) -> dict[str, int]:
        """Confirm or ask those who are not on the list; nobody is asked a second time."""
        list_no = self.import_.list_no
        state = (
            select(Subscription.state)
            .where(Subscription.subscriber_no == L.subscriber_no, Subscription.list_no == list_no)
            .scalar_subquery()
        )
        agrees = self.import_.basis is Basis.AGREED
        may: ColumnElement[bool] = L.address.is_not(None)
        if agrees:
            may = and_(may, L.never_agreed.is_(None))
        if self.some_known:
            missing = func.coalesce(state, "none")
            await self._do(
                update(L.line.table)
                .where(self.was_here, may, missing != SubscriptionState.CONFIRMED.value)
                .values(list_was=missing)
            )
        wanted = and_(self.willing, may, or_(self.is_new, L.list_was.is_not(None)))
        return {"confirmed": await self._agree(wanted)} if agrees else {"asked": await self._ask()}

    async def _agree(self, wanted: ColumnElement[bool]) -> int:
        list_no = self.import_.list_no
        columns = Subscription.__table__.c
        row = {
            "subscriber_no": L.subscriber_no,
            "list_no": literal(list_no),
            "state": literal(SubscriptionState.CONFIRMED, columns.state.type),
            "asked_at": self._now(),
            "confirmed_at": self._now(),
        }
        people = select(L.line).where(wanted)
        confirmed = await self._do(self._insert(Subscription, row, people))
        if self.some_known:
            waiting = select(L.subscriber_no).where(
                wanted, L.list_was == SubscriptionState.UNCONFIRMED.value
            )
            confirmed += await self._do(
                update(Subscription)
                .where(Subscription.list_no == list_no, Subscription.subscriber_no.in_(waiting))
                .values(
                    state=SubscriptionState.CONFIRMED,
                    confirmed_at=self.work.now,
                    ended_at=null(),
                )
                .execution_options(synchronize_session=False)
            )
        if confirmed:
            await self._do(self._insert(ConsentRecord, self._evidence(), people.order_by(L.line)))
        return confirmed

    def _evidence(self) -> dict[str, Any]:
        columns = ConsentRecord.__table__.c
        return {
            "subscriber_no": L.subscriber_no,
            "list_no": literal(self.import_.list_no),
            "purpose": literal(self.ground.mailing_list.slug),
            "controller": literal(self.ground.us.name),
            "channel": literal("email"),
            "given": literal(True),  # noqa: FBT003  # the value of a column
            "wording": literal(self.import_.evidence),
            "language": literal(self.ground.us.language),
            "door": literal(self.work.door, columns.door.type),
            "account_no": literal(self.work.account, columns.account_no.type),
            "at": func.coalesce(L.agreed_at, self._now()),
            "import_no": literal(self.import_.no),
        }

    async def _ask(self) -> int:
        """Ask by letter, in each one's language; the letters wait an hour."""
        wanted = and_(
            self.willing, L.address.is_not(None), or_(self.is_new, L.list_was.is_not(None))
        )
        people = (
            select(S.no, S.language)
            .where(wanted, S.no == L.subscriber_no)
            .order_by(S.no)
            .execution_options(**UNSCOPED)
        )
        by_language: dict[str, list[int]] = {}
        for no, language in await self.work.session.execute(people):
            by_language.setdefault(language, []).append(no)
        asked: list[int] = []
        for language, nos in by_language.items():
            asked += await consent.ask_many(
                self.work,
                nos,
                self.ground.mailing_list,
                wording=await consent.wording_of(self.work, self.ground.mailing_list, language),
                language=language,
            )
        due = self.work.now + LETTERS_WAIT
        await self._do(
            update(Letter)
            .where(
                Letter.subscriber_no.in_(asked),
                Letter.made_at == self.work.now,
                Letter.due_at < due,
            )
            .values(due_at=due)
            .execution_options(synchronize_session=False)
        )
        return len(asked)

    async def _tell(self) -> None:
        """Add one line to everybody's timeline."""
        columns = Activity.__table__.c
        row = {
            "subscriber_no": L.subscriber_no,
            "kind": literal("imported"),
            "at": self._now(),
            "door": literal(self.work.door, columns.door.type),
            "account_no": literal(self.work.account, columns.account_no.type),
            "facts": literal({"import": self.import_.no}, Json()),
        }
        people = select(L.line).where(self.willing).order_by(L.line)
        await self._do(self._insert(Activity, row, people))


def _changes(name: str, stands: str, said: str, rule: Rule) -> bool:
    if rule is Rule.FILL:
        return not stands and name != "language"
    return said != stands
