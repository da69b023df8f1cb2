"""Lines: who is slow steps aside, and not everybody who is slow is kept at hand."""

from mailer.bootstrap import House
from mailer.campaigns.model import OnDoubt
from mailer.deliveries.ledger import Running
from mailer.deliveries.lines import MOST_ASIDE, Lines
from mailer.deliveries.model import Key
from mailer.deliveries.pacing import Pacer
from mailer.deliveries.transport import Errand
from mailer.relays import ruling
from tests.cast import Cast


def errand(number: int, domain: str) -> Errand:
    address = b"one@" + domain.encode()
    return Errand(Key(1, 1, number), 0, b"a@x.example", address, lambda _: b"", domain=domain)


async def test_a_slow_domain_holds_up_nobody_and_its_surplus_goes_back(
    house: House, cast: Cast
) -> None:
    async with house.work() as work:
        await ruling.set_pace(work, domain="slow.example", per_minute=6)
    pacer = Pacer(house.work, house.settings)
    await pacer.look()
    lines = Lines(pacer, lambda: None)
    lines.attend([Running(1, 1, 1, OnDoubt.HOLD)])
    turn = lines.turns[1]
    slow = [errand(number, "slow.example") for number in range(1, MOST_ASIDE + 51)]
    turn.line.extend([*slow, errand(9999, "quick.example")])
    [route] = pacer.routes()

    taken = []
    while one := lines.take(route.no):
        taken.append(one.key.number)

    assert taken[-1] == 9999
    assert len(taken) <= 2  # the quick one, and a slow one if its moment had come
    crowded = [turn.is_crowded]
    assert MOST_ASIDE + len(lines.surplus) + len(taken) == MOST_ASIDE + 51

    lines.ask_again()
    crowded.append(turn.is_crowded)
    assert crowded == [True, False]
    assert len(turn.line) == MOST_ASIDE
    await pacer.close()
