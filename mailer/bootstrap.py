"""The only place where settings become the things that processes share."""

import contextlib
import dataclasses

from sqlalchemy.ext.asyncio import AsyncEngine

from mailer.consent import actions as consent
from mailer.kit.db import make_engine, unit_of_work
from mailer.kit.secrets import Keys
from mailer.kit.work import Door, Work
from mailer.organisation import actions as organisation
from mailer.relays import actions as relays
from mailer.settings import Settings
from mailer.tiers import actions as tiers


@dataclasses.dataclass(frozen=True, kw_only=True)
class House:
    """What a process has: its settings, its database, its keys."""

    settings: Settings
    engine: AsyncEngine
    keys: Keys

    def work(
        self,
        *,
        reading: bool = False,
        scope: frozenset[int] | None = None,
        account: int | None = None,
        door: Door = Door.SYSTEM,
    ) -> contextlib.AbstractAsyncContextManager[Work]:
        """Begin a unit of work; it is committed when the context ends well."""
        return unit_of_work(
            self.engine,
            keys=self.keys,
            reading=reading,
            scope=scope,
            account=account,
            door=door,
        )


def open_house(settings: Settings) -> House:
    """Open the database and the keys that settings name."""
    return House(
        settings=settings,
        engine=make_engine(settings.database_url),
        keys=Keys(settings.root_key()),
    )


async def furnish(house: House) -> None:
    """Put in what every house starts with: our name, a ladder, a list, a relay. Twice is once."""
    async with house.work() as work:
        await organisation.furnish(work)
        await tiers.furnish(work)
        await consent.furnish(work)
        await relays.furnish(work)
