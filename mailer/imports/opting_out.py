"""Those who want no mail, as another tool knew it: dealt with before anybody else of a file.

Their addresses are never written to again, on the roll or not, and who is on the import's list is
taken off it. They get no letter about it: they have said so before.
"""

from typing import Any, cast

from sqlalchemy import Table, and_, literal, not_, null, select, update

from mailer.activity.model import Activity
from mailer.consent.model import ConsentRecord, Subscription, SubscriptionState
from mailer.imports import store
from mailer.imports.batch import Batch, Ground
from mailer.imports.judging import UNSCOPED, L, there
from mailer.imports.model import Fate, Import
from mailer.kit.orm import Json
from mailer.kit.work import Work
from mailer.subscribers.model import Suppression, SuppressionReason


async def opt_out(
    work: Work, import_: Import, ground: Ground, *, after: int, limit: int
) -> tuple[dict[str, int], int | None]:
    """Do some lines after this one; give what was done, and the last line, None at their end."""
    some = (
        select(L.line)
        .where(L.import_no == import_.no, L.fate == Fate.OPTS_OUT, L.line > after)
        .order_by(L.line)
        .limit(limit)
    )
    lines = (await work.session.scalars(some)).all()
    if not lines:
        return {}, None
    await OptingOut(work, import_, ground, first=lines[0], last=lines[-1]).suppress()
    return {"lines": len(lines), "opted_out": len(lines)}, lines[-1]


class OptingOut(Batch):
    """The lines, from one to another, of those who want no mail."""

    async def suppress(self) -> None:
        """Do what the lines say; what an undo must know is kept in them."""
        lines = L.line.table
        theirs = and_(self.here, L.fate == Fate.OPTS_OUT)
        on_list = and_(
            Subscription.subscriber_no == L.subscriber_no,
            Subscription.list_no == self.import_.list_no,
            Subscription.state != SubscriptionState.UNSUBSCRIBED,
        )
        await self.do(
            update(lines)
            .where(theirs, not_(there(Suppression, Suppression.mark == L.mark)))
            .values(did="s")
        )
        state = select(Subscription.state).where(on_list).scalar_subquery()
        await self.do(
            update(lines).where(theirs, there(Subscription, on_list)).values(list_was=state)
        )
        await self.do(self.insert(Suppression, self._suppression(), select(L.line).where(theirs)))
        await self._take_off()
        await self.do(self.insert(Activity, self._line(), self._people()))
        kept = {name: null() for name in store.EMPTY if name != "mark"}
        await self.do(update(lines).where(theirs).values(**kept))

    def _people(self) -> Any:
        return (
            select(L.line)
            .where(self.here, L.fate == Fate.OPTS_OUT, L.subscriber_no.is_not(None))
            .order_by(L.line)
        )

    def _suppression(self) -> dict[str, Any]:
        columns = cast(Table, Suppression.__table__).c
        return {
            "mark": L.mark,
            "reason": literal(SuppressionReason.IMPORTED, columns.reason.type),
            "at": self.now(),
            "door": literal(self.work.door, columns.door.type),
            "account_no": literal(self.work.account, columns.account_no.type),
        }

    async def _take_off(self) -> None:
        left = self._people().where(L.list_was.is_not(None))
        evidence = {
            **self.evidence(),
            "given": literal(False),  # noqa: FBT003
            "wording": literal(""),
            "at": self.now(),
        }
        await self.do(self.insert(ConsentRecord, evidence, left))
        await self.do(
            update(Subscription)
            .where(
                Subscription.list_no == self.import_.list_no,
                Subscription.subscriber_no.in_(left.with_only_columns(L.subscriber_no)),
            )
            .values(state=SubscriptionState.UNSUBSCRIBED, ended_at=self.work.now)
            .execution_options(synchronize_session=False, **UNSCOPED)
        )

    def _line(self) -> dict[str, Any]:
        columns = cast(Table, Activity.__table__).c
        return {
            "subscriber_no": L.subscriber_no,
            "kind": literal("imported"),
            "at": self.now(),
            "door": literal(self.work.door, columns.door.type),
            "account_no": literal(self.work.account, columns.account_no.type),
            "facts": literal({"import": self.import_.no, "opted_out": True}, Json()),
        }
