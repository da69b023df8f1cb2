"""Without a mouse, without scripts, and what scripts add where there are some."""

import re

import pytest
from playwright.async_api import Browser, Page, expect
from sqlalchemy import select

from mailer.bootstrap import House
from mailer.campaigns import sending
from mailer.campaigns.model import Campaign, CampaignState, Revision
from mailer.consent import actions as consent
from mailer.consent.model import Confirmation
from mailer.consent.model import SubscriberState as State
from mailer.subscribers import store as subscribers
from tests import makers as make
from tests.cast import Cast
from tests.support.browser import opened
from tests.support.campaigning import as_it_is, begun, draft, fresh_code, how_many, scheduled
from tests.support.rooms import Rooms
from tests.support.town import sign_in

pytestmark = [
    pytest.mark.browser,
    pytest.mark.any_database,
    pytest.mark.xdist_group("browser"),
]

LEFT_EARLY = "net::ERR_ABORTED"
"""What Chromium says of a frame or a font that had not come when the page was left."""


# --- without scripts ----------------------------------------------------------------------------


async def test_one_can_join_without_scripts(
    browser: Browser, rooms: Rooms, house: House, cast: Cast
) -> None:
    _server, address = rooms.web()
    async with opened(browser, address, expected=LEFT_EARLY, java_script_enabled=False) as page:
        await page.goto("/join")
        await page.get_by_role("radio", name="Supporter").check(force=True)
        await page.get_by_label("Email address").fill("nadia@example.org")
        await page.get_by_role("checkbox", name="Workers Against Racism").check(force=True)
        await page.get_by_role("button", name="Join the roll").click()
        await page.get_by_role("textbox", name="Six digits").fill(
            await _code_of(house, "nadia@example.org")
        )
        await page.get_by_role("button", name="Yes, it’s me").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("on the roll")

    async with house.work(reading=True) as work:
        nadia = await subscribers.by_address(work, "nadia@example.org")
        assert nadia
        assert await consent.state_of(work, nadia) is State.ACTIVE


async def _code_of(house: House, address: str) -> str:
    """Read the six digits out of the letter, so to speak."""
    async with house.work(reading=True) as work:
        person = await subscribers.by_address(work, address)
        assert person
        asked = await work.session.scalar(
            select(Confirmation).where(Confirmation.subscriber_no == person.no)
        )
        assert asked
        return consent.code_of(work, asked)


async def test_one_can_write_and_send_without_scripts(
    browser: Browser, rooms: Rooms, house: House, cast: Cast
) -> None:
    _server, address = rooms.web()
    async with opened(browser, address, expected=LEFT_EARLY, java_script_enabled=False) as page:
        await sign_in(page, cast.amina.address, await fresh_code(house, cast.amina))
        await page.get_by_role("link", name="Write the first one").click()
        await page.get_by_label("Name", exact=True).fill("By hand")
        await page.get_by_role("button", name="Begin to write").click()
        await page.get_by_label("Subject").fill("By hand")
        await page.get_by_label("Headline").fill("Written without scripts")
        await page.get_by_label("Text", exact=True).fill("Dear {{ first_name|friend }},\n\nhello.")
        await page.get_by_role("radio", name="Everybody on the list").check(force=True)

        shown = page.frame_locator("#viewport iframe:not([hidden])")
        await page.get_by_role("button", name="Show how it looks").click()
        await expect(shown.get_by_text("Dear Farida,")).to_be_visible()
        await page.get_by_role("button", name="Save", exact=True).click()
        await expect(page.get_by_text("Saved.", exact=True)).to_be_visible()

        await page.get_by_role("button", name="Review and count").click()
        await expect(page.locator(".big__n")).to_have_text("2")
        await page.get_by_label("Type the number of people").fill("2")
        await page.get_by_label("Six digits from your app").fill(await _next_code(house, cast))
        await page.get_by_role("button", name="Schedule for 2 people").click()
        await expect(page.get_by_text("to undo. Then it goes to 2 people.")).to_be_visible()
        await page.get_by_role("link", name="Look again").click()
        await page.get_by_role("button", name="Undo, back to draft").click()
        await expect(page.get_by_text("nothing has left", exact=False).first).to_be_visible()

    async with house.work(reading=True) as work:
        [campaign] = await work.session.scalars(select(Campaign))
    assert campaign.state is CampaignState.DRAFT


async def _next_code(house: House, cast: Cast) -> str:
    """Wait for the next thirty seconds, as it were."""
    async with house.work() as work:
        amina = await work.session.get_one(type(cast.amina), cast.amina.no)
        amina.last_step = 0
    return await fresh_code(house, cast.amina)


# --- with scripts -------------------------------------------------------------------------------


async def test_the_preview_follows_the_typing_and_keeps_nothing(
    browser: Browser, rooms: Rooms, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast)
    _server, address = rooms.web()
    async with opened(browser, address) as page:
        await sign_in(page, cast.amina.address, await fresh_code(house, cast.amina))
        await page.goto(f"/admin/campaigns/{campaign.uid}/write")
        history = await page.evaluate("history.length")
        shown = page.frame_locator("#viewport iframe:not([hidden])")

        await page.get_by_label("Headline").fill("Seen while it is typed")
        await expect(shown.get_by_role("heading", level=1)).to_have_text("Seen while it is typed")
        await page.get_by_label("Their name is").select_option("awkward")
        await expect(shown.get_by_text("Dear Maria-Zoë “Zee” <O’Brien> & Co,")).to_be_visible()
        await page.get_by_label("Text", exact=True).fill("Dear {{ nobody }},")
        await expect(page.locator("#sketch")).to_contain_text("There is no merge field nobody")
        await expect(shown.get_by_text("This cannot be shown yet")).to_be_visible()

        assert await page.locator("iframe").count() == 1
        assert await page.evaluate("history.length") == history, "Back still leads off the page"
    assert await how_many(house, of=Revision, campaign=campaign) == 1


