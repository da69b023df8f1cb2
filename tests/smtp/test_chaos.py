"""A server that breaks in every way; what it accepted, by its own log, decides who was right."""

import random
from collections import Counter

import pytest

from mailer.deliveries.model import Reason
from mailer.deliveries.transport import Outcome, Trouble, Verdict
from mailer.smtp.bdat import WINDOW
from mailer.smtp.rules import Phase
from tests.smtp.carrying import SHORT, carrying, sent, until
from tests.smtp.chaos import (
    MODES,
    Chaos,
    Drop,
    Endless,
    Garbage,
    Hang,
    Manner,
    Reset,
    Say,
    Slowly,
    Split,
    Storm,
    Taken,
    TooLong,
    Twice,
)
from tests.smtp.office import Office, Persistent, errand

ACCEPTED, DEFERRED, REFUSED, OURS, NOT_SENT, IN_DOUBT = Verdict


def people(*numbers: int) -> list[str]:
    return [f"one{number}@example.org" for number in numbers]


def reached(chaos: Chaos) -> list[str]:
    return [taken.to for taken in chaos.accepted]


async def test_messages_arrive_octet_for_octet_over_one_connection(chaos: Chaos) -> None:
    bodies = {
        f"one{n}@example.org": b"Subject: %d\r\n\r\n" % n + b".x\r\n.\r\n" * n for n in range(20)
    }
    office = Office(*(errand(n, body=body) for n, body in enumerate(bodies.values())))

    await sent(office, chaos)

    assert chaos.accepted == [Taken("news@example.org", to, body) for to, body in bodies.items()]
    assert office.verdicts() == {ACCEPTED}
    assert chaos.connections == 1
    assert chaos.commands[-1] == "QUIT"


async def test_a_server_of_few_words_is_understood(chaos: Chaos) -> None:
    for step in ("RSET", "MAIL", "RCPT", "END"):
        chaos.always(step, Say(reply="250"))
    chaos.always("DATA", Say(reply="354"))
    office = Office(*(errand(number) for number in range(5)))

    await sent(office, chaos)

    assert office.verdicts() == {ACCEPTED}
    assert chaos.connections == 1


async def test_a_body_that_is_known_to_have_no_dots_goes_as_it_is(chaos: Chaos) -> None:
    body = b"Subject: x\r\n\r\n=2E\r\n a .\r\n\r\nend. . .\r\n"
    plain = errand(1, body=body)
    plain.may_have_dots = False

    await sent(Office(plain), chaos)

    assert chaos.accepted[0].content == body


@pytest.mark.parametrize(
    ("manner", "expected", "connections"),
    [
        (Drop(taken=True), IN_DOUBT, 2),
        (Drop(), IN_DOUBT, 2),
        (Reset(taken=True), IN_DOUBT, 2),
        (Hang(taken=True), IN_DOUBT, 2),
        (Slowly(), IN_DOUBT, 2),
        (Garbage(taken=True), IN_DOUBT, 2),
        (TooLong(taken=True), IN_DOUBT, 2),
        (Endless(taken=True), IN_DOUBT, 2),
        (Say(taken=True, reply="354 go on"), IN_DOUBT, 2),
        (Say(taken=True, reply="25"), IN_DOUBT, 2),
        (Twice(), ACCEPTED, 2),
        (Split(), ACCEPTED, 1),
        (Say(reply="250-2.0.0 well\r\n250 2.0.0 taken"), ACCEPTED, 1),
        (Say(reply="250"), ACCEPTED, 1),
        (Say(reply="451 4.3.0 try later"), DEFERRED, 1),
        (Say(reply="421 4.3.2 bye"), DEFERRED, 2),
        (Say(reply="550 5.1.1 nobody"), REFUSED, 1),
        (Say(reply="552 5.2.2 full"), REFUSED, 1),
        (Say(reply="552 5.3.4 too big"), OURS, 1),
        (Say(reply="554 5.7.1 spam"), OURS, 1),
        (Say(reply="503 5.5.1 sequence"), OURS, 2),
    ],
    ids=str,
)
async def test_what_is_said_after_a_body_decides_and_the_next_goes_on(
    chaos: Chaos, manner: Manner, expected: Verdict, connections: int
) -> None:
    chaos.plan("END", manner)
    office = Office(errand(1))

    async with carrying(office, chaos, deadlines=SHORT) as fleet:
        await until(lambda: 1 in office.outcomes())
        office.line.append(errand(2))
        fleet.wake()
        await until(lambda: 2 in office.outcomes())

    assert office.outcomes()[1].verdict is expected
    assert office.outcomes()[2].verdict is ACCEPTED
    took_it = manner.taken or expected is ACCEPTED
    assert reached(chaos) == people(1, 2) if took_it else people(2)
    assert chaos.connections == connections


