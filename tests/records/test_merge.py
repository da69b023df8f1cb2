"""Two rows that are one person: made one, and two again."""

from datetime import timedelta

import pytest

from mailer.activity import store as activity
from mailer.consent import actions as consent
from mailer.consent import store as consents
from mailer.consent.model import SubscriberState, SubscriptionState
from mailer.fields import actions as fields
from mailer.fields import store as field_store
from mailer.fields.model import FieldKind
from mailer.groups import actions as groups
from mailer.groups import store as group_store
from mailer.kit.i18n import speaking
from mailer.kit.work import Work
from mailer.phones import actions as phones
from mailer.phones import store as phone_store
from mailer.records import merging
from mailer.records.actions import person, timeline
from mailer.records.merging import Take
from mailer.records.pairs import store as pairs
from mailer.subscribers import actions as subscribers
from mailer.subscribers import store
from mailer.subscribers.model import GroupRole, Subscriber, SuppressionReason
from mailer.tags import actions as tags
from mailer.tags import store as tag_store
from mailer.tiers import actions as tiers
from mailer.tiers import store as ladder
from mailer.tiers.joining import sign_up
from mailer.tiers.model import Source
from tests import makers as make
from tests.cast import Cast


async def again(work: Work, person: Subscriber) -> Subscriber:
    """Give a row as it is by its own number, also one that was merged."""
    [found] = await store.hold_many(work, [person.no])
    return found


async def state(work: Work, person: Subscriber) -> SubscriberState:
    return (await consents.states(work, [person.no]))[person.no]


async def gils_too(work: Work, cast: Cast) -> Subscriber:
    """Give somebody who turns out to be Gil, and of whom something is known."""
    other = await make.person(
        work, "gil@work.example", first_name="Gilles", tier=cast.activist, group=cast.northgate
    )
    other = await subscribers.change_details(work, other, city="Lyon", postcode="69001")
    await groups.change_role(work, other, cast.northgate, GroupRole.REP)
    await tags.tag_many(work, [other.no], await tags.make(work, name="Driver"))
    age = await fields.make(work, name={"en": "Age"}, kind=FieldKind.NUMBER)
    await fields.set_value(work, other, age, "41")
    await phones.note(work, other, "+33612345678", wording="On paper.", language="en")
    return other


async def test_the_one_who_stays_has_what_both_had(cast: Cast, work: Work) -> None:
    other = await gils_too(work, cast)

    await merging.merge(work, cast.gil, other)

    gil = await again(work, cast.gil)
    assert (gil.first_name, gil.city, gil.postcode) == ("Gil", "Lyon", "69001")
    assert [group.no for group in await group_store.of(work, gil.no)] == [
        cast.harbour.no,
        cast.northgate.no,
    ]
    assert [tag.name for tag in await tag_store.of(work, gil.no)] == ["Driver"]
    assert len(await field_store.values_of(work, [gil.no])) == 1
    assert await phone_store.of(work, gil.no) is not None
    chosen = await ladder.chosen(work, gil.no)
    assert chosen is not None
    assert chosen.slug == "follower"


async def test_the_one_who_goes_keeps_no_row_and_leads_to_the_one_who_stays(
    cast: Cast, work: Work
) -> None:
    other = await gils_too(work, cast)

    await merging.merge(work, cast.gil, other)

    gone = await again(work, other)
    assert (gone.merged_no, gone.erased_at) == (cast.gil.no, work.now)
    assert gone.address == "gil@work.example"
    assert await state(work, other) is SubscriberState.ERASED
    assert await group_store.memberships_of(work, other.no) == []
    assert await tag_store.of(work, other.no) == []
    assert await field_store.values_of(work, [other.no]) == {}
    assert await phone_store.of(work, other.no) is None
    assert await consents.subscriptions_of(work, other.no) == []
    assert await ladder.chosen(work, other.no) is None
    for found in (
        await store.by_no(work, other.no),
        await store.by_uid(work, other.uid),
        await store.by_address(work, "GIL@work.example"),
        await store.hold(work, other.no),
        (await person(work, other.uid)).subscriber,
    ):
        assert found is not None
        assert found.no == cast.gil.no


async def test_everything_is_as_it_was_after_an_undo(cast: Cast, work: Work) -> None:
    other = await gils_too(work, cast)
    before = await _all_of(work, cast.gil, other)
    made = await merging.merge(work, cast.gil, other, take=set(Take))
    assert await _all_of(work, cast.gil, other) != before

    await merging.undo(work, made.no)
    await merging.undo(work, made.no)

    assert await _all_of(work, cast.gil, other) == before


async def _all_of(work: Work, *people: Subscriber) -> list[object]:
    found: list[object] = []
    for one in people:
        row = await again(work, one)
        phone = await phone_store.of(work, one.no)
        found += [
            {column.key: getattr(row, column.key) for column in Subscriber.__table__.columns},
            await state(work, one),
            [(m.group_no, m.role) for m in await group_store.memberships_of(work, one.no)],
            [tag.name for tag in await tag_store.of(work, one.no)],
            await field_store.rows_of(work, one.no),
            phone_store.opened(work, phone) if phone else None,
            [(s.list_no, s.state) for s in await consents.subscriptions_of(work, one.no)],
            [record.no for record in await consents.records_of(work, one.no)],
            tier.slug if (tier := await ladder.chosen(work, one.no)) else None,
            [change.no for change in await ladder.changes_of(work, one.no)],
            [kind for kind in await activity.kinds(work, one.no) if "merged" not in kind],
            [change.no for change in await store.address_changes_of(work, one.no)],
        ]
    return found


