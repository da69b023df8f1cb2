"""Carrying errands to a real server, and what is known when it misbehaves."""

from collections.abc import AsyncGenerator

import pytest

from mailer.deliveries.model import Reason
from mailer.deliveries.transport import Outcome, Trouble, Verdict
from mailer.smtp.rules import Phase, verdict
from tests.smtp.carrying import SHORT, carrying, sent, until
from tests.smtp.office import Office, errand
from tests.support.relay import DROP, HANG, STALL, TAKE, Manner, Relay


@pytest.fixture(params=["pipelined", "plain"])
async def relay(request: pytest.FixtureRequest) -> AsyncGenerator[Relay]:
    async with Relay(pipelining=request.param == "pipelined") as relay:
        yield relay


async def test_messages_go_one_after_the_other_over_one_connection(relay: Relay) -> None:
    office = Office(*(errand(number) for number in range(1, 6)))

    outcomes = await sent(office, relay)

    assert [letter.to for letter in relay.letters] == [
        [f"one{number}@example.org"] for number in range(1, 6)
    ]
    assert relay.letters[0].sender == "news@example.org"
    assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.ACCEPTED}
    assert relay.said_by_clients().count(b"EHLO") == 1
    assert relay.said_by_clients().endswith(b"QUIT\r\n")


async def test_a_body_arrives_byte_for_byte_even_with_dots(relay: Relay) -> None:
    body = b".first\r\nSubject: x\r\n\r\n.\r\n..\r\nend.\r\n"
    office = Office(errand(1, body=body), errand(2))

    await sent(office, relay)

    assert relay.letters[0].content == body
    assert len(relay.letters) == 2


@pytest.mark.parametrize(
    ("step", "answer", "expected"),
    [
        ("RCPT", "450 4.2.1 not now", Verdict.DEFERRED),
        ("RCPT", "550 5.1.1 nobody here", Verdict.REFUSED),
        ("RCPT", "550 5.7.1 not from you", Verdict.OURS),
        ("RCPT", "552 5.2.2 mailbox full", Verdict.REFUSED),
        ("RCPT", "552 too much", Verdict.OURS),
        ("MAIL", "451 4.3.0 not now", Verdict.DEFERRED),
        ("MAIL", "550 5.1.8 who are you", Verdict.OURS),
        ("MAIL", "530 5.7.0 sign in first", Verdict.OURS),
        ("DATA", "451 4.3.0 not now", Verdict.DEFERRED),
        ("DATA", "554 5.6.0 not this", Verdict.REFUSED),
        ("DATA", "550 5.7.26 unauthenticated", Verdict.OURS),
    ],
)
async def test_an_answer_decides_and_the_next_goes_on(
    relay: Relay, step: str, answer: str, expected: Verdict
) -> None:
    relay.plan(step, answer)
    office = Office(errand(1), errand(2))

    outcomes = await sent(office, relay)

    code, _, words = answer.partition(" ")
    assert outcomes[1] == Outcome(expected, int(code), words)
    assert outcomes[2].verdict is Verdict.ACCEPTED
    assert [letter.to for letter in relay.letters] == [["one2@example.org"]]
    assert relay.said_by_clients().count(b"EHLO") == 1


@pytest.mark.parametrize(
    ("step", "manner", "expected", "taken"),
    [
        ("BODY", DROP, Verdict.IN_DOUBT, 0),
        ("DATA", DROP, Verdict.IN_DOUBT, 0),
        ("DATA", TAKE, Verdict.IN_DOUBT, 1),
        ("DATA", HANG, Verdict.IN_DOUBT, 0),
        ("BODY", HANG, Verdict.IN_DOUBT, 0),
    ],
)
async def test_silence_after_the_body_is_doubt(
    relay: Relay, step: str, manner: Manner, expected: Verdict, taken: int
) -> None:
    relay.plan(step, manner)
    office = Office(errand(1))

    outcomes = await sent(office, relay, SHORT)

    assert outcomes[1].verdict is expected
    assert len(relay.letters) == taken


@pytest.mark.parametrize(
    ("step", "manner"),
    [
        ("EHLO", DROP),
        ("MAIL", DROP),
        ("RCPT", DROP),
        ("RCPT", HANG),
        ("CONNECT", DROP),
        ("MAIL", "421 4.3.2 bye"),
    ],
)
async def test_what_breaks_before_the_body_is_tried_again_and_arrives_once(
    relay: Relay, step: str, manner: Manner | str
) -> None:
    relay.plan(step, manner)
    office = Office(errand(1), errand(2))

    outcomes = await sent(office, relay, SHORT)

    assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.ACCEPTED}
    assert sorted(letter.to[0] for letter in relay.letters) == [
        "one1@example.org",
        "one2@example.org",
    ]


