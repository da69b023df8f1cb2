"""What is done to many: to whom it is really done, what they are told, and how it is taken back."""

from mailer.activity import store as activity
from mailer.bootstrap import House
from mailer.bulk.model import BulkState, Deed
from mailer.consent import actions as consent
from mailer.consent import store as lists
from mailer.consent.model import SubscriberState, SubscriptionState
from mailer.groups import actions as groups
from mailer.groups import store as group_store
from mailer.kit.work import Work
from mailer.outbox import store as outbox
from mailer.outbox.actions import call_back
from mailer.subscribers import actions as subscribers
from mailer.subscribers import store as people
from mailer.subscribers.model import GroupRole, Subscriber
from mailer.tags import actions as tagging
from mailer.tags import store as tags
from mailer.tiers import actions as tiers
from mailer.tiers import store as ladder
from mailer.tiers.model import Source, Tier
from tests import makers as make
from tests.bulk.acting import EVERYBODY, done, undone
from tests.cast import Cast


async def letters(work: Work, person: Subscriber) -> list[str]:
    return [one.kind for one in await outbox.letters_to(work, person.no)]


async def tagged(house: House, *who: Subscriber, name: str = "Driver") -> int:
    """Make a tag that these have already; give its number."""
    async with house.work() as work:
        tag = await tagging.make(work, name=name)
        await tagging.tag_many(work, [one.no for one in who], tag)
        return tag.no


async def have(house: House, tag: int) -> set[int]:
    async with house.work(reading=True) as work:
        everybody = [one.no for one in (await people.by_nos(work, range(1, 500))).values()]
        return set(await tags.since(work, everybody, tag))


# --- tags ---------------------------------------------------------------------------------------


async def test_a_tag_is_put_on_those_who_lack_it(house: House, cast: Cast) -> None:
    tag = await tagged(house, cast.gil)
    act = await done(house, cast, Deed.TAG, who=[cast.bo, cast.gil], tag=tag)

    assert (act.state, act.touches, act.would, act.changed) == (BulkState.DONE, 2, 1, 1)
    assert await have(house, tag) == {cast.bo.no, cast.gil.no}
    async with house.work(reading=True) as work:
        assert (await activity.kinds(work, cast.bo.no))[-1] == "tagged"


async def test_taking_a_tag_back_leaves_those_alone_who_had_it_before(
    house: House, cast: Cast
) -> None:
    tag = await tagged(house, cast.gil)
    act = await done(house, cast, Deed.TAG, tree=EVERYBODY, tag=tag)
    act = await undone(house, cast, act)
    assert (act.state, act.returned, act.left) == (BulkState.UNDONE, 3, 0)
    assert await have(house, tag) == {cast.gil.no}


async def test_who_was_tagged_anew_since_keeps_the_tag(house: House, cast: Cast) -> None:
    tag = await tagged(house)
    act = await done(house, cast, Deed.TAG, who=[cast.bo, cast.gil], tag=tag)
    async with house.work() as work:
        it = await tags.by_no(work, tag)
        assert it
        await tagging.untag_many(work, [cast.bo.no], it)
        await tagging.tag_many(work, [cast.bo.no], it)
    act = await undone(house, cast, act)
    assert (act.returned, act.left) == (1, 1)
    assert await have(house, tag) == {cast.bo.no}


async def test_a_tag_is_taken_off_and_put_on_again(house: House, cast: Cast) -> None:
    tag = await tagged(house, cast.gil, cast.chidi)
    act = await done(house, cast, Deed.UNTAG, tree=EVERYBODY, tag=tag)
    assert (act.touches, act.would, act.changed) == (4, 2, 2)
    assert await have(house, tag) == set()
    await undone(house, cast, act)
    assert await have(house, tag) == {cast.gil.no, cast.chidi.no}


# --- levels -------------------------------------------------------------------------------------


async def level(house: House, person: Subscriber) -> Tier | None:
    async with house.work(reading=True) as work:
        return await ladder.chosen(work, person.no)


async def test_many_are_moved_with_a_reason_and_each_is_told(house: House, cast: Cast) -> None:
    act = await done(
        house,
        cast,
        Deed.TIER,
        who=[cast.bo, cast.gil],
        tier=cast.supporter.no,
        reason="Ran the spring stall.",
    )
    assert (act.would, act.letters, act.changed) == (1, 1, 1)
    async with house.work(reading=True) as work:
        moved = await ladder.newest_change(work, cast.gil.no)
        assert moved
        assert (moved.from_no, moved.to_no) == (cast.follower.no, cast.supporter.no)
        assert (moved.source, moved.reason) == (Source.ASSIGNED, "Ran the spring stall.")
        assert moved.account_no == cast.amina.no
        assert (await activity.kinds(work, cast.gil.no))[-1] == "tier_changed"
        assert "tier-changed" in await letters(work, cast.gil)
        assert "tier-changed" not in await letters(work, cast.bo)