async def test_address_name_and_level_are_taken_from_the_other_where_that_is_chosen(
    cast: Cast, work: Work
) -> None:
    other = await gils_too(work, cast)

    await merging.merge(work, cast.gil, other, take=set(Take))

    gil, gone = await again(work, cast.gil), await again(work, other)
    assert (gil.address, gone.address) == ("gil@work.example", "gil@example.org")
    assert gil.first_name == "Gilles"
    chosen = await ladder.chosen(work, gil.no)
    assert chosen is not None
    assert chosen.slug == "activist"
    found = await store.by_address(work, "gil@example.org")
    assert found is not None
    assert found.no == gil.no
    [change] = await store.address_changes_of(work, gil.no)
    assert (change.old_address, change.new_address) == ("gil@example.org", "gil@work.example")


async def test_who_had_no_address_gets_the_others(cast: Cast, work: Work) -> None:
    paper = await subscribers.add(work, address=None, first_name="Gil", city="Lyon")

    made = await merging.merge(work, paper, cast.gil)

    assert (await again(work, paper)).address == "gil@example.org"
    assert await state(work, paper) is SubscriberState.ACTIVE
    await merging.undo(work, made.no)
    assert (await again(work, paper)).address is None
    assert (await again(work, cast.gil)).address == "gil@example.org"


async def test_having_left_a_list_by_either_wins(cast: Cast, work: Work) -> None:
    made = await merging.merge(work, cast.gil, cast.chidi)

    assert await state(work, cast.gil) is SubscriberState.UNSUBSCRIBED
    await merging.undo(work, made.no)
    assert await state(work, cast.gil) is SubscriberState.ACTIVE
    assert await state(work, cast.chidi) is SubscriberState.UNSUBSCRIBED


async def test_a_list_of_either_is_one_of_both(cast: Cast, work: Work) -> None:
    alerts = await make.mailing_list(work)
    await consent.agree_many(work, [cast.bo.no], alerts, wording="Yes.", language="en")

    await merging.merge(work, cast.dana, cast.bo)

    standing = await consents.subscriptions_of(work, cast.dana.no)
    assert {one.list_no: one.state for one in standing} == {
        cast.bulletin.no: SubscriptionState.CONFIRMED,
        alerts.no: SubscriptionState.CONFIRMED,
    }


async def test_never_to_be_written_to_by_either_wins(cast: Cast, work: Work) -> None:
    await consent.take_off(work, cast.bo)

    made = await merging.merge(work, cast.gil, cast.bo)

    assert await state(work, cast.gil) is SubscriberState.SUPPRESSED
    await merging.undo(work, made.no)
    assert await state(work, cast.gil) is SubscriberState.ACTIVE
    assert await state(work, cast.bo) is SubscriberState.SUPPRESSED


async def test_a_bounce_is_of_a_mailbox_and_not_of_a_person(cast: Cast, work: Work) -> None:
    await consent.take_off(work, cast.bo, reason=SuppressionReason.BOUNCE)

    await merging.merge(work, cast.gil, cast.bo)

    assert await state(work, cast.gil) is SubscriberState.ACTIVE


async def test_a_silent_stop_and_the_longer_break_hold(cast: Cast, work: Work) -> None:
    await subscribers.stop_silently(work, cast.bo)
    until = await subscribers.pause(work, cast.bo, days=60)

    await merging.merge(work, cast.gil, cast.bo)

    gil = await again(work, cast.gil)
    assert (gil.stopped_at, gil.paused_until) == (work.now, until)


async def test_what_was_changed_since_stands_after_an_undo(cast: Cast, work: Work) -> None:
    other = await gils_too(work, cast)
    made = await merging.merge(work, cast.gil, other, take={Take.ADDRESS})
    later = make.later(work, days=2)
    await subscribers.change_details(later, cast.gil, city="Paris")
    await subscribers.change_address(later, cast.gil, "gil@third.example")
    await tiers.step(later, cast.gil, cast.supporter, source=Source.SELF_FORM)
    await consent.unsubscribe(later, cast.gil, list_no=None)

    await merging.undo(later, made.no)

    gil = await again(work, cast.gil)
    assert (gil.city, gil.postcode, gil.address) == ("Paris", "", "gil@third.example")
    assert await state(work, cast.gil) is SubscriberState.UNSUBSCRIBED
    assert await state(work, other) is not SubscriberState.ACTIVE
    chosen = await ladder.chosen(work, gil.no)
    assert chosen is not None
    assert chosen.slug == "supporter"


