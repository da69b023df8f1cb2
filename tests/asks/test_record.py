"""What a timeline says of answers, and what becomes of them in a merge and an erasure."""

import functools
import json
from collections.abc import Awaitable, Callable

import pytest

from mailer.asks import actions as asks
from mailer.asks import plain, record, store
from mailer.asks.model import Offer, Pledge, PledgeState
from mailer.asks.offers import store as offers
from mailer.kit.work import Work
from mailer.segments import asking
from tests import makers as make
from tests.cast import Cast


async def everything(work: Work, no: int) -> list[object]:
    return [
        [(one.no, one.ask_no, plain.kept(one)) for one in await store.pledges_of(work, no)],
        [
            (one.no, one.pledge_no, one.from_state, one.to_state, one.at, one.before, one.undone_at)
            for one in await store.changes_of(work, no)
        ],
        [(one.campaign_no, one.ask_no, one.at) for one in await offers.offers_to(work, no)],
    ]


async def test_what_somebody_said_and_wrote_is_theirs_to_know(work: Work, cast: Cast) -> None:
    ask = await make.ask(work)
    await asks.pledge(work, cast.bo, ask)
    await asks.need_help(work, cast.bo, ask, words="My manager found out.")
    work.session.add(Offer(campaign_no=1, subscriber_no=cast.bo.no, ask_no=ask.no, at=work.now))
    await work.session.flush()
    link = "https://example.org/photo"
    await asks.report_done(make.later(work, hours=1), cast.bo, ask, note="They came.", link=link)
    pledges, steps, offers = await record.known(work, cast.bo.no)
    assert (pledges.rows[0]["you_wrote"], pledges.rows[0]["link"]) == ("They came.", link)
    assert [(one["from"], one["to"], one["you_wrote_before"]) for one in steps.rows] == [
        ("", "pledged", ""),
        ("pledged", "blocked", ""),
        ("blocked", "done", "My manager found out."),
    ]
    assert offers.rows == [{"ask": "Write a letter", "at": work.now}]
    assert [one.words for one in await record.entries(work, cast.bo.no)] == [
        "Did “Write a letter”",
        "Needs help with “Write a letter”",
        "Said yes to “Write a letter”",
    ]


async def test_two_who_were_one_have_one_answer_each_and_can_be_told_apart_again(
    work: Work, cast: Cast
) -> None:
    both, hers = await make.ask(work, "Both"), await make.ask(work, "Hers")
    await asks.report_done(work, cast.bo, both, note="Bo did it.")
    await asks.pledge(work, cast.gil, both)
    undone = await asks.pledge(work, cast.gil, hers)
    change = await store.last_change(work, undone.no)
    assert change is not None
    await asks.undo(work, change.no, subscriber=cast.gil)
    await asks.need_help(work, cast.gil, hers, words="Help.")
    work.session.add_all(
        [
            Offer(campaign_no=campaign, subscriber_no=no, ask_no=both.no, at=work.now)
            for campaign, no in ((1, cast.bo.no), (1, cast.gil.no), (2, cast.gil.no))
        ]
    )
    await work.session.flush()
    bos, gils = await everything(work, cast.bo.no), await everything(work, cast.gil.no)

    moved = await record.repoint(work, cast.gil.no, cast.bo.no)
    assert await everything(work, cast.gil.no) == [[], [], []]
    stands = {one.ask_no: one.state for one in await store.pledges_of(work, cast.bo.no)}
    assert stands == {both.no: PledgeState.DONE, hers.no: PledgeState.BLOCKED}
    assert len(await offers.offers_to(work, cast.bo.no)) == 2

    work.session.expunge_all()  # what is read next is what is kept
    await record.restore(work, cast.gil.no, cast.bo.no, moved)
    assert await everything(work, cast.bo.no) == bos
    assert await everything(work, cast.gil.no) == gils


HELP, DONE, YES, NO = (
    PledgeState.BLOCKED,
    PledgeState.DONE,
    PledgeState.PLEDGED,
    PledgeState.DECLINED,
)


@pytest.mark.parametrize(
    ("goes", "stays", "stands", "is_theirs"),
    [
        (HELP, YES, HELP, False),
        (YES, HELP, HELP, True),
        (HELP, HELP, HELP, True),
        (DONE, HELP, DONE, False),
        (HELP, DONE, DONE, True),
        (DONE, YES, DONE, False),
        (YES, NO, NO, True),
        (NO, YES, YES, True),
    ],
)
async def test_of_two_answers_to_one_ask_the_one_that_says_more_stands(
    work: Work,
    cast: Cast,
    goes: PledgeState,
    stays: PledgeState,
    stands: PledgeState,
    *,
    is_theirs: bool,
) -> None:
    ask = await make.ask(work)
    verbs: dict[PledgeState, Callable[..., Awaitable[Pledge]]] = {
        HELP: functools.partial(asks.need_help, words="My manager found out."),
        DONE: asks.report_done,
        YES: asks.pledge,
        NO: asks.decline,
    }
    [gils, bos] = [
        await verbs[state](work, who, ask) for who, state in ((cast.gil, goes), (cast.bo, stays))
    ]
    before = await everything(work, cast.bo.no), await everything(work, cast.gil.no)

    moved = await record.repoint(work, cast.gil.no, cast.bo.no)

    [one] = await store.pledges_of(work, cast.bo.no)
    kept, gone = (bos.no, gils.no) if is_theirs else (gils.no, bos.no)
    assert (one.no, one.state) == (kept, stands)
    assert asks.note_of(work, one) == ("My manager found out." if stands is HELP else "")
    assert moved["became"] == {gone: kept}
    assert await store.pledges_of(work, cast.gil.no) == []

    work.session.expunge_all()
    await record.restore(work, cast.gil.no, cast.bo.no, json.loads(json.dumps(moved)))
    assert (await everything(work, cast.bo.no), await everything(work, cast.gil.no)) == before


async def test_an_answer_stands_before_one_that_was_undone(work: Work, cast: Cast) -> None:
    ask = await make.ask(work)
    said = await asks.pledge(work, cast.bo, ask)
    change = await store.last_change(work, said.no)
    assert change is not None
    await asks.undo(work, change.no, subscriber=cast.bo)
    gils = await asks.decline(work, cast.gil, ask)
    await record.repoint(work, cast.gil.no, cast.bo.no)
    [one] = await store.pledges_of(work, cast.bo.no)
    assert (one.no, one.state) == (gils.no, PledgeState.DECLINED)


async def test_nothing_is_kept_of_whom_is_forgotten(work: Work, cast: Cast) -> None:
    ask = await make.ask(work)
    await asks.pledge(work, cast.bo, ask)
    work.session.add(Offer(campaign_no=1, subscriber_no=cast.bo.no, ask_no=ask.no, at=work.now))
    await work.session.flush()
    await record.forget(work, cast.bo.no)
    assert await everything(work, cast.bo.no) == [[], [], []]


async def test_who_is_asked_again_has_done_it_and_has_it_still_to_do(
    work: Work, cast: Cast
) -> None:
    ask = await make.ask(work)
    done = await asks.report_done(work, cast.bo, ask)
    await store.change(work, done, state=PledgeState.PLEDGED)  # as time does with what repeats
    for how in ("pledged", "done", "not_done"):
        tree = {"is": "ask", "how": how, "ask": str(ask.no)}
        assert list(await work.session.scalars(await asking.numbers(work, tree))) == [cast.bo.no]
