"""One person whole."""

import pytest

from mailer.activity import store as activity
from mailer.activity.model import Causes, Entry, Undoes
from mailer.campaigns import composing
from mailer.consent import actions as consent
from mailer.consent.model import SubscriberState
from mailer.groups import actions as groups
from mailer.kit.i18n import speaking
from mailer.kit.work import Work
from mailer.outbox import store as outbox
from mailer.outbox.model import DeliveryState
from mailer.records.actions import PersonUnknown, person, timeline
from mailer.subscribers import actions as subscribers
from mailer.subscribers import store
from mailer.subscribers.model import SuppressionReason
from mailer.tiers import actions as tiers
from mailer.tiers import store as ladder
from mailer.tiers.joining import sign_up
from mailer.tiers.model import SignKind, Source
from tests import makers as make
from tests.cast import Cast


def find(told: list[Entry], kind: str) -> Entry:
    return next(entry for entry in told if entry.kind == kind)


async def test_a_person_is_given_with_level_groups_and_state(cast: Cast, work: Work) -> None:
    bo = await person(work, cast.bo.uid)

    assert bo.subscriber.no == cast.bo.no
    assert bo.tier is not None
    assert bo.tier.slug == "supporter"
    assert [group.no for group in bo.groups] == [cast.northgate.no]
    assert bo.state is SubscriberState.ACTIVE


async def test_who_may_not_be_seen_is_nobody(cast: Cast, work: Work) -> None:
    farids = make.seen_by(work, cast.harbour)
    assert (await person(farids, cast.gil.uid)).subscriber.no == cast.gil.no
    with pytest.raises(PersonUnknown):
        await person(farids, cast.bo.uid)
    with pytest.raises(PersonUnknown):
        await timeline(farids, cast.bo)
    with pytest.raises(PersonUnknown):
        await person(work, "no-such-uid")


async def test_a_timeline_tells_what_happened_newest_first(cast: Cast, work: Work) -> None:
    later = make.later(make.by_account(work, cast.esra.no), days=1)
    await tiers.assign(later, cast.bo, cast.activist, reason="She runs the stall.")

    told = await timeline(later, cast.bo)

    assert [entry.words for entry in told if entry.kind != "letter"] == [
        "Stepped up from Supporter to Activist",
        "Said yes to “Bulletin”",
        "Was asked to confirm “Bulletin”",
        "Joined Northgate Transport Branch",
        "Joined as Supporter",
        "Came onto the roll",
    ]
    moved = find(told, "tier_changed")
    assert (moved.account_name, moved.said) == ("Esra", "She runs the stall.")
    assert moved.undo is not None
    assert (moved.undo.what, (moved.undo.until - later.now).days) == (Undoes.TIER, 30)
    assert find(told, "confirmed").said == cast.wording
    assert {entry.words for entry in told if entry.kind == "letter"} == {
        "Letter: Please confirm",
        "Letter: Welcome",
        "Letter: Your level has changed",
    }


async def test_only_what_can_still_be_undone_offers_an_undo(cast: Cast, work: Work) -> None:
    first = await tiers.step(work, cast.gil, cast.supporter, source=Source.SELF_LINK)
    assert isinstance(first, tiers.Moved)
    left = await consent.unsubscribe(work, cast.gil, list_no=None)
    assert left is not None
    await subscribers.change_address(work, cast.gil, "gil@new.example")
    open_now = [entry.undo.what for entry in await timeline(work, cast.gil) if entry.undo]
    assert open_now == [Undoes.ADDRESS, Undoes.LEAVING, Undoes.TIER]

    after = make.later(work, days=31)
    assert [entry for entry in await timeline(after, cast.gil) if entry.undo] == []

    await tiers.undo(work, cast.gil, first.change.no)
    await consent.undo_unsubscribe(work, cast.gil, left.no)
    [change] = await store.address_changes_of(work, cast.gil.no)
    await subscribers.undo_address_change(work, change.no)
    assert [entry for entry in await timeline(work, cast.gil) if entry.undo] == []


async def test_a_move_and_a_wish_name_the_newsletter_whose_link_they_came_from(
    cast: Cast, work: Work
) -> None:
    june = await composing.begin(work, name="June, 100% (new)")
    await tiers.step(work, cast.gil, cast.supporter, source=Source.SELF_LINK, campaign_no=june.no)
    wish = await tiers.step(
        work, cast.gil, cast.activist, source=Source.SELF_LINK, campaign_no=june.no
    )
    assert isinstance(wish, tiers.Requested)
    await tiers.answer(make.later(work, hours=1), wish.request, granted=True)

    told = [one for one in await timeline(work, cast.gil) if one.cause]

    assert [(one.kind, one.details) for one in told] == [
        ("tier_changed", "As was asked for, from a link in “June, 100% (new)”."),
        ("tier_requested", "From a link in “June, 100% (new)”."),
        ("tier_changed", "From a link in “June, 100% (new)”."),
    ]
    assert {(one.cause.what, one.cause.uid) for one in told if one.cause} == {
        (Causes.CAMPAIGN, june.uid)
    }


