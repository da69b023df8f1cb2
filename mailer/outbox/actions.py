"""Posting a letter."""

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec

from mailer.kit.orm import Facts
from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.outbox import store
from mailer.outbox.model import DeliveryState, Lane, Letter, Needs


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """What a verb wants sent. Exactly one of subscriber, account and address is given."""

    kind: str
    dedupe_key: str
    language: str
    facts: Facts = {}
    subscriber: int | None = None
    account: int | None = None
    address: str | None = None
    lane: Lane = Lane.LETTERS
    needs: Needs = Needs.ROLL
    due_at: datetime | None = None


async def post(work: Work, letter: Post) -> Letter | None:
    """Owe a letter as soon as this unit of work is committed.

    Posting twice under one dedupe key is posting once, also when two do it at the same time: the
    second answer is None.
    """
    owed = await post_many(work, [letter])
    return owed[0] if owed else None


async def post_many(work: Work, letters: Sequence[Post]) -> Sequence[Letter]:
    """Owe many letters at once; give those that were not owed before."""
    return await add_missing(
        work,
        Letter,
        [
            {
                "kind": letter.kind,
                "lane": letter.lane,
                "needs": letter.needs,
                "subscriber_no": letter.subscriber,
                "account_no": letter.account,
                "address": letter.address,
                "language": letter.language,
                "facts": dict(letter.facts),
                "dedupe_key": letter.dedupe_key,
                "made_at": work.now,
                "due_at": letter.due_at or work.now,
                "state": DeliveryState.QUEUED,
            }
            for letter in letters
        ],
    )


async def call_back(work: Work, dedupe_keys: Collection[str]) -> list[str]:
    """Owe these letters no longer, unless they are on their way; give which were called back.

    They leave no trace, so that the same may be posted again.
    """
    return await store.forget_waiting(work, dedupe_keys)
