"""Pages that ask again and again by themselves, with nobody there."""

import re
from collections.abc import Iterator

from litestar.handlers import HTTPRouteHandler

from web.admin import HANDLERS
from web.kit.pages import TEMPLATES

ASKING = re.compile(r'hx-get="([^"?]*)[^"]*" hx-trigger="every ')


def asked() -> Iterator[str]:
    """Give the ends of the paths that templates ask for by a clock."""
    for template in TEMPLATES.rglob("*.html"):
        text = template.read_text()
        found = ASKING.findall(text)
        assert len(found) == text.count('hx-trigger="every '), template.name
        yield from (path.rpartition("/")[2] for path in found)


def test_what_pages_ask_for_by_a_clock_keeps_no_session_awake() -> None:
    ends = set(asked())
    answering = [
        one
        for one in HANDLERS
        if isinstance(one, HTTPRouteHandler)
        and any(path.rpartition("/")[2] in ends for path in one.paths)
    ]

    assert ends == {"progress"}
    assert len(answering) == 3
    assert all(one.opt["by_itself"] for one in answering)