BREAKS = [
    Drop(),
    Reset(),
    Hang(),
    Slowly(),
    Garbage(),
    TooLong(),
    Endless(),
    Say(reply="421 4.3.2 bye"),
]


@pytest.mark.parametrize("mode", ["plain", "pipelined"])
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("manner", BREAKS, ids=str)
async def test_what_breaks_before_a_body_is_tried_again_and_arrives_once(
    mode: str, step: str, manner: Manner
) -> None:
    async with Chaos(offers=MODES[mode]) as chaos:
        chaos.plan(step, manner)
        office = Office(errand(1), errand(2))

        await sent(office, chaos, SHORT)

        assert office.verdicts() == {ACCEPTED}
        assert sorted(reached(chaos)) == people(1, 2)


@pytest.mark.parametrize("step", ["RSET", "MAIL", "RCPT"])
@pytest.mark.parametrize("manner", BREAKS, ids=str)
async def test_in_a_window_what_breaks_is_in_doubt_unless_the_server_said_bye(
    step: str, manner: Manner
) -> None:
    """All of the window is handed over, so only the server's word can say it was not begun."""
    async with Chaos(offers=MODES["bdat"]) as chaos:
        chaos.plan(step, manner)
        office = Office(errand(1), errand(2))

        await sent(office, chaos, SHORT)

        is_bye = isinstance(manner, Say)
        assert office.verdicts() == {NOT_SENT if is_bye else IN_DOUBT}
        if isinstance(manner, Say | Drop | Reset | Hang):
            assert not reached(chaos)


@pytest.mark.parametrize("manner", [Drop(), Reset(), Hang()], ids=str)
async def test_what_breaks_within_a_body_is_in_doubt(chaos: Chaos, manner: Manner) -> None:
    chaos.plan("BODY", manner)
    office = Office(errand(1))

    await sent(office, chaos, SHORT)

    assert office.verdicts() == {IN_DOUBT}
    assert not reached(chaos)


async def test_a_body_that_never_left_us_was_not_sent(chaos: Chaos) -> None:
    # More than the sockets' own buffers hold, so that a part of it is still with us.
    chaos.plan("BODY", Hang())
    office = Office(errand(1, body=b"Subject: x\r\n\r\n" + b"A long line of text.\r\n" * 1_000_000))

    await sent(office, chaos, SHORT)

    assert office.outcomes()[1] == Outcome(NOT_SENT, 0, Reason.NO_REPLY)


@pytest.mark.parametrize("reply", ["250 2.0.0 taken", "550 5.7.1 no"])
async def test_an_answer_before_the_end_of_a_body_is_not_believed(chaos: Chaos, reply: str) -> None:
    chaos.plan("BODY", Say(reply=reply))
    chaos.plan("END", Hang())
    big = b"Subject: x\r\n\r\n" + b"A long line of text.\r\n" * 1_000_000
    office = Office(errand(1, body=big))

    await sent(office, chaos, SHORT)

    assert office.outcomes()[1] == Outcome(NOT_SENT, 0, Reason.BAD_REPLY)


@pytest.mark.parametrize(
    ("manner", "kind"),
    [
        (Drop(), Trouble.AWAY),
        (Reset(), Trouble.AWAY),
        (Hang(), Trouble.AWAY),
        (Slowly(), Trouble.AWAY),
        (Garbage(), Trouble.AWAY),
        (Say(reply="421 4.3.2 busy"), Trouble.AWAY),
        (Say(reply="554 5.7.1 not you"), Trouble.SHUT),
    ],
    ids=str,
)
@pytest.mark.parametrize("step", ["CONNECT", "EHLO"])
async def test_a_server_that_does_not_let_us_in_is_tried_again(
    chaos: Chaos, step: str, manner: Manner, kind: Trouble
) -> None:
    chaos.plan(step, manner)
    office = Office(errand(1))

    await sent(office, chaos, smtp_patience=0.5)

    assert office.verdicts() == {ACCEPTED}
    assert [trouble for trouble, _words in office.troubles] == [kind]
    assert office.wells == 1


