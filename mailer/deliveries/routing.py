"""Routing: the relays as a transport needs them. That of the settings is in no row."""

from collections.abc import Sequence

import structlog

from mailer.deliveries.transport import Route
from mailer.kit.work import Work
from mailer.relays import actions as relays
from mailer.relays.model import CONNECTIONS, Relay
from mailer.settings import Settings

log = structlog.get_logger()


def routes_through(
    work: Work, everything: Sequence[Relay], settings: Settings
) -> tuple[Route, ...]:
    """Give the ways that mail may take: relays that are on, and that we can sign in to."""
    on = [relay for relay in everything if relay.is_on]
    routes = [
        _of_settings(relay, settings) if relay.is_of_settings else _of_row(work, relay)
        for relay in on
    ]
    return tuple(route for route in routes if route is not None)


def _of_settings(relay: Relay, settings: Settings) -> Route:
    return Route(
        no=relay.no,
        name=settings.smtp_host,
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        user=settings.smtp_user,
        password=settings.smtp_password,
        connections=relay.connections or settings.smtp_connections,
        weight=relay.weight,
    )


def _of_row(work: Work, relay: Relay) -> Route | None:
    password = relays.password_of(relay, work.keys)
    if password is None:
        log.error("relay_password_unreadable", relay=relay.no)
        return None
    return Route(
        no=relay.no,
        name=relay.name,
        host=relay.host,
        port=relay.port,
        security=relay.security.value,
        user=relay.user,
        password=password,
        connections=relay.connections or CONNECTIONS,
        weight=relay.weight,
    )
