"""The letters about a yes: each leads to its one thing, and none is sent without a point."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from mailer.asks import actions as asks
from mailer.asks import fresh_links, store, upkeep
from mailer.asks.model import Ask, Turn
from mailer.bootstrap import House
from mailer.consent import actions as consent
from mailer.deliveries.model import Reason
from mailer.deliveries.writing import said_date
from mailer.kit.tokens import Claim, Purpose
from mailer.kit.work import Door, Work
from mailer.outbox.actions import Post, post
from mailer.outbox.model import DeliveryState, Letter
from mailer.subscribers import actions as subscribers
from tests import makers as make
from tests.cast import Cast
from tests.support.asking import opened, raised
from tests.support.mails import Mail
from tests.support.relay import Relay
from tests.support.sending import (
    BASE,
    make_due,
    no_letters,
    until_no_letter_waits,
    working,
)

SKIPPED = (DeliveryState.SKIPPED, Reason.POINTLESS.value)


@pytest.fixture
async def ask(house: House, cast: Cast) -> Ask:
    await no_letters(house)
    async with house.work(reading=True) as work:
        day = work.now + timedelta(days=2)
    return await opened(
        house,
        "Put it on the agenda",
        text={"en": "1. Find the date.\n2. Write to [us](javascript:alert(1))."},
        deadline=day,
        needs_support=True,
        support_contact="The office, 020 7946 0000",
    )


async def owed(work: Work, cast: Cast, ask: Ask) -> None:
    """Owe Bo one letter of each kind."""
    pledge = await asks.pledge(work, cast.bo, ask)
    due = pledge.due(ask)
    assert due
    for kind in ("pledge-due", "did-you-do-it"):
        await post(
            work,
            Post(
                kind=kind,
                dedupe_key=f"test:{kind}",
                language="en",
                facts={"pledge": pledge.no, "due": int(due.timestamp())},
                subscriber=cast.bo.no,
            ),
        )
    for purpose, subject in ((Purpose.ASK, ask.no), (Purpose.REPORT, pledge.no)):
        claim = Claim(purpose=purpose, subscriber=cast.bo.no, subject=subject)
        assert await fresh_links.leads_on(work, claim)
        await fresh_links.send(work, cast.bo, claim)


async def fates(house: House, relay: Relay) -> dict[str, Letter]:
    async with working(house, relay):
        return {one.kind: one for one in await until_no_letter_waits(house)}


@pytest.mark.any_database
async def test_each_leads_to_its_one_thing(
    house: House, cast: Cast, relay: Relay, ask: Ask
) -> None:
    async with house.work(door=Door.EMAIL) as work:
        await owed(work, cast, ask)
    assert {one.state for one in (await fates(house, relay)).values()} == {DeliveryState.SENT}

    mails = [Mail(one) for one in relay.letters]
    assert sorted(mail.subject for mail in mails) == [
        "A date is coming up",
        "Did you do it?",
        "Help is coming",
        "We have your yes",
        "Your fresh link",
        "Your fresh link",
    ]
    by_subject = {mail.subject: mail for mail in mails}
    async with house.work(reading=True) as work:
        pledge = await store.pledge_of(work, cast.bo.no, ask.no)
        assert pledge
        change = await store.last_change(work, pledge.no)
        assert change

        def leads(mail: Mail, words: str) -> tuple[Purpose, int]:
            claim = work.signer.read(mail.link(words).rpartition("/")[2], *Purpose, now=work.now)
            assert claim.subscriber == cast.bo.no
            return claim.purpose, claim.subject

        receipt = by_subject["We have your yes"]
        report = (Purpose.REPORT, pledge.no)
        assert leads(receipt, "Say how it went") == report
        assert leads(receipt, "Read again what it is about") == (Purpose.ASK, ask.no)
        assert leads(receipt, "Undo it") == (Purpose.UNDO_PLEDGE, change.no)
        assert leads(by_subject["Help is coming"], "Say what you need") == report
        assert leads(by_subject["A date is coming up"], "It is done") == report
        assert leads(by_subject["Did you do it?"], "Say how it went") == report
        fresh = {leads(mail, "Open the page") for mail in mails if "fresh" in mail.subject}
        assert fresh == {(Purpose.ASK, ask.no), report}
    assert "Put it on the agenda" in receipt.text
    assert "The office, 020 7946 0000" in receipt.text
    assert "2. Write to [us](javascript:alert(1))." in receipt.html
    assert {mail.to for mail in mails} == {"bo@example.org"}


async def _undo(work: Work, cast: Cast, ask: Ask) -> None:
    pledge = await store.pledge_of(work, cast.bo.no, ask.no)
    assert pledge
    change = await store.last_change(work, pledge.no)
    assert change
    await asks.undo(work, change.no, subscriber=cast.bo)


async def _do_it(work: Work, cast: Cast, ask: Ask) -> None:
    await asks.report_done(work, cast.bo, ask)


async def _later(work: Work, cast: Cast, ask: Ask) -> None:
    await asks.not_yet(work, cast.bo, ask, until=(work.now + timedelta(days=9)).date())


async def _pause(work: Work, cast: Cast, _ask: Ask) -> None:
    await subscribers.pause(work, cast.bo)


async def _close(work: Work, _cast: Cast, ask: Ask) -> None:
    await asks.close_ask(work, ask)


async def _move(work: Work, _cast: Cast, ask: Ask) -> None:
    later = work.now + timedelta(days=40)
    await asks.revise(work, ask, version=ask.version, title=ask.title, deadline=later)


async def _leave(work: Work, cast: Cast, _ask: Ask) -> None:
    await consent.unsubscribe(work, cast.bo, list_no=None)


RECEIPTS = {"pledge-receipt", "support-is-coming"}
DATES = {"pledge-due", "did-you-do-it"}


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("then", "pointless"),
    [
        (_undo, RECEIPTS | DATES),
        (_do_it, DATES),
        (_later, DATES),
        (_pause, DATES),
        (_leave, set()),
        (_close, {"pledge-due"}),
        (_move, DATES),
    ],
    ids=["undone", "done", "another day", "on a break", "left", "closed", "moved"],
)
async def test_what_has_become_pointless_is_not_sent(
    house: House,
    cast: Cast,
    relay: Relay,
    ask: Ask,
    then: Callable[[Work, Cast, Ask], Awaitable[None]],
    pointless: set[str],
) -> None:
    async with house.work(door=Door.EMAIL) as work:
        await owed(work, cast, ask)
        await then(work, cast, ask)
    found = await fates(house, relay)
    of_ours = {kind: one for kind, one in found.items() if kind in RECEIPTS | DATES}
    assert {kind for kind, one in of_ours.items() if (one.state, one.reply) == SKIPPED} == pointless
    assert {one.state for kind, one in of_ours.items() if kind not in pointless} <= {
        DeliveryState.SENT
    }


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("done", "You told us that “Put it on the agenda” is done."),
        ("help", "You told us that you need help with “Put it on the agenda”."),
        ("decline", "You told us that “Put it on the agenda” is not for you."),
    ],
)
async def test_an_answer_is_told_to_the_owner_of_the_link(
    house: House, cast: Cast, relay: Relay, ask: Ask, answer: str, words: str
) -> None:
    async with house.work(door=Door.EMAIL) as work:
        match answer:
            case "done":
                said = await asks.report_done(work, cast.bo, ask)
            case "help":
                said = await asks.need_help(work, cast.bo, ask, words="How?")
            case _:
                said = await asks.decline(work, cast.bo, ask)
        change = await store.last_change(work, said.no)
        assert change
    await fates(house, relay)
    [mail] = [one for one in map(Mail, relay.letters) if one.subject == "We noted your answer"]
    assert words in " ".join(mail.text.split())
    assert "How?" not in mail.text + mail.html
    async with house.work(reading=True) as work:
        token = mail.link("Undo it").rpartition("/")[2]
        claim = work.signer.read(token, Purpose.UNDO_PLEDGE, now=work.now)
    assert claim.subject == change.no
    sent = [Mail(one).subject for one in relay.letters]
    assert ("Help is coming" in sent) is (answer == "help")


async def test_a_receipt_of_what_is_risky_holds_the_rights_and_whom_to_turn_to(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    risky = await opened(
        house,
        "Wear a badge",
        risk={"en": "This one happens at work."},
        rights={"en": "1. You may do it in your own time."},
        support_contact="The office, 020 7946 0000",
    )
    async with house.work(door=Door.EMAIL) as work:
        said = await asks.pledge(work, cast.bo, risky)
        ends = said.ends(risky)
    await fates(house, relay)
    [mail] = [Mail(one) for one in relay.letters]
    for part in (mail.text, mail.html):
        assert "You may do it in your own time." in part
        assert "The office, 020 7946 0000" in part
    assert ends
    asked_on = said_date(ends + timedelta(hours=10), "en")
    assert f"on {asked_on} we ask once how it went" in " ".join(mail.text.split())


@pytest.mark.parametrize("then", ["nothing", "a yes", "a break"])
async def test_what_is_open_again_is_told_to_who_has_not_answered_since(
    house: House, cast: Cast, relay: Relay, then: str
) -> None:
    await no_letters(house)
    ask = await opened(house, "Call your MP", turn=Turn.REPEAT, repeat_days=7)
    async with house.work(door=Door.ADMIN) as work:
        said = await asks.report_done(make.through(work, Door.IMPORT), cast.bo, ask)
        later = make.through(make.later(work, days=7), Door.SYSTEM)
        assert await upkeep.open_again(later, ask) == 1
        if then == "a yes":
            await asks.pledge(make.through(work, Door.IMPORT), cast.bo, ask)
        elif then == "a break":
            await subscribers.pause(work, cast.bo)
    await make_due(house)
    found = (await fates(house, relay))[upkeep.AGAIN]
    if then != "nothing":
        assert (found.state, found.reply) == SKIPPED
        return
    [mail] = [Mail(one) for one in relay.letters]
    assert mail.subject == "Again, if you like"
    async with house.work(reading=True) as work:
        told = {
            words: work.signer.read(mail.link(words).rpartition("/")[2], *Purpose, now=work.now)
            for words in ("Yes, I’ll do it again", "I have done it", "It is not for me")
        }
    assert {one.subject for one in told.values()} == {ask.no}
    assert [one.purpose for one in told.values()] == [
        Purpose.ASK,
        Purpose.ASK_DONE,
        Purpose.ASK_DECLINE,
    ]
    assert said.done_at


async def test_nothing_about_a_pledge_goes_to_who_never_confirmed(
    house: House, cast: Cast, relay: Relay, ask: Ask
) -> None:
    async with house.work(door=Door.EMAIL) as work:
        said = await asks.pledge(work, cast.dana, ask)
        change = await store.last_change(work, said.no)
        assert change
        assert ask.deadline
        due = {"pledge": said.no, "due": int(ask.deadline.timestamp())}
        about = {"pledge": said.no, "change": change.no}
        for kind in (*RECEIPTS, "answer-receipt", *DATES):
            facts = due if kind in DATES else {**about, "answer": "done"}
            await post(
                work,
                Post(
                    kind=kind,
                    dedupe_key=f"test:{kind}",
                    language="en",
                    facts=facts,
                    subscriber=cast.dana.no,
                ),
            )
    found = (await fates(house, relay)).values()
    assert {(one.state, one.reply) for one in found} == {SKIPPED}


async def test_a_link_to_what_is_over_leads_nowhere_new(work: Work, cast: Cast, ask: Ask) -> None:
    def claim(purpose: Purpose, subject: int) -> Claim:
        return Claim(purpose=purpose, subscriber=cast.bo.no, subject=subject)

    assert await fresh_links.leads_on(work, claim(Purpose.ASK, ask.no))
    await asks.close_ask(work, ask)
    assert not await fresh_links.leads_on(work, claim(Purpose.ASK, ask.no))
    assert await fresh_links.leads_on(work, claim(Purpose.ASK_DONE, ask.no))
    assert not await fresh_links.leads_on(work, claim(Purpose.REPORT, 987_654))
    assert not await fresh_links.leads_on(work, claim(Purpose.PAUSE, ask.no))


@pytest.mark.any_database
async def test_what_can_be_passed_on_in_place_of_a_letter_holds_no_link_of_anybody(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    public = await raised(house, "The right to work")
    async with house.work(door=Door.ADMIN) as work:
        idea = await asks.raise_demand(work, title={"en": "An idea"}, text={})
    done, declined = [
        await opened(house, name, demand_no=public.no) for name in ("Bring a chair", "Bring a van")
    ]
    alone, of_a_draft = await opened(house, "Alone"), await opened(house, demand_no=idea.no)
    async with house.work(door=Door.EMAIL) as work:
        for ask in (done, alone, of_a_draft):
            await asks.pledge(work, cast.bo, ask)
        await asks.report_done(work, cast.bo, done)
        await asks.decline(work, cast.bo, declined)

    # The step that is suggested for it waits for a day.
    async with working(house, relay), asyncio.timeout(15):
        while len(relay.letters) < 5:
            await asyncio.sleep(0.02)

    def to_pass_on(mail: Mail) -> list[str]:
        return [to for words, to in mail.links if words == "What we demand, and what can be done"]

    mails = [Mail(one) for one in relay.letters]
    page = f"{BASE}/demands/{public.uid}"
    assert sorted(to_pass_on(mail) for mail in mails) == [[], [], [], [page], [page]]
    assert sorted(mail.text.count(page) for mail in mails) == [0, 0, 0, 1, 1]
    with_it = {mail.subject for mail in mails if to_pass_on(mail)}
    assert with_it == {"We have your yes", "We noted your answer"}
