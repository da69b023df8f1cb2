"""Every page, for everybody: in each theme, on a telephone, in large letters, without a mouse."""

import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, StorageState

from mailer.bootstrap import House
from tests.cast import Cast
from tests.house.routes import ways_in
from tests.support.browser import THEMES, axe, opened
from tests.support.rooms import Rooms
from tests.support.town import Place, Who, built, keys_of_the_town

# One worker has the browser, so that only one Chromium is started.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.any_database,
    pytest.mark.xdist_group("browser"),
]
# The walk is long: two go at the same time.
A_BROWSER_OF_ITS_OWN = pytest.mark.xdist_group("telephone")

PHONE, DESK, SMALLEST = 390, 1280, 320
USUAL = 16  # pixels of the letters that a browser comes with
# Letters twice as large and the smallest telephone push the page alike in every colour.
SQUEEZED = "light"

NO_PAGES = {
    "/": "leads to /join",
    "/admin/campaigns/{uid:str}/preview/{code:str}": "an email; seen in its frame",
    "/admin/bulk/{uid:str}/progress": "a part of a page",
    "/admin/campaigns/{uid:str}/progress": "a part of a page",
    "/admin/forms/{slug:str}/preview": "a form; seen in its frame",
    "/admin/import/{uid:str}/lines.csv": "a file",
    "/admin/import/{uid:str}/progress": "a part of a page",
    "/admin/import/{uid:str}/refused.csv": "a file",
    "/admin/lists/{slug:str}/welcome/letter": "an email; seen in its frame",
    "/admin/segments/{uid:str}/count": "a part of a page",
    "/brand.css": "a style sheet",
    "/demo/inbox/{name:str}/document": "an email; seen in its frame",
    "/health": "one word for a monitor",
    "/my/{token:str}/data.csv": "a file",
    "/my/{token:str}/data.json": "a file",
    "/static/{file_path:path}": "files",
}
"""The ways that show no page of their own."""


class Town:
    """A running server with something on every page, and the cookies of who may see it."""

    def __init__(
        self,
        browser: Browser,
        address: str,
        places: Sequence[Place],
        cookies: dict[Who, StorageState | None],
    ) -> None:
        self.browser = browser
        self.address = address
        self.places = places
        self.cookies = cookies

    async def walk(
        self, places: Sequence[Place], theme: str, width: int, shots: Path | None = None
    ) -> list[str]:
        """Go to each place and say what is wrong there."""
        wrong: list[str] = []
        for who, refused in itertools.product(Who, (False, True)):
            there = [one for one in places if one.who is who and (one.status >= 400) is refused]
            how: dict[str, Any] = {**THEMES[theme], "storage_state": self.cookies[who]}
            if refused:
                how["expected"] = "the server responded with a status of 4"
            viewport = {"width": width, "height": 900}
            async with opened(self.browser, self.address, viewport=viewport, **how) as page:
                for place in there:
                    at = f"{place.name} ({theme}, {width})"
                    looked = await self._look(page, place, squeezed=theme == SQUEEZED)
                    wrong += [f"{at}: {what}" for what in looked]
                    if shots:
                        name = re.sub(r"[^a-z-]", "", place.name.lower().replace(" ", "-"))
                        picture = shots / f"{name}-{theme}-{width}.png"
                        await page.screenshot(path=picture, full_page=True)
        return wrong

    async def _look(self, page: Page, place: Place, *, squeezed: bool) -> list[str]:
        answer = await page.goto(place.path)
        assert answer
        if answer.status != place.status or page.url != self.address + place.path:
            return [f"answered {answer.status} at {page.url}"]
        wrong = await axe(page)
        width = page.viewport_size["width"] if page.viewport_size else 0
        wrong += await _overflowing(page, f"at {width}")
        if not squeezed:
            return wrong
        await _set_letters(page, 2 * USUAL)
        wrong += await _overflowing(page, f"at {width} in letters twice as large")
        await _set_letters(page, USUAL)
        await page.set_viewport_size({"width": SMALLEST, "height": 900})
        wrong += await _overflowing(page, f"at {SMALLEST}")
        await page.set_viewport_size({"width": width, "height": 900})
        return wrong


async def _set_letters(page: Page, size: int) -> None:
    """Set the size of letters as in the browser's settings: media queries in rem follow it."""
    settings = await page.context.new_cdp_session(page)
    await settings.send("Page.setFontSizes", {"fontSizes": {"standard": size, "fixed": size}})
    await settings.detach()


async def _overflowing(page: Page, when: str) -> list[str]:
    """Say which elements stand out over the edge, if the page must be pushed sideways."""
    found: list[str] = await page.evaluate(
        """() => {
          const root = document.documentElement, edge = root.clientWidth;
          if (root.scrollWidth <= edge) return [];
          const out = [...document.querySelectorAll("body *")].filter((one) => {
            const box = one.getBoundingClientRect();
            return box.width && box.right > edge + 1 && !one.closest("svg, .scroll, .vh");
          });
          return out.slice(-3).map((one) => `${one.tagName}.${one.className}`)
            .concat(`by ${root.scrollWidth - edge}px`);
        }"""
    )
    return [f"overflows {when}: {', '.join(found)}"] if found else []


@pytest.fixture
async def town(browser: Browser, rooms: Rooms, house: House, cast: Cast, tmp_path: Path) -> Town:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    _server, address = rooms.web(demo="true", demo_inbox=str(inbox))
    places = await built(house, cast, inbox)
    return Town(browser, address, places, await keys_of_the_town(browser, address, house, cast))


@pytest.mark.story
@pytest.mark.timeout(900)
@pytest.mark.parametrize("width", [DESK, pytest.param(PHONE, marks=A_BROWSER_OF_ITS_OWN)])
@pytest.mark.parametrize("theme", THEMES)
async def test_every_page_is_for_everybody_in_every_theme(
    town: Town, theme: str, width: int, shots: Path
) -> None:
    wrong = await town.walk(town.places, theme, width, shots)
    assert not wrong, "\n".join(wrong)


async def test_no_page_is_left_out_of_the_walk(house: House, cast: Cast, tmp_path: Path) -> None:
    places = await built(house, cast, tmp_path)

    pages = {way.path for way in ways_in() if way.method == "GET"} - NO_PAGES.keys()

    assert pages - {place.way for place in places} == set()
