"""Where somebody stands: derived in Python and in SQL, and the two agree."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from mailer.consent import store
from mailer.consent.actions import state_of, states_of
from mailer.consent.model import (
    SubscriberState,
    Subscription,
    SubscriptionState,
    state_from,
)
from mailer.kit.work import Work
from mailer.subscribers import pausing
from mailer.subscribers.actions import SubscriberUnknown
from mailer.subscribers.model import Subscriber, Suppression, SuppressionReason, visible
from tests import makers as make
from tests.cast import Cast

YES_NO = (False, True)
FLAGS = ("erased", "stopped", "suppressed", "paused", "no_address")
SUBSCRIPTIONS = [
    subset
    for size in range(len(SubscriptionState) + 1)
    for subset in itertools.combinations(SubscriptionState, size)
]


async def every_case(work: Work, cast: Cast) -> dict[int, dict[str, Any]]:
    """Write a row for every combination; give what is true of each, by number."""
    lists = [cast.bulletin]
    lists += [await make.mailing_list(work, name) for name in ("Alerts", "Events")]
    cases: dict[int, dict[str, Any]] = {}
    for number, (flags, states) in enumerate(
        itertools.product(itertools.product(YES_NO, repeat=len(FLAGS)), SUBSCRIPTIONS)
    ):
        case = dict(zip(FLAGS, flags, strict=True))
        if case["no_address"] and case["suppressed"]:
            continue  # what is suppressed is an address
        no = 1000 + number
        mark = None if case["no_address"] else f"mark{no}"
        await work.session.execute(
            insert(Subscriber).values(
                no=no,
                uid=f"uid{no}",
                address=None if case["no_address"] else f"{no}@example.org",
                address_key=None if case["no_address"] else f"{no}@example.org",
                mark=mark,
                door=work.door,
                joined_at=work.now,
                erased_at=work.now if case["erased"] else None,
                stopped_at=work.now if case["stopped"] else None,
                # A break that is over is none, so half of the others have had one.
                paused_until=work.now + timedelta(hours=1 if case["paused"] else -1)
                if case["paused"] or number % 2
                else None,
            )
        )
        if case["suppressed"]:
            await work.session.execute(
                insert(Suppression).values(
                    mark=mark, reason=SuppressionReason.ASKED, at=work.now, door=work.door
                )
            )
        for mailing_list, state in zip(lists, states, strict=False):
            await work.session.execute(
                insert(Subscription).values(
                    subscriber_no=no, list_no=mailing_list.no, state=state, asked_at=work.now
                )
            )
        cases[no] = {**case, "states": dict(zip((one.no for one in lists), states, strict=False))}
    return cases


async def test_python_and_sql_derive_the_same_state_in_every_case(cast: Cast, work: Work) -> None:
    cases = await every_case(work, cast)
    derived = {
        no: state_from(
            erased=case["erased"],
            stopped=case["stopped"],
            suppressed=case["suppressed"],
            paused=case["paused"],
            subscriptions=list(case["states"].values()),
        )
        for no, case in cases.items()
    }

    assert await store.states(work, cases) == derived
    assert set(derived.values()) == set(SubscriberState)

    active = await work.session.scalars(
        select(Subscriber.no).where(
            Subscriber.no.in_(cases), store.is_active(work.now), visible(work)
        )
    )
    assert set(active) == {no for no, state in derived.items() if state == SubscriberState.ACTIVE}


async def test_only_whoever_agreed_and_whom_nothing_forbids_may_be_mailed(
    cast: Cast, work: Work
) -> None:
    cases = await every_case(work, cast)
    found = await work.session.scalars(
        select(Subscriber.no).where(
            Subscriber.no.in_(cases), store.may_mail(cast.bulletin.no, work.now), visible(work)
        )
    )
    assert set(found) == {
        no
        for no, case in cases.items()
        if case["states"].get(cast.bulletin.no) is SubscriptionState.CONFIRMED
        and not any(case[flag] for flag in FLAGS)
    }


async def test_whoever_may_be_mailed_is_active(cast: Cast, work: Work) -> None:
    cases = await every_case(work, cast)
    strange = await work.session.scalars(
        select(Subscriber.no).where(
            Subscriber.no.in_(cases),
            store.may_mail(cast.bulletin.no, work.now),
            ~store.is_active(work.now),
            visible(work),
        )
    )
    assert strange.all() == []


@pytest.mark.parametrize(
    ("who", "state"),
    [
        ("bo", SubscriberState.ACTIVE),
        ("chidi", SubscriberState.UNSUBSCRIBED),
        ("dana", SubscriberState.PENDING),
        ("gil", SubscriberState.ACTIVE),
    ],
)
async def test_the_cast_stands_where_it_should(
    cast: Cast, work: Work, who: str, state: SubscriberState
) -> None:
    assert await state_of(work, getattr(cast, who)) is state


async def test_states_of_people_out_of_sight_are_not_told(cast: Cast, work: Work) -> None:
    farids = make.seen_by(work, cast.harbour)
    seen = await states_of(farids, [cast.bo, cast.gil])
    assert seen == {cast.gil.no: SubscriberState.ACTIVE}
    with pytest.raises(SubscriberUnknown):
        await state_of(farids, cast.bo)


async def test_who_is_on_a_break_is_counted(cast: Cast, work: Work) -> None:
    assert await store.how_many_paused(work) == 0
    await pausing.pause(work, cast.bo, days=30)
    await pausing.pause(work, cast.gil, days=30)
    await pausing.pause(work, cast.chidi, days=30)  # who has left is not on a break
    assert await store.how_many_paused(work) == 2
    assert await store.how_many_paused(make.seen_by(work, cast.harbour)) == 1
    await pausing.stop_silently(work, cast.bo)
    assert await store.how_many_paused(work) == 1


async def test_people_are_counted_by_list(cast: Cast, work: Work) -> None:
    assert (await store.counts_by_list(work))[cast.bulletin.no] == {
        SubscriptionState.CONFIRMED: 2,
        SubscriptionState.UNCONFIRMED: 1,
        SubscriptionState.UNSUBSCRIBED: 1,
    }
