"""Pages for anybody. A token in a link is the only credential here."""

from litestar.types import ControllerRouterHandler

from web.public import archive, display, inbox, joining, leaving, links, preferences

HANDLERS: list[ControllerRouterHandler] = [
    display.Display,
    *joining.HANDLERS,
    *links.HANDLERS,
    *preferences.HANDLERS,
    *leaving.HANDLERS,
    *archive.HANDLERS,
]

# Ways in that exist only while `rollcall demo` runs.
OF_THE_DEMO: list[ControllerRouterHandler] = [inbox.Inbox]
