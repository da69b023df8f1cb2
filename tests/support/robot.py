"""A mail scanner: it opens links, finds the forms of a page, and sends what it finds."""

from typing import Any, NamedTuple
from urllib.parse import urlsplit

import html5lib
import httpx

SAYS = {"email": "robot@example.net"}
"""What it types into a field of a kind; into any other an x."""


class Form(NamedTuple):
    """A form that stands in a page."""

    path: str
    fields: dict[str, str]  # filled in by the robot
    as_it_is: dict[str, str]  # as the page has it
    buttons: list[tuple[str, str]]  # name and value


def forms_on(page: httpx.Response) -> list[Form]:
    root = html5lib.parse(page.text, namespaceHTMLElements=False)
    return [_form(one, page) for one in root.iter("form") if one.get("method", "get") == "post"]


def _form(form: Any, page: httpx.Response) -> Form:
    inputs = [one for one in form.iter() if one.tag in {"input", "textarea", "select"}]
    named = [(one.get("name"), one) for one in inputs if one.get("name")]
    return Form(
        path=urlsplit(form.get("action") or str(page.url)).path,
        fields={name: _filled(one) for name, one in named},
        as_it_is={name: _value(one) for name, one in named if _is_sent(one)},
        buttons=[
            (one.get("name"), one.get("value") or "")
            for one in form.iter("button")
            if one.get("name")
        ],
    )


def _is_sent(one: Any) -> bool:
    return one.get("type") not in {"radio", "checkbox"} or one.get("checked") is not None


def _value(one: Any) -> str:
    if one.tag == "select":
        options = list(one.iter("option"))
        chosen = [option for option in options if option.get("selected") is not None]
        return str((chosen or options)[0].get("value") or "")
    return str(one.get("value") or "".join(one.itertext()))


def _filled(one: Any) -> str:
    return _value(one) or SAYS.get(one.get("type"), "x")


class Robot:
    """It has no cookies, says what it likes, and never presses what has a name of its own."""

    def __init__(self, web: httpx.AsyncClient) -> None:
        self.web = web
        self.forms_sent = 0

    async def scan(self, path: str) -> None:
        for method in ("HEAD", "GET", "OPTIONS", "GET"):
            await self.web.request(method, path)
        page = await self.web.get(path, follow_redirects=True)
        await self.web.post(path)
        for form in forms_on(page):
            for sent in (form.fields, {**form.fields, "answer": "x"}, {**form.fields, "": "x"}):
                await self.web.post(form.path, data=sent)
                self.forms_sent += 1
        self.web.cookies.clear()
