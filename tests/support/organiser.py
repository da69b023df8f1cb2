"""An organiser at the admin pages, in a browser."""

import re
import time

import pyotp
from playwright.async_api import Page, expect

from tests.cast import PASSWORD


class Organiser:
    """Amina at the admin pages: each code she types is a later one than the last."""

    def __init__(self, page: Page, seed: str) -> None:
        self.page = page
        self.totp = pyotp.TOTP(seed)
        self.at = 0

    def code(self) -> str:
        """Give the next code of the app."""
        # Each counts once, and those of the half minutes before and after count too: beginning with
        # the one before, three are good at once, however fast or slow this machine is.
        self.at = max(self.at + 30, int(time.time()) - 30)
        return self.totp.at(self.at)

    async def sign_in(self, address: str) -> None:
        """Give the password, then a code."""
        page = self.page
        await page.goto("/admin")
        await page.get_by_label("Email address").fill(address)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Continue").click()
        await page.get_by_label("Code", exact=True).fill(self.code())
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await expect(page).to_have_url(re.compile(r"/admin/?$"))

    async def write(self, name: str, subject: str, *, ask: str = "") -> None:
        """Write a newsletter to everybody on the first list, and count; `ask`: what is under it."""
        page = self.page
        await page.goto("/admin/campaigns/new")
        await page.get_by_label("Name", exact=True).fill(name)
        await page.get_by_role("button", name="Begin to write").click()
        await page.get_by_label("Subject").fill(subject)
        await page.get_by_label("Headline").fill("Four questions")
        await page.get_by_role("textbox", name="Text", exact=True).fill(
            "Dear {{ first_name|friend }},\n\nwho has **a hall**?"
        )
        await page.get_by_label("List", exact=True).select_option(index=0)
        await page.locator("label", has_text=re.compile("^Everybody")).click()
        if ask:
            await page.get_by_label("Under the text").select_option(label=ask)
        await page.get_by_role("button", name="Save", exact=True).click()
        await page.get_by_role("button", name="Review and count").first.click()
        await expect(page.get_by_label("Type the number of people")).to_be_visible()

    async def confirm(self, people: int) -> None:
        """Type how many people get it, and a code; wait until all is sent."""
        page = self.page
        await page.get_by_label("Type the number of people").fill(str(people))
        await page.get_by_label("Six digits from your app").fill(self.code())
        await page.get_by_role("button", name=re.compile(rf"{people} people")).click()
        # It goes on by itself until all is sent, and would cross whatever one opens meanwhile.
        sent = page.get_by_text(re.compile("^Sent on")).first
        await expect(sent).to_be_visible(timeout=30_000)
