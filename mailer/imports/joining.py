"""Giving a level and a place on the list: confirmed by evidence, or asked; and telling of it."""

from datetime import timedelta

from sqlalchemy import ColumnElement, and_, func, literal, not_, null, or_, select, update

from mailer.activity.model import Activity
from mailer.consent import actions as consent
from mailer.consent.model import ConsentRecord, Subscription, SubscriptionState
from mailer.imports.batch import Batch
from mailer.imports.judging import UNSCOPED, L, S, there
from mailer.imports.model import Basis
from mailer.kit.orm import Json
from mailer.outbox.model import Letter
from mailer.tiers.model import ChosenTier, Source, TierChange

LETTERS_WAIT = timedelta(hours=1)
"""Who is asked gets their letter after that: till then an undo takes it back unsent."""


async def place(batch: Batch) -> int:
    """Give a tier to those who have none: the file's, or for new people the lowest."""
    chosen = there(ChosenTier, ChosenTier.subscriber_no == L.subscriber_no)
    await batch.mark_did("t", and_(L.tier_no.is_not(None), not_(chosen)))
    tier = func.coalesce(L.tier_no, batch.ground.lowest_tier)
    moved = select(L.line).where(batch.willing, or_(batch.is_new, L.did.contains("t")))
    row = {"subscriber_no": L.subscriber_no, "tier_no": tier, "since": batch.now()}
    placed = await batch.do(batch.insert(ChosenTier, row, moved))
    if placed:
        columns = TierChange.__table__.c
        change = {
            "subscriber_no": L.subscriber_no,
            "to_no": tier,
            "source": literal(Source.IMPORT, columns.source.type),
            "door": literal(batch.work.door, columns.door.type),
            "account_no": literal(batch.work.account, columns.account_no.type),
            "reason": literal(""),
            "made_at": batch.now(),
        }
        await batch.do(batch.insert(TierChange, change, moved.order_by(L.line)))
    return placed


async def subscribe(batch: Batch) -> dict[str, int]:
    """Confirm or ask those who are not on the list; nobody is asked a second time."""
    list_no = batch.import_.list_no
    state = (
        select(Subscription.state)
        .where(Subscription.subscriber_no == L.subscriber_no, Subscription.list_no == list_no)
        .scalar_subquery()
    )
    agrees = batch.import_.basis is Basis.AGREED
    may: ColumnElement[bool] = L.address.is_not(None)
    if agrees:
        may = and_(may, L.never_agreed.is_(None))
    if batch.some_known:
        missing = func.coalesce(state, "none")
        await batch.do(
            update(L.line.table)
            .where(batch.was_here, may, missing != SubscriptionState.CONFIRMED.value)
            .values(list_was=missing)
        )
    wanted = and_(batch.willing, may, or_(batch.is_new, L.list_was.is_not(None)))
    return {"confirmed": await _agree(batch, wanted)} if agrees else {"asked": await _ask(batch)}


async def _agree(batch: Batch, wanted: ColumnElement[bool]) -> int:
    list_no = batch.import_.list_no
    columns = Subscription.__table__.c
    row = {
        "subscriber_no": L.subscriber_no,
        "list_no": literal(list_no),
        "state": literal(SubscriptionState.CONFIRMED, columns.state.type),
        "asked_at": batch.now(),
        "confirmed_at": batch.now(),
    }
    people = select(L.line).where(wanted)
    confirmed = await batch.do(batch.insert(Subscription, row, people))
    if batch.some_known:
        waiting = select(L.subscriber_no).where(
            wanted, L.list_was == SubscriptionState.UNCONFIRMED.value
        )
        confirmed += await batch.do(
            update(Subscription)
            .where(Subscription.list_no == list_no, Subscription.subscriber_no.in_(waiting))
            .values(
                state=SubscriptionState.CONFIRMED,
                confirmed_at=batch.work.now,
                ended_at=null(),
            )
            .execution_options(synchronize_session=False)
        )
    if confirmed:
        await batch.do(batch.insert(ConsentRecord, batch.evidence(), people.order_by(L.line)))
    return confirmed


async def _ask(batch: Batch) -> int:
    """Ask by letter, in each one's language; the letters wait an hour."""
    wanted = and_(batch.willing, L.address.is_not(None), or_(batch.is_new, L.list_was.is_not(None)))
    people = (
        select(S.no, S.language)
        .where(wanted, S.no == L.subscriber_no)
        .order_by(S.no)
        .execution_options(**UNSCOPED)
    )
    by_language: dict[str, list[int]] = {}
    for no, language in await batch.work.session.execute(people):
        by_language.setdefault(language, []).append(no)
    asked: list[int] = []
    for language, nos in by_language.items():
        asked += await consent.ask_many(
            batch.work,
            nos,
            batch.ground.mailing_list,
            wording=await consent.wording_of(batch.work, batch.ground.mailing_list, language),
            language=language,
        )
    due = batch.work.now + LETTERS_WAIT
    await batch.do(
        update(Letter)
        .where(
            Letter.subscriber_no.in_(asked),
            Letter.made_at == batch.work.now,
            Letter.due_at < due,
        )
        .values(due_at=due)
        .execution_options(synchronize_session=False)
    )
    return len(asked)


async def tell(batch: Batch) -> None:
    """Add one line to everybody's timeline."""
    columns = Activity.__table__.c
    row = {
        "subscriber_no": L.subscriber_no,
        "kind": literal("imported"),
        "at": batch.now(),
        "door": literal(batch.work.door, columns.door.type),
        "account_no": literal(batch.work.account, columns.account_no.type),
        "facts": literal({"import": batch.import_.no}, Json()),
    }
    people = select(L.line).where(batch.willing).order_by(L.line)
    await batch.do(batch.insert(Activity, row, people))
