"""Pages for anybody. A token in a link is the only credential here."""

from litestar.types import ControllerRouterHandler

from web.public import (
    about_me,
    archive,
    demands,
    display,
    forms,
    inbox,
    joining,
    leaving,
    links,
    my_data,
    preferences,
)

HANDLERS: list[ControllerRouterHandler] = [
    display.Display,
    *joining.HANDLERS,
    *forms.HANDLERS,
    *links.HANDLERS,
    *preferences.HANDLERS,
    *about_me.HANDLERS,
    *my_data.HANDLERS,
    *leaving.HANDLERS,
    *archive.HANDLERS,
    *demands.HANDLERS,
]

# Ways in that exist only while `rollcall demo` runs.
OF_THE_DEMO: list[ControllerRouterHandler] = [inbox.Inbox]
