"""Somebody of whom every table there is knows something, and which tables those are."""

from datetime import timedelta

from sqlalchemy import Table, select, update

from mailer.accounts.model import Role
from mailer.asks import actions as asks
from mailer.asks.model import Ask, AskState, Offer
from mailer.bootstrap import House
from mailer.bulk.model import BulkAct, BulkPerson, BulkState, Deed
from mailer.campaigns.model import Campaign, CampaignState, Kind
from mailer.consent import store as consents
from mailer.consent.model import AtMost, Confirmation, OnlyUrgent, Pace
from mailer.deliveries.model import FIRST_RUN, Delivery
from mailer.fields import actions as fields
from mailer.fields import describing, special
from mailer.fields.model import FieldKind
from mailer.followups.model import Outcome
from mailer.followups.opening import remember
from mailer.followups.settling import settle
from mailer.imports.model import Fate, Gives, Import, ImportItem, ImportLine, ImportState
from mailer.kit.orm import Base
from mailer.kit.work import Door, Work
from mailer.outbox.actions import Post, post
from mailer.outbox.model import DeliveryState
from mailer.phones import actions as phones
from mailer.records.model import AlsoMe, Look, Merging, TwoPeople
from mailer.subscribers import actions as subscribers
from mailer.subscribers.model import (
    AddressChange,
    Subscriber,
    Suppression,
    SuppressionReason,
    mark_of,
    visible,
)
from mailer.tags import actions as tags
from mailer.tiers import actions as tiers
from mailer.tiers.model import (
    Sign,
    SignKind,
    Stayed,
    StillWithUs,
    TierHold,
    TierRequest,
    TierSuggestion,
    Yearly,
)
from tests import makers as make
from tests.cast import Cast

PHONE = "+44 20 7946 0991"
NAMES_THEM = (
    "bo@example.org",
    "bo.before@example.org",
    "bo.once@example.org",
    "bo.also@example.org",
    "bo.merged@example.org",
    "Bodhisattva",
    "Canary-Surname",
    "Canaryborough",
    "CN1 7RY",
    "Canaryshire",
    "canary source",
    "canary field",
    "canary answer",
    "canary move",
    "canary wish",
    "canary hold",
    "canary cell",
    "canary before",
    "canary reply",
    "canary best time",
    "canary wording",
    "+442079460991",
)
"""What says who they were, wherever it stands."""

EARLIER = timedelta(days=40)


def tables_about_people() -> set[str]:
    """Name every table with a column that holds the number of a person."""
    return {table.name for table in Base.metadata.sorted_tables if _is_about_people(table)}


def _is_about_people(table: Table) -> bool:
    return any(
        column.name == "subscriber_no"
        or any(key.column.table.name == "subscriber" for key in column.foreign_keys)
        for column in table.columns
    )


async def lived(house: House, cast: Cast) -> tuple[Subscriber, Subscriber]:
    """Let Bo have a long life here; give Bo, and a row that turned out to be Bo's."""
    async with house.work(door=Door.ADMIN, account=cast.amina.no) as work:
        await _who_they_are(work, cast.bo)
        bo = await subscribers.held(work, cast.bo)
        before = await subscribers.add(work, address="bo.merged@example.org", first_name="Bo")
        await _what_is_known(work, cast, bo)
        await _the_ladder(work, cast, bo)
        await _follow_ups(work, bo)
        await _consent(work, cast, bo)
        await _mail(work, cast, bo)
        await _work_on_many(work, cast, bo)
        await _one_and_other_people(work, cast, bo, before)
        await work.session.execute(
            update(Subscriber)
            .where(Subscriber.no == before.no, visible(work))
            .values(merged_no=bo.no, erased_at=work.now)
        )
    return bo, before


