"""Making what one test needs beside the cast: by the verbs, with defaults that do not matter.

from tests import makers as make

yasmin = await make.person(work, tier=cast.activist)
roll = await make.people(work, 500, mailing_list=cast.bulletin, tier=cast.follower)
"""

import dataclasses
import itertools
from collections.abc import Sequence
from datetime import timedelta

from typing_extensions import Unpack

from mailer.asks import composing
from mailer.asks.composing import AskFields
from mailer.asks.model import Ask
from mailer.consent import actions as consent
from mailer.consent import store as consents
from mailer.consent.model import MailingList
from mailer.groups import actions as groups
from mailer.groups.many import put_in
from mailer.groups.model import Group
from mailer.kit.work import Door, Work
from mailer.subscribers import actions as subscribers
from mailer.subscribers.model import GroupRole, Subscriber
from mailer.tiers import actions as tiers
from mailer.tiers.model import Source, Tier

_NUMBERS = itertools.count(1)


def later(work: Work, **by: float) -> Work:
    """Give the same work at a later hour: `later(work, days=31)`."""
    return dataclasses.replace(work, now=work.now + timedelta(**by))


def seen_by(work: Work, *scope: Group, account: int | None = None) -> Work:
    """Give the same work as somebody does it who sees only the people of these groups."""
    return dataclasses.replace(
        work, scope=frozenset(group.no for group in scope), account=account, door=Door.ADMIN
    )


def by_account(work: Work, account: int) -> Work:
    """Give the same work as an account does it that sees everybody."""
    return dataclasses.replace(work, account=account, door=Door.ADMIN)


def through(work: Work, door: Door) -> Work:
    """Give the same work as it comes in by another door."""
    return dataclasses.replace(work, door=door)


async def mailing_list(
    work: Work, name: str = "Action alerts", *, double_opt_in: bool = True
) -> MailingList:
    """Open one more list."""
    return await consent.open_list(
        work,
        name={"en": name},
        about={},
        consent_text={"en": "Yes, %(organisation)s may email me about this."},
        is_public=True,
        double_opt_in=double_opt_in,
    )


async def ask(work: Work, title: str = "Write a letter", **fields: Unpack[AskFields]) -> Ask:
    """Open one more ask."""
    drafted = await composing.draft(work, title={"en": title}, **fields)
    return await composing.open_ask(work, drafted)


async def person(
    work: Work,
    address: str | None = None,
    *,
    first_name: str = "",
    last_name: str = "",
    language: str = "en",
    mailing_list: MailingList | None = None,
    confirmed: bool = True,
    tier: Tier | None = None,
    group: Group | None = None,
) -> Subscriber:
    """Put somebody on the roll: on a list (the first, unless said), confirmed unless said."""
    subscriber = await subscribers.add(
        work,
        address=address or f"person{next(_NUMBERS)}@example.org",
        first_name=first_name,
        last_name=last_name,
        language=language,
    )
    chosen = mailing_list or (await consents.lists(work))[0]
    asked = await consent.ask(
        work, subscriber, chosen, wording="Yes, write to me.", language=language
    )
    if confirmed:
        await consent.confirm(work, asked.no)
    if tier is not None:
        await tiers.place_many(work, [(subscriber.no, tier.no)], source=Source.SELF_FORM)
    if group is not None:
        await groups.join(work, subscriber, group)
    return subscriber


async def people(
    work: Work,
    number: int,
    *,
    mailing_list: MailingList | None = None,
    tier: Tier | None = None,
    group: Group | None = None,
) -> Sequence[Subscriber]:
    """Put many on the roll at once, all confirmed, as an import does."""
    added = await subscribers.add_many(
        work,
        [
            subscribers.NewPerson(
                address=f"one{no}@example.org", first_name=f"One{no}", last_name="Of Many"
            )
            for no in itertools.islice(_NUMBERS, number)
        ],
    )
    nos = [one.no for one in added.values()]
    chosen = mailing_list or (await consents.lists(work))[0]
    await consent.agree_many(work, nos, chosen, wording="On paper.", language="en")
    if tier is not None:
        await tiers.place_many(work, [(no, tier.no) for no in nos])
    if group is not None:
        await put_in(work, nos, group, GroupRole.MEMBER)
    return list(added.values())
