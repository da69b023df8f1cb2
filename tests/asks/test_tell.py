"""Each answer is told to whoever it was given for, by letter, and not without end."""

from collections.abc import Awaitable, Callable

import pytest

from mailer.asks import actions as asks
from mailer.asks import store, telling
from mailer.asks.model import Ask, PledgeState
from mailer.asks.stepping import MOST_A_DAY
from mailer.kit.work import Door, Work
from mailer.outbox import store as outbox
from mailer.outbox.model import Letter
from mailer.subscribers.model import Subscriber
from tests import makers as make
from tests.cast import Cast


async def told(work: Work, who: Subscriber) -> list[Letter]:
    """Give the letters about answers, oldest first."""
    found = await outbox.letters_to(work, who.no)
    return [one for one in reversed(found) if one.kind in telling.RECEIPTS]


async def _done(work: Work, cast: Cast, ask: Ask) -> None:
    await asks.report_done(work, cast.bo, ask)


async def _help(work: Work, cast: Cast, ask: Ask) -> None:
    await asks.need_help(work, cast.bo, ask, words="How?")


async def _later(work: Work, cast: Cast, ask: Ask) -> None:
    await asks.not_yet(work, cast.bo, ask, until=None)


async def _decline(work: Work, cast: Cast, ask: Ask) -> None:
    await asks.decline(work, cast.bo, ask)


async def _withdraw(work: Work, cast: Cast, ask: Ask) -> None:
    await asks.withdraw(work, cast.bo, ask)


Answer = Callable[[Work, Cast, Ask], Awaitable[None]]
ANSWERS: dict[str, Answer] = {
    "done": _done,
    "help": _help,
    "later": _later,
    "declined": _decline,
    "withdrawn": _withdraw,
}


@pytest.mark.parametrize("answer", ANSWERS)
async def test_an_answer_by_a_mail_is_told_with_the_step_that_undoes_it(
    work: Work, cast: Cast, answer: str
) -> None:
    by_mail = make.through(work, Door.EMAIL)
    ask = await make.ask(work)
    said = await asks.pledge(by_mail, cast.bo, ask)
    await ANSWERS[answer](by_mail, cast, ask)
    await ANSWERS[answer](by_mail, cast, ask)
    change = await store.last_change(work, said.no)
    assert change is not None
    yes, letter = await told(work, cast.bo)
    assert (yes.kind, letter.kind) == (telling.YES, telling.ANSWER)
    assert letter.facts == {"pledge": said.no, "change": change.no, "answer": answer}


async def test_what_is_told_besides_is_an_answer_too(work: Work, cast: Cast) -> None:
    by_mail = make.through(work, Door.EMAIL)
    ask = await make.ask(work)
    await asks.report_done(by_mail, cast.bo, ask)
    await asks.report_done(by_mail, cast.bo, ask, note="They all came.")
    assert [one.facts["answer"] for one in await told(work, cast.bo)] == ["done", "told"]


async def test_what_an_organiser_writes_down_is_told_where_it_is_the_first_yes(
    work: Work, cast: Cast
) -> None:
    ask = await make.ask(work)
    esra = make.by_account(work, cast.esra.no)
    await asks.need_help(esra, cast.bo, ask, words="How?")
    assert [one.kind for one in await told(work, cast.bo)] == [telling.ANSWER]
    await asks.report_done(esra, cast.bo, ask)
    await asks.verify(esra, await asks.report_done(esra, cast.bo, ask))
    assert len(await told(work, cast.bo)) == 1


@pytest.mark.parametrize(
    ("answer", "kinds"),
    [("help", [telling.ANSWER, telling.SUPPORT]), ("done", [telling.ANSWER])],
)
async def test_a_first_yes_is_told_of_its_support_whatever_its_verb(
    work: Work, cast: Cast, answer: str, kinds: list[str]
) -> None:
    ask = await make.ask(work, needs_support=True)
    await ANSWERS[answer](make.through(work, Door.EMAIL), cast, ask)
    assert [one.kind for one in await told(work, cast.bo)] == kinds


async def test_who_never_confirmed_is_told_nothing(work: Work, cast: Cast) -> None:
    by_mail = make.through(work, Door.EMAIL)
    ask = await make.ask(work, needs_support=True)
    assert (await asks.pledge(by_mail, cast.dana, ask)).state is PledgeState.PLEDGED
    await asks.withdraw(by_mail, cast.dana, ask)
    assert await told(work, cast.dana) == []


async def test_a_script_that_presses_two_buttons_in_turn_fills_no_inbox(
    work: Work, cast: Cast
) -> None:
    by_mail = make.through(work, Door.EMAIL)
    ask = await make.ask(work)
    with pytest.raises(asks.TooOften):
        for second in range(0, 200, 2):
            await asks.pledge(make.later(by_mail, seconds=second), cast.bo, ask)
            await asks.decline(make.later(by_mail, seconds=second + 1), cast.bo, ask)
    assert len(await told(work, cast.bo)) == telling.MOST_A_DAY
    steps = await store.changes_of(work, cast.bo.no)
    assert len(steps) == MOST_A_DAY
    said = await store.pledge_of(work, cast.bo.no, ask.no)
    assert said is not None
    assert said.state is PledgeState.DECLINED, "the last word was a no, which is never too much"
    other = await make.ask(work, "Another")
    assert (await asks.pledge(by_mail, cast.bo, other)).state is PledgeState.PLEDGED

    tomorrow = make.later(by_mail, days=1, minutes=5)
    await asks.pledge(tomorrow, cast.bo, ask)
    assert len(await told(work, cast.bo)) == telling.MOST_A_DAY + 1