async def test_a_server_that_knows_no_ehlo_is_greeted_as_of_old(chaos: Chaos) -> None:
    chaos.plan("EHLO", Say(reply="502 5.5.1 what?"))
    office = Office(errand(1), errand(2))

    await sent(office, chaos)

    assert office.verdicts() == {ACCEPTED}
    assert [command.partition(" ")[0] for command in chaos.commands] == [
        "EHLO",
        "HELO",
        *["MAIL", "RCPT", "DATA"] * 2,
        "QUIT",
    ]


async def test_an_unsolicited_answer_at_rest_ends_the_connection(chaos: Chaos) -> None:
    chaos.plan("END", Twice())
    office = Office(errand(1))

    async with carrying(office, chaos) as fleet:
        await until(lambda: office.outcomes() and not fleet.connections())

    assert "QUIT" not in chaos.commands


async def test_a_server_that_ends_an_idle_connection_is_not_in_trouble(chaos: Chaos) -> None:
    chaos.plan("END", Say(reply="250 2.0.0 taken\r\n421 4.4.2 idle"))
    office = Office(errand(1))

    async with carrying(office, chaos) as fleet:
        await until(lambda: office.outcomes() and not fleet.connections())
        office.line.append(errand(2))
        fleet.wake()
        await until(lambda: 2 in office.outcomes())

    assert not office.troubles
    assert sorted(reached(chaos)) == people(1, 2)


async def test_a_greylist_defers_everybody_once_and_all_arrive(chaos: Chaos) -> None:
    chaos.greylists = True
    office = Persistent(*(errand(number) for number in range(12)))

    async with carrying(office, chaos):
        await until(lambda: len(office.final()) == 12)

    told = [outcome.verdict for _number, outcome in office.told]
    assert Counter(told) == {DEFERRED: 12, ACCEPTED: 12}
    assert sorted(reached(chaos)) == sorted(people(*range(12)))
    assert chaos.connections == 1


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "END"])
async def test_5_7_1_for_everybody_is_about_us_and_blames_nobody(chaos: Chaos, step: str) -> None:
    chaos.always(step, Say(reply="550 5.7.1 your domain is not welcome"))
    office = Office(*(errand(number) for number in range(12)))

    outcomes = await sent(office, chaos)

    assert set(outcomes.values()) == {Outcome(OURS, 550, "5.7.1 your domain is not welcome")}
    assert not reached(chaos)
    assert chaos.connections == 1


async def test_a_refused_recipient_does_not_shift_the_others(chaos: Chaos) -> None:
    """In a window the next envelopes are under way already."""
    chaos.plan("RCPT", *[Say(reply="550 5.1.1 nobody"), Split()] * 5)
    office = Office(*(errand(number) for number in range(10)))

    outcomes = await sent(office, chaos)

    assert [outcomes[number].verdict for number in range(10)] == [REFUSED, ACCEPTED] * 5
    assert reached(chaos) == people(1, 3, 5, 7, 9)


async def test_a_connection_that_hangs_holds_up_only_its_own(chaos: Chaos) -> None:
    chaos.plan("END", Hang())
    office = Office(*(errand(number) for number in range(100)))

    async with carrying(office, chaos, smtp_connections=2):
        await until(lambda: len(office.outcomes()) >= 100 - WINDOW)
        assert office.verdicts() == {ACCEPTED}
        chaos.hang_up()

    assert office.verdicts() <= {ACCEPTED, IN_DOUBT}


# The gate. ----------------------------------------------------------------------------------------


async def test_no_octet_of_a_body_goes_out_before_its_gate_opens(chaos: Chaos) -> None:
    office = Office(*(errand(number) for number in range(3 * WINDOW)))
    office.holds = True

    async with carrying(office, chaos):
        for number in range(3 * WINDOW):
            await until(lambda: office.held)
            assert len(chaos.begun) == number
            office.answer(*office.held.pop(0))
            await until(lambda: len(office.outcomes()) == len(office.granted))


async def test_what_cannot_be_written_or_is_not_granted_sends_no_octet(chaos: Chaos) -> None:
    office = Office(*(errand(number) for number in range(1, 5)))
    office.refused, office.unwritable = {1}, {2}

    async with carrying(office, chaos):
        await until(lambda: len(office.outcomes()) == 3)

    assert office.outcomes()[2].verdict is DEFERRED
    assert sorted(reached(chaos)) == people(3, 4)
    assert sorted(chaos.begun) == people(3, 4)


