"""Entering one person by hand."""

import pytest

from mailer.consent import actions as consent
from mailer.consent.model import SubscriberState
from mailer.groups import store as groups
from mailer.imports.actions import BasisNeeded, EvidenceNeeded, ListNeeded
from mailer.imports.entering import LevelNeeded, NeverWriteTo, enter
from mailer.imports.model import Basis
from mailer.kit.errors import Refusal
from mailer.kit.work import Work
from mailer.subscribers.actions import AddressTaken
from mailer.subscribers.model import Subscriber, SuppressionReason
from mailer.tiers import store as ladder
from tests import makers as make
from tests.cast import Cast

EVIDENCE = "At the stall, 1 May."


async def entered(work: Work, address: str = "yasmin@example.org", **how: object) -> Subscriber:
    said: dict[str, object] = {"first_name": "Yasmin", "last_name": "", "city": "", **how}
    return await enter(work, address=address, language="en", **said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("basis", "state"),
    [(Basis.AGREED, SubscriberState.ACTIVE), (Basis.ASK, SubscriberState.PENDING)],
)
async def test_somebody_stands_where_it_is_said_on_the_ground_that_is_given(
    cast: Cast, work: Work, basis: Basis, state: SubscriberState
) -> None:
    yasmin = await entered(
        work,
        tier_no=cast.organiser.no,
        group_no=cast.harbour.no,
        list_no=cast.bulletin.no,
        basis=basis,
        evidence=EVIDENCE,
    )
    assert await consent.state_of(work, yasmin) is state
    tier = await ladder.chosen(work, yasmin.no)
    assert tier
    assert tier.no == cast.organiser.no
    assert [group.no for group in await groups.of(work, yasmin.no)] == [cast.harbour.no]


async def test_unless_said_they_stand_lowest_and_on_no_list(cast: Cast, work: Work) -> None:
    yasmin = await entered(work, address="")
    tier = await ladder.chosen(work, yasmin.no)
    assert tier
    assert (tier.no, yasmin.address) == (cast.follower.no, None)
    assert await consent.state_of(work, yasmin) is SubscriberState.PENDING


async def test_a_group_organiser_enters_people_into_their_own_group(cast: Cast, work: Work) -> None:
    theirs = make.seen_by(work, cast.harbour, account=cast.farid.no)
    yasmin = await entered(theirs, list_no=cast.bulletin.no, basis=Basis.ASK)
    assert [group.no for group in await groups.of(work, yasmin.no)] == [cast.harbour.no]


@pytest.mark.parametrize(
    ("how", "refusal"),
    [
        ({"basis": None}, BasisNeeded),
        ({"basis": Basis.AGREED, "evidence": "yes"}, EvidenceNeeded),
        ({"basis": Basis.ASK, "list_no": 99}, ListNeeded),
        ({"basis": Basis.ASK, "tier_no": 99}, LevelNeeded),
        ({"basis": Basis.ASK, "address": "BO@example.org"}, AddressTaken),
        ({"basis": Basis.ASK, "address": "gone@example.org"}, NeverWriteTo),
    ],
)
async def test_what_is_not_so_is_refused(
    cast: Cast, work: Work, how: dict[str, object], refusal: type[Refusal]
) -> None:
    await consent.suppress_many(work, ["gone@example.org"], SuppressionReason.ASKED)
    with pytest.raises(refusal) as refused:
        await entered(work, **{"list_no": cast.bulletin.no, **how})  # type: ignore[arg-type]
    assert refused.value.facts["field"]
