"""Joining by the open form, by friend and by foe."""

import asyncio
import itertools
from typing import Any

import pytest

from mailer.activity import store as activity
from mailer.bootstrap import House
from mailer.consent import actions as consent
from mailer.consent import store as consents
from mailer.consent.model import Confirmation, SubscriberState, SubscriptionState
from mailer.consent.reminding import remind_due
from mailer.groups import store as groups
from mailer.kit.addresses import AddressIncomplete
from mailer.kit.work import Work
from mailer.outbox import store as outbox
from mailer.outbox.model import Letter
from mailer.subscribers import store as subscribers
from mailer.subscribers.actions import stop_silently
from mailer.subscribers.model import Subscriber, SuppressionReason
from mailer.tiers import actions as tiers
from mailer.tiers import store
from mailer.tiers.joining import ListNotChosen, TierNotChosen, sign_up
from tests import makers as make
from tests.cast import Cast


async def join(work: Work, address: str, **how: Any) -> Confirmation:
    said = {
        "first_name": "Eve",
        "language": "en",
        "tier_slug": "supporter",
        "list_slug": "bulletin",
        "wording": "Yes.",
    }
    return await sign_up(work, address=address, **(said | how))


async def found(work: Work, address: str) -> Subscriber:
    person = await subscribers.by_address(work, address)
    assert person is not None
    return person


async def letters(work: Work, person: Subscriber) -> list[Letter]:
    return list(reversed(await outbox.letters_to(work, person.no)))


async def tier_of(work: Work, person: Subscriber) -> str:
    tier = await store.chosen(work, person.no)
    return tier.slug if tier else ""


async def test_somebody_new_waits_on_the_level_they_chose(cast: Cast, work: Work) -> None:
    confirmation = await join(
        work, "new@example.org", language="fr", group_name="HARBOUR workers’ centre"
    )

    new = await found(work, "new@example.org")
    assert confirmation.subscriber_no == new.no
    assert await consent.state_of(work, new) is SubscriberState.PENDING
    assert await tier_of(work, new) == "supporter"
    assert [group.no for group in await groups.of(work, new.no)] == [cast.harbour.no]
    assert (new.first_name, new.language) == ("Eve", "fr")
    [letter] = await letters(work, new)
    assert (letter.kind, letter.facts["tier"]) == ("confirm", cast.supporter.no)
    assert await activity.kinds(work, new.no) == [
        "joined",
        "tier_chosen",
        "group_joined",
        "asked",
    ]


async def test_a_level_that_needs_approval_is_a_wish_that_waits_for_the_confirmation(
    cast: Cast, work: Work
) -> None:
    confirmation = await join(work, "new@example.org", tier_slug="organiser")
    new = await found(work, "new@example.org")
    assert await tier_of(work, new) == "supporter"
    assert await store.open_requests(work) == []

    await consent.confirm(work, confirmation.no)

    [(request, person, tier)] = await store.open_requests(work)
    assert (request.tier_no, person.no, tier.slug) == (cast.organiser.no, new.no, "organiser")
    assert [letter.kind for letter in await letters(work, new)] == ["confirm", "welcome"]


async def test_a_wish_begins_below_it_even_where_a_higher_level_is_open(
    cast: Cast, work: Work
) -> None:
    for tier, closed in ((cast.supporter, True), (cast.organiser, False)):
        await tiers.describe_tier(
            work,
            tier,
            name=tier.name,
            often=tier.often,
            you_get=tier.you_get,
            we_ask=tier.we_ask,
            needs_approval=closed,
        )
    await join(work, "new@example.org", tier_slug="activist")
    assert await tier_of(work, await found(work, "new@example.org")) == "follower"


async def test_an_open_form_founds_no_group(cast: Cast, work: Work) -> None:
    await join(work, "new@example.org", group_name="Branch 9")
    new = await found(work, "new@example.org")
    assert await groups.by_name(work, "Branch 9") is None
    [line] = await activity.lines_of(work, new.no, kinds=["group_named"])
    assert line.facts == {"name": "Branch 9"}


async def test_nothing_of_a_known_person_changes(cast: Cast, work: Work) -> None:
    before = await activity.kinds(work, cast.bo.no)

    confirmation = await join(
        make.later(work, days=3),
        "BO@example.org",
        first_name="Mallory",
        language="fr",
        tier_slug="follower",
        group_name=cast.harbour.name,
    )

    bo = await found(work, "bo@example.org")
    assert confirmation.subscriber_no is None
    assert (bo.first_name, bo.language, bo.address) == ("Bo", "en", "bo@example.org")
    assert await tier_of(work, bo) == "supporter"
    assert [group.no for group in await groups.of(work, bo.no)] == [cast.northgate.no]
    assert await activity.kinds(work, bo.no) == before
    assert await consent.state_of(work, bo) is SubscriberState.ACTIVE
    assert (await letters(work, bo))[-1].kind == "already-on-the-roll"