async def _who_they_are(work: Work, bo: Subscriber) -> None:
    await work.session.execute(
        update(Subscriber)
        .where(Subscriber.no == bo.no, visible(work))
        .values(
            first_name="Bodhisattva",
            last_name="Canary-Surname",
            **Subscriber.keys_of("Bodhisattva", "Canary-Surname"),
            city="Canaryborough",
            postcode="CN1 7RY",
            region="Canaryshire",
            country="GB",
            time_zone="Europe/London",
            source="canary source",
            last_mailed_at=work.now - EARLIER,
        )
        .execution_options(synchronize_session=False)
    )
    work.session.add_all(
        [
            AddressChange(
                subscriber_no=bo.no,
                old_address="bo.before@example.org",
                new_address="bo@example.org",
                asked_at=work.now - EARLIER,
                confirmed_at=work.now - EARLIER,
                door=Door.EMAIL,
            ),
            AddressChange(
                subscriber_no=bo.no,
                old_address="bo@example.org",
                new_address="bo.once@example.org",
                asked_at=work.now,
                door=Door.EMAIL,
            ),
        ]
    )


async def _follow_ups(work: Work, bo: Subscriber) -> None:
    case = await remember(work, bo, words="canary note")
    await settle(work, case, Outcome.REACHED, words="canary talk")


async def _what_is_known(work: Work, cast: Cast, bo: Subscriber) -> None:
    tag = await tags.make(work, name="Night shift")
    await tags.tag_many(work, [bo.no], tag)
    field = await describing.make(work, name={"en": "Workplace"}, kind=FieldKind.TEXT)
    await fields.set_value(work, bo, field, "canary field")
    protected = await describing.make(
        work,
        name={"en": "Prayer room"},
        kind=FieldKind.YES_NO,
        is_special=True,
        is_public=True,
        consent_text={"en": "You may keep this."},
    )
    await special.tell(work, bo, protected, "yes", agreed=True)
    await phones.note(
        work, bo, PHONE, wording="canary wording", language="en", best_time="canary best time"
    )


async def _the_ladder(work: Work, cast: Cast, bo: Subscriber) -> None:
    await tiers.assign(work, bo, cast.activist, reason="canary move")
    tier = cast.activist.no
    work.session.add_all(
        [
            TierRequest(
                uid="0" * 36,
                subscriber_no=bo.no,
                tier_no=cast.organiser.no,
                made_at=work.now,
                door=Door.EMAIL,
                answered_at=work.now,
                granted=False,
                reason="canary wish",
            ),
            TierHold(subscriber_no=bo.no, reason="canary hold", held_at=work.now),
            Sign(subscriber_no=bo.no, kind=SignKind.REPLIED, at=work.now - EARLIER),
            TierSuggestion(
                subscriber_no=bo.no,
                tier_no=tier,
                made_at=work.now - EARLIER,
                ended_at=work.now,
                accepted=False,
            ),
            StillWithUs(
                subscriber_no=bo.no,
                tier_no=tier,
                asked_at=work.now - EARLIER,
                next_at=work.now,
                ended_at=work.now,
                ended=Stayed.KEPT,
            ),
            Yearly(subscriber_no=bo.no, at=work.now - EARLIER),
        ]
    )


async def _consent(work: Work, cast: Cast, bo: Subscriber) -> None:
    mark = mark_of(work.keys, "bo@example.org")
    former = mark_of(work.keys, "bo.before@example.org")
    work.session.add_all(
        [
            Confirmation(
                uid="1" * 36,
                mark=mark,
                list_no=cast.bulletin.no,
                wording="canary wording",
                language="en",
                made_at=work.now,
                answers={"workplace": "canary answer"},
            ),
            AtMost(subscriber_no=bo.no, pace=Pace.MONTHLY, since=work.now - EARLIER),
            OnlyUrgent(list_no=cast.bulletin.no, subscriber_no=bo.no, since=work.now - EARLIER),
            Suppression(
                mark=former, reason=SuppressionReason.BOUNCE, at=work.now, door=Door.SYSTEM
            ),
        ]
    )
    assert await consents.records_of(work, bo.no)


