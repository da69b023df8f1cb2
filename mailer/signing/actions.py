"""Making a key, switching it on, retiring it."""

import asyncio

from mailer.audit import actions as audit
from mailer.kit.errors import Conflict, Invalid
from mailer.kit.work import Work
from mailer.organisation import store as organisations
from mailer.signing import dkim, store
from mailer.signing.dkim import Algorithm, PrivateKey
from mailer.signing.model import SigningKey, Stage


class SenderUnsaid(Conflict):
    """A key belongs to the domain that emails come from. First say which address that is."""


class NotPublished(Invalid):
    """First publish the record. Servers refuse a signature whose key they cannot find."""


class KeyRetired(Conflict):
    """This key is retired, and its secret half is gone. Make a new one."""


async def generate(algorithm: Algorithm) -> PrivateKey:
    """Make what `new_key` keeps, beforehand: it may take a second, and nothing is locked."""
    return await asyncio.to_thread(dkim.new_key, algorithm)


async def new_key(work: Work, key: PrivateKey) -> SigningKey:
    """Keep a new key for the domain that emails come from. It signs nothing before `switch_on`."""
    domain = store.domain_of(await organisations.the_one(work))
    if not domain:
        raise SenderUnsaid
    algorithm = dkim.algorithm_of(key)
    made = SigningKey(
        domain=domain,
        selector=await _free_selector(work, algorithm),
        algorithm=algorithm,
        public=dkim.public_half(key),
        sealed=work.keys.seal(store.SEAL, dkim.written(key)),
        made_at=work.now,
    )
    work.session.add(made)
    await work.session.flush()
    await audit.note(work, "signing_key_made", selector=made.selector)
    return made


async def _free_selector(work: Work, algorithm: Algorithm) -> str:
    """Name it by its day, so that who reads the DNS sees which is old."""
    wanted = f"rc{work.now:%Y%m%d}-{algorithm}"
    taken = await store.selectors_like(work, wanted)
    number, free = 1, wanted
    while free in taken:
        number += 1
        free = f"{wanted}-{number}"
    return free


async def switch_on(work: Work, key: SigningKey, *, is_published: bool) -> list[SigningKey]:
    """Let a key sign from now on; give those of its kind that it has retired, one at most.

    `is_published` is the word of a person that its record stands in DNS. Switching on twice is
    switching on once.
    """
    if key.stage is Stage.RETIRED:
        raise KeyRetired
    if key.stage is Stage.SIGNING:
        return []
    if not is_published:
        raise NotPublished(field="published")
    before = list(await store.signing(work, key.domain, key.algorithm))
    for old in before:
        await retire(work, old)
    key.signs_since = work.now
    await work.session.flush()
    await audit.note(work, "signing_key_switched_on", selector=key.selector)
    return before


async def retire(work: Work, key: SigningKey) -> None:
    """Let a key sign no more, and destroy its secret half.

    Its record must stay in DNS for two weeks: what it has signed is still being read. Retiring
    twice is retiring once.
    """
    if key.stage is Stage.RETIRED:
        return
    key.retired_at = work.now
    key.sealed = None
    await work.session.flush()
    await audit.note(work, "signing_key_retired", selector=key.selector)