async def test_who_has_left_is_asked_and_has_still_left(cast: Cast, work: Work) -> None:
    later = make.later(work, days=2)
    confirmation = await join(later, "chidi@example.org", tier_slug="follower")

    assert await consent.state_of(later, cast.chidi) is SubscriberState.UNSUBSCRIBED
    assert await tier_of(work, cast.chidi) == "supporter"
    assert (await letters(work, cast.chidi))[-1].kind == "confirm"
    await consent.confirm(later, confirmation.no)
    assert await consent.state_of(later, cast.chidi) is SubscriberState.ACTIVE


@pytest.mark.parametrize("why", ["suppressed", "stopped", "an opt-out of another tool"])
async def test_who_is_never_written_to_gets_no_letter(cast: Cast, work: Work, why: str) -> None:
    address = "bo@example.org"
    match why:
        case "suppressed":
            await consent.take_off(work, cast.bo)
        case "stopped":
            await stop_silently(work, cast.bo)
        case _:
            address = "gone@example.org"
            await consent.suppress_many(work, [address], SuppressionReason.IMPORTED)
    before = len(await letters(work, cast.bo))
    people = await subscribers.how_many(work)

    confirmation = await join(make.later(work, days=3), address)

    assert confirmation.subscriber_no is None
    assert len(await letters(work, cast.bo)) == before
    assert await subscribers.how_many(work) == people


ADDRESSES = {
    "new": "new@example.org",
    "active": "bo@example.org",
    "pending": "dana@example.org",
    "left": "chidi@example.org",
    "never": "gone@example.org",
}


@pytest.mark.parametrize("who", ADDRESSES)
async def test_signing_up_again_and_again_looks_alike_for_everybody(
    cast: Cast, work: Work, who: str
) -> None:
    """Whether a second sign-up has the page of the first tells nobody who is on the roll."""
    await consent.suppress_many(work, ["gone@example.org"], SuppressionReason.IMPORTED)
    begin = make.later(work, days=2)

    hours = (0, 1, 25, 26, 51, 52, 100, 3000)
    pages = [await join(make.later(begin, hours=hour), ADDRESSES[who]) for hour in hours]

    # A page lives for two days: the reminder comes after one, and then it is a day's letter.
    began = [0, 0, 0, 0, 51, 51, 100, 3000]
    of_hour = {hour: page.uid for hour, page in zip(began, pages, strict=True)}
    assert [page.uid for page in pages] == [of_hour[hour] for hour in began]
    assert len(set(of_hour.values())) == 4
    for page in pages:
        assert (page.wording, page.language, page.confirmed_at) == ("Yes.", "en", None)


@pytest.mark.parametrize("hours", [1, 30, 47, 49, 71])
async def test_a_second_sign_up_does_not_show_whether_the_first_was_confirmed(
    cast: Cast, work: Work, hours: int
) -> None:
    """What the owner of an address does between two sign-ups must not be seen by who types it."""
    again = make.later(work, hours=hours)
    pages: dict[str, bool] = {}
    for did in ("nothing", "confirmed", "confirmed and left", "declined", "was reminded"):
        first = await join(work, f"{did.replace(' ', '.')}@example.org")
        person = await found(work, f"{did.replace(' ', '.')}@example.org")
        match did:
            case "confirmed" | "confirmed and left":
                await consent.confirm(work, first.no)
                if did.endswith("left"):
                    await consent.unsubscribe(work, person, list_no=None)
            case "declined":
                await consent.decline(work, first.no)
            case "was reminded":
                await remind_due(again)
            case _:
                pass
        uid = first.uid
        pages[did] = (await join(again, str(person.address))).uid == uid
    assert set(pages.values()) == {hours < 48}


async def test_who_left_since_they_confirmed_can_come_back_from_the_same_page(
    cast: Cast, work: Work
) -> None:
    first = await join(work, "new@example.org")
    uid = first.uid
    await consent.confirm(work, first.no)
    new = await found(work, "new@example.org")
    await consent.unsubscribe(work, new, list_no=None)

    again = await join(make.later(work, hours=1), "new@example.org")

    assert again.no != first.no
    assert again.uid == uid
    assert (await letters(work, new))[-1].facts["confirmation"] == again.no
    await consent.confirm_by_code(work, uid, consent.code_of(work, again))
    assert await consent.state_of(work, new) is SubscriberState.ACTIVE