async def test_the_email_in_the_frame_can_do_nothing(
    browser: Browser, rooms: Rooms, house: House, cast: Cast
) -> None:
    """Its links are dead, and the page around is out of its reach."""
    campaign = await draft(house, cast)
    _server, address = rooms.web()
    async with opened(browser, address) as page:
        await sign_in(page, cast.amina.address, await fresh_code(house, cast.amina))
        await page.goto(f"/admin/campaigns/{campaign.uid}/write")
        sandbox = await page.locator("#viewport iframe").get_attribute("sandbox")
        reach = await page.evaluate("document.querySelector('iframe').contentDocument")

    assert sandbox == ""
    assert reach is None, "another origin, as seen from the page and hence from the frame"


async def test_words_that_are_not_saved_are_not_left_without_asking(
    browser: Browser, rooms: Rooms, house: House, cast: Cast
) -> None:
    campaign = await draft(house, cast)
    asked: list[str] = []
    _server, address = rooms.web()
    async with opened(browser, address, expected=LEFT_EARLY) as page:
        await sign_in(page, cast.amina.address, await fresh_code(house, cast.amina))
        await page.goto(f"/admin/campaigns/{campaign.uid}/write")

        async def stay(dialog) -> None:
            asked.append(dialog.type)
            await dialog.dismiss()

        page.on("dialog", stay)
        await page.get_by_label("Subject").click()
        await page.keyboard.type("Not saved")
        await page.get_by_role("link", name="People").click()
        await expect(page.get_by_label("Subject")).to_have_value(re.compile("Not saved"))
        await page.get_by_role("button", name="Save", exact=True).click()
        await expect(page.get_by_text("Saved.", exact=True)).to_be_visible()

    assert asked == ["beforeunload"]


async def test_a_page_that_waits_goes_on_by_itself(
    browser: Browser, rooms: Rooms, house: House, cast: Cast
) -> None:
    campaign = await scheduled(house, cast)
    _server, address = rooms.web()
    async with opened(browser, address) as page:
        await sign_in(page, cast.amina.address, await fresh_code(house, cast.amina))
        await page.goto(f"/admin/campaigns/{campaign.uid}")
        first = await page.locator("#said").inner_text()
        await expect(page.locator("#said")).not_to_have_text(first, timeout=8000)
        async with house.work() as work:
            await sending.start_due(make.later(work, minutes=6))

        await expect(page.get_by_role("button", name="Pause")).to_be_visible(timeout=8000)

    assert (await as_it_is(house, campaign)).state is CampaignState.SENDING


# --- without a mouse ----------------------------------------------------------------------------


async def test_the_first_key_leads_past_the_menu(
    browser: Browser, rooms: Rooms, house: House, cast: Cast
) -> None:
    _server, address = rooms.web()
    async with opened(browser, address) as page:
        await sign_in(page, cast.amina.address, await fresh_code(house, cast.amina))
        for path in ("/join", "/admin/campaigns/new"):
            await page.goto(path)
            await page.keyboard.press("Tab")
            skip = page.get_by_role("link", name="Skip to content")
            await expect(skip).to_be_focused()
            await expect(skip).to_be_in_viewport()
            await page.keyboard.press("Enter")
            await page.keyboard.press("Tab")
            inside = await page.evaluate("!!document.activeElement.closest('main')")
            assert inside, f"the focus is not in the content of {path}"


async def test_one_always_sees_where_one_is(
    browser: Browser, rooms: Rooms, house: House, cast: Cast
) -> None:
    writing, going = await draft(house, cast), await begun(house, cast)
    _server, address = rooms.web()
    async with opened(browser, address) as page:
        await sign_in(page, cast.amina.address, await fresh_code(house, cast.amina))
        for path in (
            "/join",
            f"/admin/campaigns/{writing.uid}/write",
            f"/admin/campaigns/{going.uid}",
        ):
            await page.goto(path)
            stops = await _tab_through(page)
            assert len(stops) > 8, path
            assert [stop for stop in stops if not stop["seen"]] == [], path


async def _tab_through(page: Page) -> list[dict[str, str | bool]]:
    """Go through everything that takes the focus; say what it is and whether one sees it."""
    stops: list[dict[str, str | bool]] = []
    for _press in range(120):
        await page.keyboard.press("Tab")
        stop = await page.evaluate(
            """() => {
              const one = document.activeElement;
              if (!one || one === document.body) return null;
              const box = one.getBoundingClientRect();
              // A drawn radio button is inside the label that shows the ring.
              const ring = [one, one.closest("label")].some((drawn) => {
                const look = drawn && getComputedStyle(drawn);
                return look && look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 2;
              });
              const inSight = box.width > 1 && box.height > 1 && box.bottom > 0
                && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
              const frame = one.tagName === "IFRAME";
              return {what: `${one.tagName} ${one.id || one.name || one.textContent.trim()}`,
                      seen: frame || (ring && inSight)};
            }"""
        )
        if stop is None or stop in stops:
            break
        stops.append(stop)
    return stops
