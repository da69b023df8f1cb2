"""Pages for accounts, behind the gate: password, then a code, then what the role allows."""

from litestar.types import ControllerRouterHandler

from web.admin import (
    campaigns,
    gate,
    groups,
    home,
    imports,
    levels,
    lists,
    organisation,
    people,
    record,
    requests,
    reviewing,
    sending,
)

HANDLERS: list[ControllerRouterHandler] = [
    gate.Entry,
    *home.HANDLERS,
    *people.HANDLERS,
    *requests.HANDLERS,
    *levels.HANDLERS,
    *lists.HANDLERS,
    *groups.HANDLERS,
    *imports.HANDLERS,
    *organisation.HANDLERS,
    *record.HANDLERS,
    *campaigns.HANDLERS,
    *reviewing.HANDLERS,
    *sending.HANDLERS,
]