async def test_in_a_window_a_gate_that_stays_shut_costs_no_connection() -> None:
    async with Chaos(offers=MODES["bdat"]) as chaos:
        office = Office(*(errand(number) for number in range(8)))
        office.refused, office.unwritable = {1, 3}, {5, 6}

        async with carrying(office, chaos):
            await until(lambda: len(office.outcomes()) == 6)

        assert chaos.connections == 1
        assert reached(chaos) == people(0, 2, 4, 7)


async def test_a_connection_that_dies_at_the_gate_says_so_to_whoever_holds_it(
    chaos: Chaos,
) -> None:
    office = Office(errand(1))
    office.holds = True

    async with carrying(office, chaos, deadlines=SHORT):
        await until(lambda: office.held and office.held[0][0].is_dead)
        gate, waiting = office.held.pop()
        office.holds = False
        office.answer(gate, waiting)
        await until(lambda: 1 in office.outcomes())

    assert reached(chaos) == people(1)


async def test_a_window_is_under_way_at_once() -> None:
    async with Chaos(offers=MODES["bdat"]) as chaos:
        chaos.always("END", Hang())
        office = Office(*(errand(number) for number in range(3 * WINDOW)))

        async with carrying(office, chaos, deadlines=SHORT, first_rest=5) as fleet:
            await until(lambda: len(office.granted) == WINDOW)
            assert fleet.connections() == WINDOW
            await until(lambda: len(office.outcomes()) == WINDOW)

        assert office.verdicts() == {IN_DOUBT}


# What the server states. --------------------------------------------------------------------------


async def test_the_size_is_said_where_it_is_wanted(chaos: Chaos) -> None:
    body = b"Subject: x\r\n\r\n" + b"text\r\n" * 100
    chaos.offers.append("SIZE 1000000")

    await sent(Office(errand(1, body=body, size=len(body))), chaos)

    assert f"MAIL FROM:<news@example.org> SIZE={len(body)}" in chaos.commands


@pytest.mark.parametrize("offer", ["SIZE", "SIZE 0", "SIZE unknown", "8BITMIME"])
async def test_a_server_may_state_no_limit(chaos: Chaos, offer: str) -> None:
    chaos.offers.append(offer)
    office = Office(errand(1), errand(2, size=5000))

    await sent(office, chaos)

    assert office.verdicts() == {ACCEPTED}


@pytest.mark.parametrize("estimate", [0, 1300])
async def test_a_body_over_the_limit_is_never_begun(chaos: Chaos, estimate: int) -> None:
    """Whether that is seen before its envelope or when it has been written."""
    body = b"Subject: x\r\n\r\n" + b"x" * 1286
    chaos.offers.append("SIZE 1299")
    office = Office(errand(1, body=body, size=estimate), errand(2))

    outcomes = await sent(office, chaos)

    words = "5.3.4 The message has 1300 octets; the mail server takes at most 1299"
    assert outcomes[1] == Outcome(OURS, 552, words)
    assert outcomes[2].verdict is ACCEPTED
    assert chaos.begun == people(2)


async def test_an_address_that_is_not_ascii_goes_where_it_is_known(chaos: Chaos) -> None:
    chaos.offers.append("SMTPUTF8")
    office = Office(errand(1, needs_utf8=True), errand(2))

    await sent(office, chaos)

    assert office.verdicts() == {ACCEPTED}
    assert reached(chaos) == ["zoë1@example.org", *people(2)]
    assert "MAIL FROM:<news@example.org> SMTPUTF8" in chaos.commands
    assert "MAIL FROM:<news@example.org>" in chaos.commands


async def test_an_address_that_is_not_ascii_is_refused_by_name_where_it_is_not(
    chaos: Chaos,
) -> None:
    office = Office(errand(1, needs_utf8=True), errand(2))

    outcomes = await sent(office, chaos)

    words = "5.6.7 This address needs SMTPUTF8, which the mail server does not offer"
    assert outcomes[1] == Outcome(REFUSED, 553, words)
    assert outcomes[2].verdict is ACCEPTED


# Everything at once. ------------------------------------------------------------------------------