async def test_where_a_list_asks_for_no_letter_somebody_new_is_on_it_and_welcomed(
    cast: Cast, work: Work
) -> None:
    alerts = await make.mailing_list(work, double_opt_in=False)

    confirmation = await join(work, "new@example.org", list_slug=alerts.slug)

    new = await found(work, "new@example.org")
    assert confirmation.confirmed_at == work.now
    assert await consent.state_of(work, new) is SubscriberState.ACTIVE
    assert [letter.kind for letter in await letters(work, new)] == ["welcome"]
    [record] = await consents.records_of(work, new.no)
    assert (record.wording, record.version, record.list_no) == ("Yes.", 1, alerts.no)
    again = await join(make.later(work, hours=3), "new@example.org", list_slug=alerts.slug)
    assert again.uid == confirmation.uid


@pytest.mark.parametrize("who", ["active", "pending", "left"])
async def test_a_stranger_puts_nobody_known_on_a_list_that_asks_for_no_letter(
    cast: Cast, work: Work, who: str
) -> None:
    alerts = await make.mailing_list(work, double_opt_in=False)
    later = make.later(work, days=2)

    await join(later, ADDRESSES[who], list_slug=alerts.slug)

    person = await found(work, ADDRESSES[who])
    standing = await consents.subscription(work, person.no, alerts.no)
    assert standing is not None
    assert standing.state is SubscriptionState.UNCONFIRMED
    assert (await letters(work, person))[-1].kind == "confirm"


@pytest.mark.parametrize("who", ["new", "active", "pending", "left"])
async def test_ten_thousand_sign_ups_are_one_letter_a_day_and_three_in_all(
    cast: Cast, work: Work, who: str
) -> None:
    begin = make.later(work, days=2)
    person = None
    before = 0
    if who != "new":
        person = await found(work, ADDRESSES[who])
        before = len(await letters(work, person))
    for hour in range(0, 200, 5):
        await join(make.later(begin, hours=hour), ADDRESSES[who])
    person = person or await found(work, ADDRESSES[who])

    sent = (await letters(work, person))[before:]

    assert len(sent) == (2 if who == "pending" else 3)
    for one, next_one in itertools.pairwise(sent):
        assert (next_one.due_at - one.due_at).total_seconds() >= 86400


async def test_two_who_sign_one_address_up_at_once_are_one_person_and_one_letter(
    cast: Cast, house: House
) -> None:
    async def one() -> str:
        async with house.work() as work:
            confirmation = await join(work, "new@example.org")
            await asyncio.sleep(0.05)
            return confirmation.uid

    uids = await asyncio.gather(one(), one(), one())

    assert len(set(uids)) == 1
    async with house.work() as work:
        new = await found(work, "new@example.org")
        assert len(await letters(work, new)) == 1
        assert len(await consents.subscriptions_of(work, new.no)) == 1


async def test_what_cannot_be_joined_is_refused_by_its_field(cast: Cast, work: Work) -> None:
    with pytest.raises(AddressIncomplete) as address:
        await join(work, "new")
    with pytest.raises(TierNotChosen) as tier:
        await join(work, "new@example.org", tier_slug="")
    with pytest.raises(ListNotChosen) as mailing_list:
        await join(work, "new@example.org", list_slug="secret")
    assert [r.value.facts["field"] for r in (address, tier, mailing_list)] == [
        "address",
        "tier",
        "list",
    ]


async def test_a_list_that_is_not_public_is_not_joined_by_the_form(cast: Cast, work: Work) -> None:
    await consent.describe_list(
        work,
        cast.bulletin,
        name={"en": "Members"},
        about={},
        consent_text={"en": "Yes."},
        is_public=False,
    )
    with pytest.raises(ListNotChosen):
        await join(work, "new@example.org")


@pytest.mark.parametrize("times", [1, 3, 5])
async def test_who_signed_up_while_on_the_list_and_then_left_can_come_back(
    cast: Cast, work: Work, times: int
) -> None:
    *_, last = [
        await join(make.later(work, days=2 * day), "bo@example.org") for day in range(times)
    ]
    uid = last.uid
    leaving = make.later(work, days=2 * times - 2, hours=1)
    await consent.unsubscribe(leaving, cast.bo, list_no=None)

    again = await join(leaving, "bo@example.org")

    assert again.uid == uid
    newest = (await letters(work, cast.bo))[-1]
    assert (newest.kind, newest.facts["confirmation"]) == ("confirm", again.no)
    assert newest.due_at == leaving.now
    await consent.confirm_by_code(leaving, again.uid, consent.code_of(work, again))
    assert await consent.state_of(leaving, cast.bo) is SubscriberState.ACTIVE