async def test_a_move_of_many_is_taken_back_for_those_who_have_not_moved_since(
    house: House, cast: Cast
) -> None:
    act = await done(
        house, cast, Deed.TIER, who=[cast.bo, cast.gil], tier=cast.activist.no, reason="Active."
    )
    async with house.work() as work:
        await tiers.step(work, cast.gil, cast.supporter, source=Source.SELF_LINK)
    act = await undone(house, cast, act)

    assert (act.returned, act.left) == (1, 1)
    for person in (cast.bo, cast.gil):
        stands = await level(house, person)
        assert stands
        assert stands.no == cast.supporter.no
    async with house.work(reading=True) as work:
        back = await ladder.newest_change(work, cast.bo.no)
        assert back
        assert (back.source, back.to_no) == (Source.UNDO, cast.supporter.no)
        [first] = [one for one in await ladder.changes_of(work, cast.bo.no) if one.undone_at]
        assert back.undoes_no == first.no


async def test_who_had_no_level_begins_one_and_keeps_it(house: House, cast: Cast) -> None:
    async with house.work() as work:
        lu = await make.person(work, first_name="Lu")
    act = await done(house, cast, Deed.TIER, who=[lu], tier=cast.follower.no, reason="A start.")
    assert act.changed == 1
    act = await undone(house, cast, act)
    assert (act.returned, act.left) == (0, 1)  # there is no level to go back to
    assert await level(house, lu)


async def test_a_request_that_a_move_has_settled_is_withdrawn(house: House, cast: Cast) -> None:
    async with house.work() as work:
        await tiers.wish(work, cast.bo, cast.organiser)
        await tiers.wish(work, cast.gil, cast.activist)
    await done(
        house, cast, Deed.TIER, who=[cast.bo, cast.gil], tier=cast.activist.no, reason="Active."
    )
    async with house.work(reading=True) as work:
        assert await ladder.standing_request(work, cast.gil.no) is None
        still = await ladder.standing_request(work, cast.bo.no)  # they asked for more than that
        assert still


# --- lists --------------------------------------------------------------------------------------


async def test_many_are_asked_whether_they_want_a_list(house: House, cast: Cast) -> None:
    async with house.work() as work:
        alerts = await make.mailing_list(work)
    act = await done(house, cast, Deed.LIST, tree=EVERYBODY, list=alerts.no)
    assert (act.touches, act.would, act.letters) == (4, 4, 4)
    assert act.changed == 4
    async with house.work(reading=True) as work:
        asked = await lists.subscription(work, cast.gil.no, alerts.no)
        assert asked
        assert asked.state is SubscriptionState.UNCONFIRMED
        newest = (await outbox.letters_to(work, cast.gil.no))[0]
        assert (newest.kind, newest.language) == ("confirm", "fr")


async def test_who_has_left_or_is_never_written_to_is_not_asked(house: House, cast: Cast) -> None:
    async with house.work() as work:
        await consent.take_off(work, cast.gil)
    act = await done(house, cast, Deed.LIST, tree=EVERYBODY, list=cast.bulletin.no)
    assert (act.would, act.changed) == (0, 0)


async def test_asking_is_taken_back_while_the_letters_wait(house: House, cast: Cast) -> None:
    async with house.work() as work:
        alerts = await make.mailing_list(work)
        before = {one.no: await letters(work, one) for one in (cast.bo, cast.gil)}
    act = await done(house, cast, Deed.LIST, who=[cast.bo, cast.gil], list=alerts.no)
    act = await undone(house, cast, act)
    assert act.returned == 2
    async with house.work() as work:
        for one in (cast.bo, cast.gil):
            assert await lists.subscription(work, one.no, alerts.no) is None
            assert await letters(work, one) == before[one.no]
            assert (await activity.kinds(work, one.no))[-1] == "unasked"
        # and they may be asked again at once: no letter of theirs was used up
        again = await consent.ask_many(work, [cast.bo.no], alerts, wording="Yes.")
        assert again == [cast.bo.no]


async def test_who_has_said_yes_by_then_stays_on_the_list(house: House, cast: Cast) -> None:
    async with house.work() as work:
        alerts = await make.mailing_list(work)
    act = await done(house, cast, Deed.LIST, who=[cast.bo], list=alerts.no)
    async with house.work() as work:
        [waiting] = await lists.waiting_confirmations(work, alerts.no, [cast.bo.no])
        await consent.confirm(work, waiting.no)
    act = await undone(house, cast, act)
    assert (act.returned, act.left) == (0, 1)


async def test_many_are_taken_off_a_list_without_a_word(house: House, cast: Cast) -> None:
    act = await done(house, cast, Deed.LEAVE_LIST, tree=EVERYBODY, list=cast.bulletin.no)
    assert (act.would, act.letters, act.changed) == (3, 0, 3)  # all but Chidi, who has left
    async with house.work(reading=True) as work:
        assert await consent.state_of(work, cast.bo) is SubscriberState.UNSUBSCRIBED
        assert "unsubscribed" not in await letters(work, cast.bo)


