"""An ask from its first word to what it moved, with everything real: a browser, processes, SMTP.

Amina writes it and puts it into a newsletter. Noor says yes from the mail, needs help, is called,
and did it. That moves her nowhere: a step is suggested, which she takes and takes back. Gil, to
whom her mail was passed on, learns nothing by it.
"""

import re
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from mailer.asks import store as asks
from mailer.asks.model import Ask, PledgeState
from mailer.bootstrap import House
from mailer.kit.work import Door
from tests import makers as make
from tests.cast import Cast
from tests.support.browser import opened
from tests.support.mails import Mailbox
from tests.support.organiser import Organiser
from tests.support.relay import Relay
from tests.support.rooms import Rooms
from tests.support.sending import no_letters, promise_much
from tests.support.signing_in import rested
from tests.support.standing import answer_of, level_of

pytestmark = [
    pytest.mark.story,
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(400),
]

TITLE = "Recruit five people into your branch"
RISK = "Your manager may hear of it."


def path(link: str) -> str:
    return urlsplit(link).path


async def written(desk: Page, house: House) -> Ask:
    """Write an ask at the desk, and open it."""
    await desk.goto("/admin/asks/new")
    said = {
        "What people should do, in English": TITLE,
        "Why, in one breath, in English": "Together we are heard.",
        "Goal": "500",
        "Counted in, in English": "people recruited",
        "The risk, in English": RISK,
        "Whom to call when it goes wrong": "Rosa, 0151 496 0000",
    }
    for label, words in said.items():
        await desk.get_by_label(re.compile(f"^{label}")).fill(words)
    await desk.get_by_role("button", name="Save and open").click()
    await expect(desk.get_by_role("heading", level=1)).to_have_text(TITLE)
    async with house.work(reading=True) as work:
        return (await asks.all_asks(work))[0]


async def headline(page: Page, words: str) -> None:
    await expect(page.get_by_role("heading", level=1)).to_have_text(words)


async def test_from_its_first_word_to_what_it_moved(
    browser: Browser, cast: Cast, house: House, relay: Relay, rooms: Rooms
) -> None:
    async with house.work(door=Door.CLI) as work:
        noor = await make.person(
            work, "noor@example.org", first_name="Noor", tier=cast.follower, group=cast.northgate
        )
    await no_letters(house)
    await promise_much(house)
    _web, address = rooms.web()
    rooms.worker(relay_port=relay.port)
    mailbox = Mailbox(relay, "noor@example.org")
    seed = await rested(house, cast.amina)

    async with (
        opened(browser, address) as desk,
        opened(browser, address) as page,
        opened(browser, address) as gils,
    ):
        # --- at the desk
        amina = Organiser(desk, seed)
        await amina.sign_in(cast.amina.address)
        ask = await written(desk, house)
        await amina.write("June", "One thing to do", ask=TITLE)
        await amina.confirm(3)

        # --- from the mail: looking changes nothing, and says nothing of her
        mail = await mailbox.next(subject="One thing to do")
        yes = path(mail.link("I’ll do it"))
        await page.goto(yes)
        await expect(page.get_by_text(RISK)).to_be_visible()
        assert "Noor" not in await page.content()
        assert await answer_of(house, noor, ask) is None
        await page.get_by_role("button", name="Yes, I’ll do it").first.click()
        await headline(page, "Thank you. We have your yes.")

        # --- passed on: nobody else is told what she answered, or offered to take it back
        await gils.goto(yes)
        assert "Noor" not in await gils.content()
        assert "Thank you" not in await gils.content()
        assert await gils.get_by_role("button", name=re.compile("^Undo")).count() == 0
        await gils.get_by_role("button", name="No, change nothing").first.click()
        stands = await answer_of(house, noor, ask)
        assert stands
        assert stands.state is PledgeState.PLEDGED

        # --- she needs help, and is called
        receipt = await mailbox.next(subject="We have your yes")
        report = path(receipt.link("Say how it went"))
        await page.goto(report)
        await page.get_by_text("Say what you need").click()
        await page.get_by_label("What do you need?").fill("My chair refused.")
        await page.get_by_role("button", name="Ask for help, with this").click()
        await headline(page, "Help is on its way.")
        await in_the_queue(desk, "Now: Noor")
        await expect(desk.get_by_text("My chair refused.")).to_be_visible()
        await desk.get_by_label("A note for the next person").fill("Rosa goes with her.")
        await desk.get_by_role("button", name="We spoke, and it is settled").click()
        await expect(desk.get_by_role("button", name=re.compile("Take it back"))).to_be_visible()
        await expect(desk.get_by_role("heading", name="Nobody waits")).to_be_visible()

        # --- she did it, and says how many; it moves her nowhere
        await page.goto(report)
        await page.get_by_text("Say more about it").click()
        await page.get_by_label("How many?").fill("5")
        await page.get_by_role("button", name="Done, with this").click()
        await headline(page, "Done. Thank you.")
        done = await answer_of(house, noor, ask)
        assert done
        assert (done.state, done.amount) == (PledgeState.DONE, 5)
        assert await level_of(house, noor) == "follower"

        # --- a step is suggested: she takes it, and takes it back
        await page.get_by_role("link", name="Look at the level").click()
        await page.get_by_role("button", name="Yes, step up").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Supporter")
        assert await level_of(house, noor) == "supporter"
        await desk.goto(f"/admin/movement?ask={ask.uid}")
        between = desk.get_by_role("table", name="From level to level").get_by_role("row")
        from_follower = between.filter(has=desk.get_by_role("rowheader", name="Follower"))
        await expect(from_follower).to_contain_text("1")
        await page.get_by_role("button", name=re.compile("^Undo, back to Follower")).click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Follower")
        assert await level_of(house, noor) == "follower"

        # --- what became of it
        await desk.goto(f"/admin/asks/{ask.uid}")
        told = "5 people recruited, 1 done, 1 said yes, goal 500 people recruited"
        await expect(desk.get_by_text(told)).to_be_visible()
    assert "step_failed" not in rooms.said()


async def in_the_queue(desk: Page, words: str) -> None:
    """Look into the queue until the worker has put somebody there."""
    for _time in range(60):
        await desk.goto("/admin/followups?show=all")
        if await desk.get_by_role("heading", name=words).count():
            return
        await desk.wait_for_timeout(500)
    raise TimeoutError(await desk.content())