async def _mail(work: Work, cast: Cast, bo: Subscriber) -> None:
    campaign = Campaign(
        uid="2" * 36,
        slug="a-newsletter",
        kind=Kind.NEWSLETTER,
        name="A newsletter",
        state=CampaignState.SENT,
        list_no=cast.bulletin.no,
        made_at=work.now,
        started_at=work.now,
        recipients=2,
    )
    ask = Ask(uid="3" * 36, title={"en": "Write a letter"}, state=AskState.OPEN, made_at=work.now)
    work.session.add_all([campaign, ask])
    await work.session.flush()
    work.session.add_all(
        [
            Delivery(
                campaign_no=campaign.no,
                run=FIRST_RUN,
                subscriber_no=bo.no,
                state=DeliveryState.REFUSED,
                attempt=1,
                code=550,
                at=work.now,
                reply="canary reply",
            ),
            Delivery(
                campaign_no=campaign.no,
                run=FIRST_RUN,
                subscriber_no=cast.gil.no,
                state=DeliveryState.SENT,
                attempt=1,
                at=work.now,
            ),
            Offer(campaign_no=campaign.no, subscriber_no=bo.no, ask_no=ask.no, at=work.now),
        ]
    )
    told = make.through(make.later(work, days=-1), Door.EMAIL)
    await asks.pledge(told, bo, ask, campaign_no=campaign.no)
    await asks.need_help(told, bo, ask, words="canary words of help")
    await post(
        work,
        Post(kind="private-link", dedupe_key="private-link:life", language="en", subscriber=bo.no),
    )
    change = max(await work.session.scalars(select(AddressChange.no)))
    await post(
        work,
        Post(
            kind="address-change-confirm",
            dedupe_key=f"address-change-confirm:{change}",
            language="en",
            facts={"change": change},
            address="bo.once@example.org",
        ),
    )


async def _work_on_many(work: Work, cast: Cast, bo: Subscriber) -> None:
    act = BulkAct(
        uid="4" * 36, deed=Deed.PAUSE, facts={}, state=BulkState.DONE, made_at=work.now - EARLIER
    )
    file = Import(
        uid="5" * 36,
        file_name="branch.csv",
        state=ImportState.REHEARSED,
        found={
            "headings": ["email"],
            "first_rows": [["Bo@Example.org"], ["gil@example.org"]],
        },
        list_no=cast.bulletin.no,
        made_at=work.now - EARLIER,
    )
    work.session.add_all([act, file])
    await work.session.flush()
    work.session.add_all(
        [
            BulkPerson(act_no=act.no, subscriber_no=bo.no, before={"was": "canary before"}),
            BulkPerson(act_no=act.no, subscriber_no=cast.gil.no, before=None),
            ImportLine(
                import_no=file.no,
                line=2,
                fate=Fate.CHANGED,
                subscriber_no=bo.no,
                address="bo@example.org",
                address_key="bo@example.org",
                first_name="Bodhisattva",
                before={"city": "canary before"},
                agreed_at=work.now - EARLIER,
            ),
            ImportLine(
                import_no=file.no,
                line=3,
                fate=Fate.REFUSED,
                why="twice",
                mark=mark_of(work.keys, "bo.before@example.org"),
                cells=["bo.before@example.org", "canary cell"],
            ),
            ImportLine(
                import_no=file.no,
                line=4,
                fate=Fate.KNOWN,
                subscriber_no=cast.gil.no,
                address="gil@example.org",
                mark=mark_of(work.keys, "gil@example.org"),
            ),
            ImportItem(import_no=file.no, line=2, gives=Gives.FIELD, ref=1, value="canary field"),
        ]
    )


async def _one_and_other_people(work: Work, cast: Cast, bo: Subscriber, before: Subscriber) -> None:
    merging = Merging(
        kept_no=bo.no,
        merged_no=before.no,
        moved={"details": {"first_name": "canary before"}},
        made_at=work.now,
        door=Door.ADMIN,
        account_no=cast.amina.no,
    )
    work.session.add(merging)
    await work.session.flush()
    work.session.add_all(
        [
            TwoPeople(one_no=bo.no, other_no=cast.chidi.no, at=work.now),
            AlsoMe(subscriber_no=bo.no, address="bo.also@example.org", asked_at=work.now),
            AlsoMe(subscriber_no=cast.gil.no, address="BO@example.org", asked_at=work.now),
            Look(subscriber_no=bo.no, account_no=cast.esra.no, role=Role.ORGANISER, at=work.now),
        ]
    )
    await work.session.flush()
    for kind, no, mark in (
        ("also-me", (await work.session.scalars(select(AlsoMe.no))).first(), ""),
        ("also-me-done", merging.no, ":" + mark_of(work.keys, "bo@example.org")),
    ):
        await post(
            work,
            Post(
                kind=kind,
                dedupe_key=f"{kind}:{no}{mark}",
                language="en",
                facts={"subscriber": bo.no},
                address="bo.also@example.org",
            ),
        )