async def test_a_merge_can_be_undone_for_thirty_days_and_the_newest_first(
    cast: Cast, work: Work
) -> None:
    first = await merging.merge(work, cast.gil, cast.chidi)
    second = await merging.merge(work, cast.bo, cast.gil)
    with pytest.raises(merging.MergedSince):
        await merging.undo(work, first.no)
    found = await store.by_address(work, "chidi@example.org")
    assert found is not None
    assert found.no == cast.bo.no
    with pytest.raises(merging.MergingTooOld):
        await merging.undo(make.later(work, days=30, minutes=1), second.no)

    await merging.undo(work, second.no)
    await merging.undo(work, first.no)
    assert (await again(work, cast.chidi)).merged_no is None
    with pytest.raises(merging.MergingUnknown):
        await merging.undo(work, 999_999)


async def test_what_cannot_be_one_is_refused(cast: Cast, work: Work) -> None:
    farids = make.seen_by(work, cast.harbour)
    made = await merging.merge(work, cast.bo, cast.chidi)
    for refused, why in (
        (merging.merge(work, cast.gil, cast.gil), merging.SamePerson),
        (merging.merge(work, cast.gil, cast.chidi), merging.MergingUnknown),
        (merging.merge(farids, cast.gil, cast.bo), merging.MergingOutOfReach),
        (merging.undo(farids, made.no), merging.MergingOutOfReach),
        (merging.keep_apart(farids, cast.gil, cast.bo), merging.MergingOutOfReach),
    ):
        with pytest.raises(why):
            await refused


async def test_a_sign_up_by_the_old_address_is_of_the_one_who_stayed(
    cast: Cast, work: Work
) -> None:
    await merging.merge(work, cast.dana, cast.chidi)

    await sign_up(
        work,
        address="chidi@example.org",
        first_name="Chidi",
        language="en",
        tier_slug=cast.follower.slug,
        list_slug=cast.bulletin.slug,
        wording=cast.wording,
    )

    assert await store.how_many(work) == 3
    assert (await again(work, cast.chidi)).merged_no == cast.dana.no


async def test_who_stayed_may_go_to_the_address_that_was_merged(cast: Cast, work: Work) -> None:
    await merging.merge(work, cast.gil, cast.bo)

    gil = await subscribers.change_address(work, cast.gil, "bo@example.org")

    assert gil.address == "bo@example.org"
    assert (await again(work, cast.bo)).address == "gil@example.org"


async def test_a_timeline_tells_of_a_merge_with_an_undo_until_it_is_too_late(
    cast: Cast, work: Work
) -> None:
    made = await merging.merge(work, cast.gil, cast.bo)

    with speaking("en"):
        told = next(one for one in await timeline(work, cast.gil) if one.kind == "merged")
        late = make.later(work, days=31)
        too_late = next(one for one in await timeline(late, cast.gil) if one.kind == "merged")

    assert told.words == "Two entries were made one"
    assert told.details == "They are also known by bo@example.org."
    assert told.undo is not None
    assert (told.undo.no, told.undo.until) == (made.no, work.now + timedelta(days=30))
    assert too_late.undo is None
    await merging.undo(work, made.no)
    with speaking("en"):
        told = next(one for one in await timeline(work, cast.gil) if one.kind == "unmerged")
    assert told.words == "Two entries were made of one again"


# --- suggestions ----------------------------------------------------------------------------------


async def suggested(work: Work) -> list[tuple[int, int, str]]:
    return [(one.newer, one.older, one.why) for one in (await pairs.suggest(work)).pairs]


async def test_who_seems_to_be_one_is_suggested_with_the_reason(cast: Cast, work: Work) -> None:
    bo = await subscribers.change_details(work, cast.bo, last_name="Ek", city="Lund")
    same_name = await make.person(work, "other@example.org", first_name="bo")
    await subscribers.change_details(work, same_name, last_name="EK", city="Lund")
    elsewhere = await make.person(work, "third@example.org", first_name="Bo")
    await subscribers.change_details(work, elsewhere, last_name="Ek", city="Oslo")
    tagged = await make.person(work, "gil+news@example.org")
    dotted = await make.person(work, "d.a.n.a@gmail.com")
    plain = await make.person(work, "dana@googlemail.com")
    for one in (cast.chidi, cast.dana):
        await phones.note(work, one, "+33612345678", wording="On paper.", language="en")

    assert await suggested(work) == [
        (plain.no, dotted.no, "address"),
        (tagged.no, cast.gil.no, "address"),
        (same_name.no, bo.no, "name"),
        (cast.dana.no, cast.chidi.no, "phone"),
    ]

    await merging.keep_apart(work, cast.gil, tagged)
    await merging.keep_apart(work, tagged, cast.gil)
    await merging.merge(work, bo, same_name)
    assert await suggested(work) == [
        (plain.no, dotted.no, "address"),
        (cast.dana.no, cast.chidi.no, "phone"),
    ]


async def test_people_are_looked_through_some_at_a_time(
    cast: Cast, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairs, "WINDOW", 2)
    first = await pairs.suggest(work)
    assert first.below is not None
    second = await pairs.suggest(work, below=first.below)
    assert second.below is None
    assert await pairs.suggest(work, below=1) == pairs.Looked([], None)
