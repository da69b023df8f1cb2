"""A real Chromium that may speak to our server only, and complains of everything it dislikes."""

import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, Page, Route, async_playwright

# Playwright already passes --disable-background-networking and its like. The resolver rule is
# what proves it: no name but ours has an address, whatever part of Chromium asks.
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
# Playwright's console events lack violations in report-less frames; the page's own event has all.
TELL = """addEventListener("securitypolicyviolation", (e) =>
  console.error(`CSP: ${e.effectiveDirective} ${e.blockedURI}`));"""
THEMES: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "contrast": {"color_scheme": "light", "contrast": "more"},
    "forced": {"color_scheme": "dark", "forced_colors": "active"},
}
AXE = Path(__file__).parents[2] / "vendor" / "axe-core" / "axe.min.js"


def chromium() -> str | None:
    """Find Debian's Chromium."""
    return shutil.which("chromium")


@asynccontextmanager
async def launched(executable: str) -> AsyncGenerator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        await browser.close()


@asynccontextmanager
async def opened(
    browser: Browser, address: str, *, expected: str = "", **how: Any
) -> AsyncGenerator[Page]:
    """Open a page; at the end, fail if it asked for anything foreign or complained.

    Chromium also complains of a page that is rightly answered by 404: such words are `expected`.
    """
    complaints: list[str] = []
    context = await browser.new_context(base_url=address, reduced_motion="reduce", **how)
    context.set_default_timeout(10_000)
    await context.add_init_script(TELL)

    async def only_ours(route: Route) -> None:
        if _origin(route.request.url) == address or route.request.url.startswith("data:"):
            await route.continue_()
        else:
            complaints.append(f"foreign: {route.request.url}")
            await route.abort()

    await context.route("**/*", only_ours)
    page = await context.new_page()
    page.on("console", lambda said: _note(complaints, said.type, said.text))
    page.on("pageerror", lambda fault: complaints.append(f"error: {fault}"))
    page.on("requestfailed", lambda lost: _lost(complaints, lost.url, lost.failure))
    yield page
    await context.close()
    unexpected = [said for said in complaints if not expected or expected not in said]
    assert not unexpected, "\n".join(unexpected)


async def axe(page: Page) -> list[str]:
    """Run axe-core; say what it found, shortly."""
    # evaluate() goes by the debugger, which the page's CSP does not reach; a <script> would not.
    await page.evaluate(AXE.read_text())
    found = await page.evaluate("axe.run()")
    assert found["passes"], "axe found nothing to look at"
    return [
        f"{broken['id']}: {node['html']} {node['failureSummary']}"
        for broken in found["violations"]
        for node in broken["nodes"]
    ]


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _lost(complaints: list[str], url: str, failure: str | None) -> None:
    """A request that was cut off because the reader went on to another page is nobody's fault."""
    if failure != "net::ERR_ABORTED":
        complaints.append(f"failed: {url} {failure}")


def _note(complaints: list[str], kind: str, text: str) -> None:
    if kind in {"error", "warning"}:
        complaints.append(f"{kind}: {text}")
