"""Pages for accounts, behind the gate: password, then a code, then what the role allows."""

from litestar.types import ControllerRouterHandler

from web.admin import (
    campaigns,
    correcting,
    gate,
    groups,
    home,
    imports,
    levels,
    lists,
    organisation,
    people,
    record,
    relays,
    requests,
    reviewing,
    sending,
    servers,
    signing,
    standing,
    undelivered,
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
    *relays.HANDLERS,
    *servers.HANDLERS,
    *signing.HANDLERS,
    *record.HANDLERS,
    *campaigns.HANDLERS,
    *reviewing.HANDLERS,
    *standing.HANDLERS,
    *sending.HANDLERS,
    *undelivered.HANDLERS,
    *correcting.HANDLERS,
]
