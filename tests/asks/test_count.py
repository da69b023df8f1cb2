"""How an ask goes, counted among those whom the reader may see."""

from sqlalchemy import select

from mailer.asks import actions as asks
from mailer.asks import choosing
from mailer.asks.counting import store as counting
from mailer.asks.model import PledgeState
from mailer.kit.work import Work
from mailer.subscribers.model import Subscriber, visible
from tests import makers as make
from tests.cast import Cast


async def test_each_answer_is_counted_once(work: Work, cast: Cast) -> None:
    ask = await make.ask(work, unit={"en": "letters"})
    other = await make.ask(work, "Another")
    people = await make.people(work, 8)
    everybody = select(Subscriber.no).where(
        Subscriber.no.in_([one.no for one in people]), visible(work)
    )
    await choosing.offer(work, 1, everybody, ask)
    for one in people[:7]:
        await asks.pledge(work, one, ask)
    await asks.not_yet(work, people[1], ask, until=None)
    await asks.need_help(work, people[2], ask, words="")
    await asks.report_done(work, people[3], ask, amount=3)
    await asks.verify(work, await asks.report_done(work, people[4], ask, amount=4))
    await asks.withdraw(work, people[5], ask)
    await asks.decline(work, people[6], ask)
    await asks.decline(work, people[7], ask)
    counted = await counting.counts(work, [ask.no, other.no])
    assert counted[ask.no] == counting.Counts(
        offered=8,
        pledged=5,
        to_do=3,
        in_progress=1,
        blocked=1,
        done=2,
        verified=1,
        declined=2,
        amount=7,
    )
    assert counted[other.no] == counting.Counts()
    assert await counting.counts(work, []) == {}


async def test_only_people_in_sight_are_counted_and_listed(work: Work, cast: Cast) -> None:
    ask = await make.ask(work, unit={"en": "letters"})
    both = select(Subscriber.no).where(Subscriber.no.in_([cast.bo.no, cast.gil.no]), visible(work))
    await choosing.offer(work, 1, both, ask)
    for one in (cast.bo, cast.gil):
        await asks.report_done(work, one, ask, amount=2)
    farid = make.seen_by(work, cast.harbour)
    counted = (await counting.counts(farid, [ask.no]))[ask.no]
    assert (counted.offered, counted.pledged, counted.done, counted.amount) == (1, 1, 1, 2)
    page = await counting.people_of(farid, ask, PledgeState.DONE)
    assert [person.no for _pledge, person in page.rows] == [cast.gil.no]


async def test_people_come_in_pages(work: Work, cast: Cast) -> None:
    ask = await make.ask(work)
    people = await make.people(work, 5)
    for one in people:
        await asks.pledge(work, one, ask)
    seen: list[int] = []
    after: int | None = 0
    while after is not None:
        page = await counting.people_of(work, ask, PledgeState.PLEDGED, after=after, limit=2)
        seen += [person.no for _pledge, person in page.rows]
        after = page.next_after
    assert seen == [one.no for one in people]


async def test_a_campaign_is_told_what_was_answered_by_its_links(work: Work, cast: Cast) -> None:
    ask = await make.ask(work)
    people = await make.people(work, 5)
    await asks.pledge(work, people[0], ask, campaign_no=7)
    await asks.report_done(work, people[1], ask, campaign_no=7)
    await asks.need_help(work, people[2], ask, words="", campaign_no=7)
    await asks.decline(work, people[3], ask, campaign_no=7)
    await asks.pledge(work, people[4], ask)
    told = await counting.through(work, 7)
    assert told == counting.Through(pledged=3, done=1, blocked=1, declined=1)
    assert (await counting.through(make.seen_by(work, cast.harbour), 7)).pledged == 0