async def test_421_after_a_body_defers_it_and_ends_the_connection(relay: Relay) -> None:
    relay.plan("DATA", "421 4.3.2 shutting down")
    office = Office(errand(1), errand(2))

    outcomes = await sent(office, relay)

    assert outcomes[1] == Outcome(Verdict.DEFERRED, 421, "4.3.2 shutting down")
    assert outcomes[2].verdict is Verdict.ACCEPTED
    assert relay.said_by_clients().count(b"EHLO") == 2


async def test_a_body_that_never_left_us_was_not_sent(relay: Relay) -> None:
    # More than the sockets' own buffers hold, so that a part of it is still with us.
    relay.plan("BODY", STALL)
    office = Office(errand(1, body=b"Subject: x\r\n\r\n" + b"A long line of text.\r\n" * 1_000_000))

    outcomes = await sent(office, relay, SHORT)

    assert outcomes[1] == Outcome(Verdict.NOT_SENT, 0, Reason.NO_REPLY)
    assert not relay.letters


async def test_no_octet_of_a_body_goes_out_while_the_gate_is_shut(relay: Relay) -> None:
    office = Office(errand(1), errand(2))
    office.refused = {1}

    async with carrying(office, relay):
        await until(lambda: 2 in office.outcomes())

    assert b"Subject: 1" not in relay.said_by_clients()
    assert [letter.to for letter in relay.letters] == [["one2@example.org"]]
    assert 1 not in office.outcomes()


async def test_a_connection_that_dies_at_the_gate_says_so_to_whoever_holds_it(
    relay: Relay,
) -> None:
    office = Office(errand(1))
    office.holds = True

    async with carrying(office, relay, deadlines=SHORT):
        await until(lambda: office.held and office.held[0][0].is_dead)

    assert not office.outcomes()  # its row was never marked
    assert not relay.letters


@pytest.mark.parametrize("answer", ["what?", "999", "25", "250-and\r\n25x no"])
async def test_a_reply_that_cannot_be_read_ends_the_connection(relay: Relay, answer: str) -> None:
    relay.plan("DATA", answer)
    office = Office(errand(1), errand(2))

    outcomes = await sent(office, relay, SHORT)

    # "999" can be read: it is no answer that RFC 5321 knows, so it is not final.
    expected = Verdict.DEFERRED if answer == "999" else Verdict.IN_DOUBT
    assert outcomes[1].verdict is expected
    assert outcomes[2].verdict is Verdict.ACCEPTED


async def test_an_endless_reply_ends_the_connection(relay: Relay) -> None:
    relay.plan("DATA", "\r\n".join(["250-and"] * 200) + "\r\n250 so on")
    office = Office(errand(1))

    outcomes = await sent(office, relay)

    assert outcomes[1] == Outcome(Verdict.IN_DOUBT, 0, Reason.BAD_REPLY)


async def test_a_second_answer_that_nobody_asked_for_ends_the_connection(relay: Relay) -> None:
    """It would shift every later answer by one."""
    relay.plan("DATA", "250 2.0.0 taken\r\n250 2.0.0 taken again")
    office = Office(errand(1), errand(2), errand(3))

    outcomes = await sent(office, relay, SHORT)

    assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.ACCEPTED}
    assert sorted(letter.to[0] for letter in relay.letters) == [
        "one2@example.org",
        "one3@example.org",
    ]  # what it said of the first was a lie of the script, and harmed nobody else


async def test_an_idle_connection_is_ended_politely(relay: Relay) -> None:
    office = Office(errand(1))

    async with carrying(office, relay, deadlines=SHORT) as client:
        await until(lambda: office.outcomes() and not client.connections())

    assert relay.said_by_clients().endswith(b"QUIT\r\n")


async def test_a_server_that_is_away_is_tried_again_with_rests(relay: Relay) -> None:
    relay.always("CONNECT", DROP)
    office = Office(errand(1))

    async with carrying(office, relay, first_rest=0.2):
        await until(lambda: len(office.troubles) >= 2)
        assert len(office.troubles) == 2  # the second rest is twice as long
        relay.heal()
        await until(lambda: 1 in office.outcomes())

    assert {kind for kind, _words in office.troubles} == {Trouble.AWAY}
    assert office.wells == 1


@pytest.mark.parametrize(
    ("code", "words", "phase", "expected"),
    [
        (450, "4.2.0 greylisted", Phase.RCPT, Verdict.DEFERRED),
        (552, "5.3.4 too big", Phase.BODY, Verdict.OURS),
        (552, "5.2.2 full", Phase.BODY, Verdict.REFUSED),
        (503, "bad sequence", Phase.RCPT, Verdict.OURS),
        (535, "5.7.8 credentials", Phase.MAIL, Verdict.OURS),
        (550, "5.1.1 unknown", Phase.RCPT, Verdict.REFUSED),
        (550, "unknown", Phase.MAIL, Verdict.OURS),
        (550, "5.7.515 not authenticated", Phase.BODY, Verdict.OURS),
        (299, "odd", Phase.RCPT, Verdict.DEFERRED),
    ],
)
def test_whom_a_reply_is_about(code: int, words: str, phase: Phase, expected: Verdict) -> None:
    assert verdict(phase, code, words) is expected
