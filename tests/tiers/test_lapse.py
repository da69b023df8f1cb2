"""Lapse: asked twice whether they are still with us, then one rung lower, by what people do."""

from datetime import timedelta

import pytest

from mailer.activity import store as activity
from mailer.asks import actions as asks
from mailer.asks import store as ask_store
from mailer.bootstrap import House
from mailer.consent import actions as consent
from mailer.followups import opening, settling
from mailer.followups import store as followups
from mailer.followups.model import Outcome
from mailer.kit.work import Door, Work
from mailer.outbox import store as outbox
from mailer.subscribers import actions as subscribers
from mailer.subscribers.model import Subscriber
from mailer.tiers import actions as tiers
from mailer.tiers import store
from mailer.tiers.model import Source, Stayed, StillWithUs, Tier
from mailer.tiers.upkeep import lapsing, rounds
from mailer.tiers.upkeep import store as upkeep
from mailer.tiers.upkeep.lapsing import QuestionUnknown
from tests import makers as make
from tests.cast import Cast

YEAR = 365


@pytest.fixture
async def sam(cast: Cast, work: Work) -> Subscriber:
    """Give somebody on a level that lapses after a year."""
    return await make.person(work, "sam@example.org", tier=cast.activist)


async def asked(work: Work, tier: Tier, *, after: int = 0) -> list[int]:
    stretch = await lapsing.ask_the_quiet(work, tier, after=after, most=100, limit=100)
    return [no for no, _language in stretch.people]


async def questions(work: Work, person: Subscriber) -> list[StillWithUs]:
    found = [await store.question_by_no(work, no) for no in range(1, 9)]
    return [one for one in found if one and one.subscriber_no == person.no]


async def kinds(work: Work, person: Subscriber) -> list[str]:
    return [one.kind for one in reversed(await outbox.letters_to(work, person.no))]


async def slug_of(work: Work, person: Subscriber) -> str:
    tier = await store.chosen(work, person.no)
    return tier.slug if tier else ""


async def test_a_year_of_silence_is_asked_about_twice_and_then_one_step_down(
    cast: Cast, work: Work, sam: Subscriber
) -> None:
    quiet = make.later(work, days=YEAR + 1)
    assert await asked(quiet, cast.activist) == [sam.no]
    assert await asked(quiet, cast.activist) == [], "one question stands at a time"
    assert await lapsing.go_on(make.later(quiet, days=13)) == 0
    assert await lapsing.go_on(make.later(quiet, days=15)) == 1
    assert await slug_of(work, sam) == "activist"
    assert await lapsing.go_on(make.later(quiet, days=30)) == 1

    assert await slug_of(work, sam) == "supporter"
    [question] = await questions(work, sam)
    assert question.ended is Stayed.LAPSED
    change = await store.newest_change(work, sam.no)
    assert change is not None
    assert change.source is Source.LAPSED
    assert (await kinds(work, sam))[-3:] == ["still-with-us", "still-with-us", "tier-changed"]
    assert (await outbox.letters_to(work, sam.no))[0].facts == {"change": change.no, "by": "time"}
    await tiers.undo(make.later(quiet, days=59), sam, change.no)
    assert await slug_of(work, sam) == "activist"


async def test_what_they_did_is_a_sign_and_what_others_did_is_none(
    cast: Cast, house: House, work: Work, sam: Subscriber
) -> None:
    alive = await make.person(work, "alive@example.org", tier=cast.activist)
    lately = make.later(work, days=YEAR - 5)
    by_mail = make.by_account(lately, cast.amina.no)
    await subscribers.change_details(by_mail, sam, city="Harbour")
    await subscribers.change_details(make.through(lately, Door.EMAIL), alive, city="Harbour")

    assert await asked(make.later(work, days=YEAR + 1), cast.activist) == [sam.no]


async def test_what_an_organiser_heard_from_them_is_a_sign_too(cast: Cast, work: Work) -> None:
    spoke, rang, did, verified = [
        await make.person(work, f"{name}@example.org", tier=cast.activist)
        for name in ("spoke", "rang", "did", "verified")
    ]
    lately = make.by_account(make.later(work, days=YEAR - 5), cast.amina.no)
    for person, outcome in ((spoke, Outcome.REACHED), (rang, Outcome.NO_ANSWER)):
        case = await opening.remember(lately, person, words="Ask how it went.")
        await settling.settle(lately, case, outcome)
    ask = await make.ask(work)
    await asks.report_done(lately, did, ask)
    pledge = await asks.report_done(work, verified, ask)
    await asks.verify(lately, pledge)

    assert await asked(make.later(work, days=YEAR + 1), cast.activist) == [rang.no, verified.no]


async def test_a_talk_or_a_deed_that_was_taken_back_is_none(cast: Cast, work: Work) -> None:
    spoke = await make.person(work, "spoke@example.org", tier=cast.activist)
    did = await make.person(work, "did@example.org", tier=cast.activist)
    lately = make.by_account(make.later(work, days=YEAR - 5), cast.amina.no)
    case = await opening.remember(lately, spoke, words="Ask how it went.")
    case = await settling.settle(lately, case, Outcome.REACHED)
    [step, *_rest] = await followups.steps_of(lately, case.no)
    await settling.take_back(lately, case, step.no)
    await asks.report_done(lately, did, await make.ask(work))
    [change] = await ask_store.changes_of(lately, did.no)
    await asks.undo(lately, change.no, subscriber=did)

    assert await asked(make.later(work, days=YEAR + 1), cast.activist) == [spoke.no, did.no]