WEATHER: Storm = {
    "CONNECT": [(0.05, Drop()), (0.05, Say(reply="421 4.3.2 busy"))],
    "EHLO": [(0.05, Garbage())],
    "MAIL": [(0.02, Say(reply="421 4.7.0 slow down")), (0.02, Say(reply="451 4.3.0 later"))],
    "RCPT": [
        (0.05, Say(reply="450 4.2.1 not now")),
        (0.03, Say(reply="550 5.1.1 nobody")),
        (0.02, Say(reply="550 5.7.1 not from you")),
        (0.02, Drop()),
        (0.02, Split()),
    ],
    "DATA": [(0.02, Reset()), (0.02, Twice()), (0.02, Say(reply="451 4.3.0 later"))],
    "BODY": [(0.02, Drop()), (0.02, Reset())],
    "END": [
        (0.03, Drop(taken=True)),
        (0.03, Drop()),
        (0.02, Reset(taken=True)),
        (0.01, Hang(taken=True)),
        (0.02, Garbage(taken=True)),
        (0.01, Endless(taken=True)),
        (0.02, Twice()),
        (0.03, Split()),
        (0.03, Say(reply="552 5.3.4 too big")),
        (0.03, Say(reply="421 4.3.2 bye")),
        (0.03, Say(reply="451 4.3.0 later")),
        (0.01, Slowly()),
    ],
}


@pytest.mark.parametrize("seed", [1, 2])
async def test_in_a_storm_nothing_is_lost_nothing_doubled_and_nothing_made_up(
    chaos: Chaos, seed: int
) -> None:
    size = 150
    bodies = random.Random(seed)
    errands = [
        errand(n, body=b"Subject: %d\r\n\r\n" % n + b"A line.\r\n" * bodies.randrange(4000))
        for n in range(size)
    ]
    bodies_by_name = {one.recipient.decode(): one.write(0) for one in errands}
    early: list[str] = []
    office = Persistent(*errands)
    chaos.random.seed(seed)
    chaos.storm = WEATHER
    chaos.greylists = True
    # Whatever the weather does, some are refused and at least one is in doubt.
    chaos.knows_nothing_of = frozenset(people(*range(0, size, 10)))
    chaos.plan("END", Drop(taken=True))
    chaos.on_body = lambda recipient: (
        None if recipient in office.granted else early.append(recipient)
    )

    async with carrying(
        office, chaos, deadlines=dict.fromkeys(Phase, 0.3), first_rest=0.01, smtp_connections=4
    ):
        await until(lambda: len(office.final()) == size, 40)

    assert not early
    assert not [key for key, times in Counter(office.settled).items() if times > 1]
    taken = Counter(reached(chaos))
    assert set(taken.values()) == {1}
    assert {one.to: one.content for one in chaos.accepted}.items() <= bodies_by_name.items()
    by_verdict: dict[Verdict, set[str]] = {verdict: set() for verdict in Verdict}
    for number, outcome in office.final().items():
        by_verdict[outcome.verdict].add(*people(number))
    assert by_verdict[ACCEPTED] <= taken.keys()
    assert taken.keys() <= by_verdict[ACCEPTED] | by_verdict[IN_DOUBT]
    assert not taken.keys() & chaos.knows_nothing_of
    assert by_verdict[REFUSED] & chaos.knows_nothing_of
    assert by_verdict[IN_DOUBT]
    assert len(by_verdict[ACCEPTED]) > size / 10


async def test_errands_under_way_are_finished_when_the_end_is_wished(chaos: Chaos) -> None:
    chaos.always("END", Slowly(pause=0.01))
    office = Office(*(errand(number) for number in range(40)))

    async with carrying(office, chaos, smtp_connections=2):
        await until(lambda: office.granted)

    assert len(reached(chaos)) == len(office.outcomes()) == 40 - len(office.line)
    assert office.verdicts() == {ACCEPTED}
    assert chaos.open == 0
    assert chaos.commands.count("QUIT") == chaos.connections


async def test_what_hangs_at_the_end_is_cut_after_a_while(
    chaos: Chaos, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailer.smtp.fleet.GRACE", 0.3)
    chaos.always("END", Hang())
    office = Office(errand(1))

    async with carrying(office, chaos):
        await until(lambda: chaos.begun)

    assert office.outcomes()[1] == Outcome(IN_DOUBT, 0, Reason.NO_REPLY)
