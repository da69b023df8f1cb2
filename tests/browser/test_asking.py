"""The page of people with a script: the question answers while it is built, without a mouse."""

import re
from collections.abc import AsyncGenerator

import pytest
from playwright.async_api import Browser, Page, expect

from mailer.bootstrap import House
from tests.cast import Cast
from tests.support.browser import opened
from tests.support.campaigning import fresh_code
from tests.support.rooms import Rooms
from tests.support.town import sign_in

pytestmark = [
    pytest.mark.browser,
    pytest.mark.any_database,
    pytest.mark.xdist_group("browser"),
]


@pytest.fixture
async def people(browser: Browser, rooms: Rooms, house: House, cast: Cast) -> AsyncGenerator[Page]:
    """Give the page of people, open before Amina."""
    _server, address = rooms.web()
    async with opened(browser, address) as page:
        await sign_in(page, cast.amina.address, await fresh_code(house, cast.amina))
        await page.goto("/admin/people")
        yield page


async def test_the_question_answers_while_it_is_built(people: Page, cast: Cast) -> None:
    await people.get_by_role("button", name="Add a condition").press("Enter")
    asked = people.get_by_label("What is asked")
    await asked.focus()
    await asked.select_option("is:group")
    group = people.get_by_label("Group", exact=True)
    await group.focus()
    await group.select_option(str(cast.northgate.no))

    await expect(people.locator(".sentence__out output")).to_have_text("2people match")
    await expect(people.locator("#how-many")).to_have_text("2 people match")
    await expect(group).to_be_focused()
    assert "tree=" in people.url
    await people.reload()  # the address holds all that was asked
    await expect(people.locator(".sentence__out output")).to_have_text("2people match")

    await people.get_by_role("button", name=re.compile("Take this condition out")).press("Enter")
    await expect(people.locator(".sentence__out output")).to_have_text("4people match")
    await expect(people.get_by_role("button", name="Add a condition")).to_be_focused()


async def test_the_finder_is_gone_through_with_arrows(people: Page, cast: Cast) -> None:
    finder = people.get_by_role("searchbox", name="A name, an address, a campaign …")
    await finder.press_sequentially("gi")
    hit = people.locator("#hits a").first
    await expect(hit).to_have_attribute("href", f"/admin/people/{cast.gil.uid}")
    await expect(people.locator("#hits-said")).to_contain_text("1 found.")
    await finder.press("ArrowDown")
    await expect(hit).to_be_focused()
    await people.keyboard.press("ArrowUp")
    await expect(finder).to_be_focused()
    await people.keyboard.press("Escape")
    await expect(people.locator("#hits a")).to_have_count(0)
    await finder.press("l")
    await expect(hit).to_be_visible()
    await finder.press("ArrowDown")
    await people.keyboard.press("Enter")
    await people.wait_for_url(f"**/admin/people/{cast.gil.uid}")


async def test_all_rows_are_ticked_at_once_and_counted(people: Page, cast: Cast) -> None:
    await people.get_by_label("With whom").select_option("all")
    await people.get_by_label("Select everybody on this page").press("Space")
    await expect(people.get_by_text("4 selected")).to_be_visible()
    await expect(people.get_by_label("With whom")).to_have_value("ticked")
    await people.get_by_label("Select Bo").press("Space")
    await expect(people.get_by_text("3 selected")).to_be_visible()
    await people.get_by_role("button", name="Pause").press("Enter")
    await people.wait_for_url("**/admin/bulk/new?**")
    await expect(people.get_by_text("3 people, chosen one by one.")).to_be_visible()
    await people.get_by_role("button", name="Count them").press("Enter")
    await expect(people.get_by_role("heading", level=1)).to_contain_text("Pause all emails")
    await people.get_by_role("button", name="Yes, pause them").press("Enter")
    await expect(people.get_by_text("3 of 3 done")).to_have_count(1)