async def test_a_talk_ends_the_question(cast: Cast, work: Work, sam: Subscriber) -> None:
    quiet = make.later(work, days=YEAR + 1)
    await asked(quiet, cast.activist)
    later = make.by_account(make.later(quiet, days=3), cast.amina.no)
    case = await opening.remember(later, sam, words="Ask how it went.")
    await settling.settle(later, case, Outcome.REACHED)

    assert await lapsing.go_on(make.later(quiet, days=15)) == 1

    assert [one.ended for one in await questions(work, sam)] == [Stayed.HEARD]


async def test_who_answers_in_any_way_is_asked_no_further(
    cast: Cast, work: Work, sam: Subscriber
) -> None:
    quiet = make.later(work, days=YEAR + 1)
    await asked(quiet, cast.activist)
    await subscribers.change_details(
        make.through(make.later(quiet, days=2), Door.PAGE), sam, city="Harbour"
    )

    assert await lapsing.go_on(make.later(quiet, days=15)) == 1

    assert [one.ended for one in await questions(work, sam)] == [Stayed.HEARD]
    assert (await kinds(work, sam)).count("still-with-us") == 1


async def test_saying_so_keeps_the_level_and_twice_is_once(
    cast: Cast, work: Work, sam: Subscriber
) -> None:
    quiet = make.through(make.later(work, days=YEAR + 1), Door.EMAIL)
    await asked(quiet, cast.activist)
    [question] = await questions(work, sam)

    await lapsing.stay(quiet, sam, question.no)
    await lapsing.stay(quiet, sam, question.no)

    assert question.ended is Stayed.KEPT
    assert (await activity.kinds(work, sam.no)).count("still_with_us") == 1
    assert await lapsing.go_on(make.later(quiet, days=30)) == 0
    assert await asked(make.later(quiet, days=30), cast.activist) == []
    assert await asked(make.later(quiet, days=YEAR + 1), cast.activist) == [sam.no]
    with pytest.raises(QuestionUnknown):
        await lapsing.stay(quiet, cast.bo, question.no)


@pytest.mark.parametrize("how", ["pause", "take off", "hold", "move", "organisers say never"])
async def test_who_is_not_written_to_or_is_elsewhere_is_not_asked_and_does_not_fall(
    cast: Cast, work: Work, sam: Subscriber, how: str
) -> None:
    quiet = make.by_account(make.later(work, days=YEAR + 1), cast.amina.no)
    await asked(quiet, cast.activist)
    match how:
        case "pause":
            await subscribers.pause(quiet, sam, days=100)
        case "take off":
            await consent.take_off(quiet, sam)
        case "hold":
            await subscribers.stop_silently(quiet, sam)
        case "move":
            await tiers.assign(quiet, sam, cast.organiser, reason="Runs the branch.")
        case _:
            tier = await store.by_no(work, cast.activist.no)
            assert tier is not None
            tier.lapse_days = None
            await work.session.flush()

    assert await lapsing.go_on(make.later(quiet, days=15)) == 1

    assert [one.ended for one in await questions(work, sam)] == [Stayed.GONE_ON]
    assert await slug_of(work, sam) == ("organiser" if how == "move" else "activist")


async def test_the_paused_and_the_lowest_are_never_asked(
    cast: Cast, work: Work, sam: Subscriber
) -> None:
    await subscribers.pause(make.later(work, days=YEAR), sam)
    assert await asked(make.later(work, days=YEAR + 1), cast.activist) == []

    ladder = await store.ladder(work)
    ladder[0].lapse_days = 30
    assert [tier.slug for tier in lapsing.may_lapse(ladder)] == ["activist", "organiser"]


async def test_a_round_walks_over_all_in_stretches_once_a_day_and_floods_nobody(
    cast: Cast, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "STRETCH", 3)
    monkeypatch.setattr(rounds, "LEAST", 5)
    await make.people(work, 8, tier=cast.activist)
    quiet = make.later(work, days=YEAR + 1)
    lengths = []

    async def walk(day: Work, after: int, most: int) -> tuple[upkeep.Stretch, int]:
        stretch = await lapsing.ask_the_quiet(
            day, cast.activist, after=after, most=most, limit=rounds.STRETCH
        )
        lengths.append(len(stretch.people))
        return stretch, len(stretch.people)

    async def a_day(day: Work) -> int:
        lengths.clear()
        while await rounds.go_on(day, "lapse", walk):
            pass
        return sum(lengths)

    assert await a_day(quiet) == 5
    assert lengths == [3, 2]
    assert await a_day(make.later(quiet, hours=23)) == 0
    assert not await rounds.is_due(make.later(quiet, hours=23), "lapse")
    assert await a_day(make.later(quiet, hours=24)) == 3
    assert await a_day(make.later(quiet, hours=49)) == 0
    asked_at = {
        one.next_at - one.asked_at
        for one in await upkeep.due_questions(make.later(quiet, days=40), 20)
    }
    assert asked_at == {timedelta(days=14)}