async def test_and_put_on_it_again_as_they_were(house: House, cast: Cast) -> None:
    act = await done(house, cast, Deed.LEAVE_LIST, tree=EVERYBODY, list=cast.bulletin.no)
    act = await undone(house, cast, act)
    assert act.returned == 3
    async with house.work(reading=True) as work:
        assert await consent.state_of(work, cast.bo) is SubscriberState.ACTIVE
        assert await consent.state_of(work, cast.dana) is SubscriberState.PENDING
        assert await consent.state_of(work, cast.chidi) is SubscriberState.UNSUBSCRIBED


# --- groups -------------------------------------------------------------------------------------


async def test_many_join_a_group_in_a_role(house: House, cast: Cast) -> None:
    act = await done(
        house,
        cast,
        Deed.GROUP,
        who=[cast.bo, cast.gil],
        group=cast.harbour.no,
        role=GroupRole.REP.value,
    )
    assert (act.would, act.changed) == (2, 2)
    async with house.work(reading=True) as work:
        there = await group_store.memberships_in(work, cast.harbour.no, [cast.bo.no, cast.gil.no])
        assert {one.role for one in there.values()} == {GroupRole.REP}


async def test_who_was_in_the_group_has_their_role_again(house: House, cast: Cast) -> None:
    act = await done(
        house, cast, Deed.GROUP, who=[cast.bo, cast.gil], group=cast.harbour.no, role="officer"
    )
    act = await undone(house, cast, act)
    assert act.returned == 2
    async with house.work(reading=True) as work:
        there = await group_store.memberships_in(work, cast.harbour.no, [cast.bo.no, cast.gil.no])
        assert {no: one.role for no, one in there.items()} == {cast.gil.no: GroupRole.MEMBER}


async def test_many_leave_a_group_and_come_back(house: House, cast: Cast) -> None:
    async with house.work(reading=True) as work:
        before = await group_store.memberships_in(work, cast.northgate.no, [cast.bo.no])
        since = before[cast.bo.no].since
    act = await done(house, cast, Deed.LEAVE_GROUP, tree=EVERYBODY, group=cast.northgate.no)
    assert act.changed == 2
    async with house.work() as work:
        await groups.join(work, cast.chidi, cast.northgate)
    act = await undone(house, cast, act)
    assert (act.returned, act.left) == (1, 1)
    async with house.work(reading=True) as work:
        after = await group_store.memberships_in(work, cast.northgate.no, [cast.bo.no])
        assert after[cast.bo.no].since == since


# --- emails -------------------------------------------------------------------------------------


async def test_many_take_a_break_and_are_told(house: House, cast: Cast) -> None:
    async with house.work() as work:
        await subscribers.pause(work, cast.gil, days=200)
    act = await done(house, cast, Deed.PAUSE, who=[cast.bo, cast.gil], days=14)
    assert (act.would, act.letters, act.changed) == (1, 1, 1)
    async with house.work(reading=True) as work:
        assert await consent.state_of(work, cast.bo) is SubscriberState.PAUSED
        assert "paused" in await letters(work, cast.bo)


async def test_a_break_of_many_ends_and_its_letters_are_called_back(
    house: House, cast: Cast
) -> None:
    act = await done(house, cast, Deed.PAUSE, who=[cast.bo, cast.gil], days=14)
    async with house.work() as work:
        await subscribers.resume(work, cast.gil)
    act = await undone(house, cast, act)
    assert (act.returned, act.left) == (1, 1)
    async with house.work(reading=True) as work:
        assert await consent.state_of(work, cast.bo) is SubscriberState.ACTIVE
        assert "paused" not in await letters(work, cast.bo)


async def test_many_are_taken_off_all_emails_silently_and_put_back(
    house: House, cast: Cast
) -> None:
    async with house.work() as work:
        before = await letters(work, cast.bo)
        await consent.take_off(work, cast.gil)
    act = await done(house, cast, Deed.TAKE_OFF, who=[cast.bo, cast.gil])
    assert (act.would, act.letters, act.changed) == (1, 0, 1)
    async with house.work(reading=True) as work:
        assert await consent.state_of(work, cast.bo) is SubscriberState.SUPPRESSED
        assert await letters(work, cast.bo) == before
    await undone(house, cast, act)
    async with house.work(reading=True) as work:
        assert await consent.state_of(work, cast.bo) is SubscriberState.ACTIVE
        assert await consent.state_of(work, cast.gil) is SubscriberState.SUPPRESSED


async def test_a_letter_that_is_not_owed_cannot_be_called_back(house: House, cast: Cast) -> None:
    async with house.work() as work:
        assert await call_back(work, ["paused:1:2026-01-01"]) == []
