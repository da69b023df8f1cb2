"""The only place where settings become the things that processes share."""

import contextlib
import dataclasses

from sqlalchemy.ext.asyncio import AsyncEngine

from mailer.activity.signals import reactions
from mailer.asks import days as ask_days
from mailer.asks import facets as ask_facets
from mailer.asks import store as asks
from mailer.campaigns import usages
from mailer.consent import actions as consent
from mailer.consent import facets as consent_facets
from mailer.deliveries import facets as delivery_facets
from mailer.deliveries import unread
from mailer.fields import facets as field_facets
from mailer.followups import facets as follow_up_facets
from mailer.followups import hours, naming, reacting
from mailer.followups import store as followups
from mailer.followups.rounds import digest
from mailer.groups import facets as group_facets
from mailer.imports import facets as import_facets
from mailer.kit.db import make_engine, unit_of_work
from mailer.kit.secrets import Keys
from mailer.kit.work import Door, Work
from mailer.organisation import actions as organisation
from mailer.phones import facets as phone_facets
from mailer.relays import actions as relays
from mailer.relays import store as sending_rules
from mailer.segments import asking, saving
from mailer.settings import Settings
from mailer.subscribers import facets as subscriber_facets
from mailer.tags import facets as tag_facets
from mailer.tiers import actions as tiers
from mailer.tiers import facets as tier_facets
from mailer.tiers.upkeep import living


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
        bulk: bool = False,
        scope: frozenset[int] | None = None,
        account: int | None = None,
        door: Door = Door.SYSTEM,
    ) -> contextlib.AbstractAsyncContextManager[Work]:
        """Begin a unit of work; it is committed when the context ends well."""
        return unit_of_work(
            self.engine,
            keys=self.keys,
            reading=reading,
            bulk=bulk,
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


for _slice in (  # in the order in which a segment's page offers them
    tier_facets,
    consent_facets,
    tag_facets,
    field_facets,
    group_facets,
    subscriber_facets,
    phone_facets,
    ask_facets,
    follow_up_facets,
    delivery_facets,
    import_facets,
):
    asking.register(*_slice.FACETS)
asking.zone_is_told_by(sending_rules.zone)
hours.zone_is_told_by(sending_rules.zone)
ask_days.zone_is_told_by(sending_rules.zone)
naming.alerts_are_named_by(unread.names_of)
digest.alerts_are_counted_by(unread.count_unfollowed)
saving.is_used_by(usages.of_segment)
living.is_told_by(asks.was_answered_for, followups.was_talked_to)
for _kind, _reaction in reacting.FOLLOWED.items():
    reactions.follow(_kind, _reaction)


async def furnish(house: House) -> None:
    """Put in what every house starts with: our name, a ladder, a list, a relay. Twice is once."""
    async with house.work() as work:
        await organisation.furnish(work)
        await tiers.furnish(work)
        await consent.furnish(work)
        await relays.furnish(work)
