"""One person whole: who they are, where they stand, and all that happened."""

from collections.abc import Mapping, Sequence

import msgspec

from mailer.accounts import store as accounts
from mailer.activity.model import Causes, Entry
from mailer.asks import record as asks
from mailer.asks import store as ask_store
from mailer.campaigns import store as campaigns
from mailer.consent import record as consent
from mailer.deliveries import record as deliveries
from mailer.fields import record as fields
from mailer.followups import record as followups
from mailer.forms import record as forms
from mailer.groups import record as groups
from mailer.imports import record as imports
from mailer.kit.errors import NotFound
from mailer.kit.i18n import in_language
from mailer.kit.work import Work
from mailer.phones import record as phones
from mailer.records import merged, store
from mailer.records import record as letters
from mailer.records.store import Person
from mailer.subscribers import record as subscribers
from mailer.subscribers import store as subscriber_store
from mailer.subscribers.model import Subscriber
from mailer.tags import record as tags
from mailer.tiers import record as tiers

_SLICES = (
    subscribers,
    groups,
    tags,
    consent,
    fields,
    phones,
    forms,
    tiers,
    asks,
    followups,
    imports,
    merged,
    letters,
    deliveries,
)


class PersonUnknown(NotFound):
    """There is nobody like this on the roll, or they are not in your care."""


async def person(work: Work, uid: str) -> Person:
    """Give somebody as they stand."""
    subscriber = await subscriber_store.by_uid(work, uid)
    if subscriber is None or subscriber.erased_at is not None:
        raise PersonUnknown
    return await store.whole(work, subscriber)


async def timeline(work: Work, subscriber: Subscriber) -> list[Entry]:
    """Tell all that happened to somebody, newest first, in the reader's language."""
    if await subscriber_store.by_no(work, subscriber.no) is None:
        raise PersonUnknown
    told = [entry for slice_ in _SLICES for entry in await slice_.entries(work, subscriber.no)]
    told = await _with_causes(work, told)
    names = await accounts.names(work)
    told.sort(key=lambda entry: (entry.at, entry.order), reverse=True)
    return [
        msgspec.structs.replace(entry, account_name=names.get(entry.account_no))
        if entry.account_no is not None
        else entry
        for entry in told
    ]


async def _with_causes(work: Work, told: Sequence[Entry]) -> list[Entry]:
    """Name the newsletters and asks that led to something. What is gone stays without a name."""
    nos: dict[Causes, set[int]] = {what: set() for what in Causes}
    for entry in told:
        if entry.cause is not None:
            nos[entry.cause.what].add(entry.cause.no)
    found: dict[tuple[Causes, int], tuple[str, str]] = {}
    if led := nos[Causes.CAMPAIGN]:
        for no, campaign in (await campaigns.by_nos(work, led)).items():
            found[Causes.CAMPAIGN, no] = campaign.name, campaign.uid
    if led := nos[Causes.ASK]:
        for no, ask in (await ask_store.by_nos(work, led)).items():
            found[Causes.ASK, no] = in_language(ask.title), ask.uid
    return [_with_cause(entry, found) for entry in told]


def _with_cause(entry: Entry, found: Mapping[tuple[Causes, int], tuple[str, str]]) -> Entry:
    cause = entry.cause
    if cause is None or (cause.what, cause.no) not in found:
        return entry
    name, uid = found[cause.what, cause.no]
    return msgspec.structs.replace(
        entry,
        details=cause.words % {cause.what.value: name},
        cause=msgspec.structs.replace(cause, uid=uid),
    )