async def test_a_move_and_a_wish_name_the_ask_whose_answer_suggested_them(
    cast: Cast, work: Work
) -> None:
    ask = await make.ask(work, "Bring a chair")
    for kind, tier in ((SignKind.PLEDGED, cast.supporter), (SignKind.DONE, cast.activist)):
        for _time in range(2):
            await tiers.note_sign(work, cast.gil.no, kind, work.now, ask_no=ask.no)
        suggested = await ladder.suggested(work, cast.gil.no)
        assert suggested is not None
        assert suggested[1].no == tier.no
        await tiers.accept(work, cast.gil, suggested[0].no)

    told = [one for one in await timeline(work, cast.gil) if one.cause]

    assert [(one.kind, one.details) for one in told] == [
        ("tier_requested", "Suggested after an answer to “Bring a chair”."),
        ("tier_changed", "Suggested after an answer to “Bring a chair”, and accepted."),
    ]
    assert {(one.cause.what, one.cause.uid) for one in told if one.cause} == {(Causes.ASK, ask.uid)}


async def test_what_led_to_a_move_and_is_gone_has_no_name(cast: Cast, work: Work) -> None:
    await tiers.step(work, cast.gil, cast.supporter, source=Source.SELF_LINK, campaign_no=99)

    moved = find(await timeline(work, cast.gil), "tier_changed")

    assert moved.details == "From a link in an email."
    assert moved.cause is not None
    assert moved.cause.uid == ""


async def everything(work: Work, cast: Cast) -> None:
    """Let everything happen to Bo that a timeline can tell."""
    bo = cast.bo
    await subscribers.change_details(
        work, bo, first_name="Bo", last_name="D", city="Lyon", language="fr"
    )
    change = await subscribers.ask_address_change(work, bo, "bo@new.example")
    await subscribers.confirm_address_change(work, change.no)
    await subscribers.undo_address_change(work, change.no)
    await subscribers.pause(work, bo)
    await subscribers.resume(work, bo)
    await subscribers.stop_silently(work, bo)
    await subscribers.start_again(work, bo)
    await groups.leave(work, bo, cast.northgate)
    await consent.take_off(work, bo, reason=SuppressionReason.BOUNCE)
    await consent.put_back(work, bo)
    record = await consent.unsubscribe(work, bo, list_no=None)
    assert record is not None
    await consent.undo_unsubscribe(work, bo, record.no)
    easy = await make.mailing_list(work, "Easy", double_opt_in=False)
    await consent.agree(work, bo, easy, wording="Yes.", language="en")
    await tiers.step(work, bo, cast.follower, source=Source.SELF_LINK)
    for granted in (None, False, True):
        asked = await tiers.step(work, bo, cast.activist, source=Source.SELF_LINK)
        assert isinstance(asked, tiers.Requested)
        if granted is None:
            await tiers.withdraw_request(work, asked.request)
        else:
            await tiers.answer(work, asked.request, granted=granted)
    await sign_up(
        work,
        address="new@example.org",
        first_name="New",
        language="en",
        tier_slug="activist",
        list_slug="bulletin",
        group_name="Branch 9",
        wording="Yes.",
    )


async def test_every_line_of_a_timeline_is_told_in_both_languages(cast: Cast, work: Work) -> None:
    await everything(work, cast)
    new = await store.by_address(work, "new@example.org")
    assert new is not None
    for subscriber in (cast.bo, new):
        for language in ("en", "fr"):
            with speaking(language):
                told = await timeline(work, subscriber)
            orders = [entry.order for entry in told if entry.kind != "letter"]
            lines = await activity.lines_of(work, subscriber.no)
            assert orders == [line.no for line in lines]
            assert all(entry.words and "%(" not in entry.words for entry in told)


async def test_a_letter_is_told_with_what_became_of_it(cast: Cast, work: Work) -> None:
    welcome, confirm = await outbox.letters_to(work, cast.bo.no)
    welcome.state, welcome.at = DeliveryState.SENT, work.now
    confirm.kind, confirm.state = "of-another-release", DeliveryState.REFUSED

    first, *_, last = [one for one in await timeline(work, cast.bo) if one.kind == "letter"]

    assert (first.words, first.at) == ("Letter: Welcome", work.now)
    assert first.details == "Their mail server has accepted it."
    assert last.words == "Letter: of-another-release"


async def test_somebody_on_paper_has_only_come_onto_the_roll(cast: Cast, work: Work) -> None:
    ola = await subscribers.add(work, address=None, first_name="Ola")
    assert [entry.words for entry in await timeline(work, ola)] == ["Came onto the roll"]
