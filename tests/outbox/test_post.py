"""Posting a letter."""

import asyncio

from mailer.bootstrap import House
from mailer.kit.work import Work
from mailer.outbox import store
from mailer.outbox.actions import Post, post, post_many
from mailer.outbox.model import DeliveryState, Letter
from tests.cast import Cast

HELLO = Post(kind="hello", dedupe_key="hello:1", language="en", address="new@example.org")


async def test_a_letter_is_owed_from_now_on(work: Work) -> None:
    owed = await post(work, HELLO)

    assert owed is not None
    assert owed.due_at == work.now
    assert owed.state == DeliveryState.QUEUED
    assert repr(owed) == f"<Letter {owed.no} hello>"


async def test_posting_twice_is_posting_once(work: Work) -> None:
    await post(work, HELLO)
    assert await post(work, HELLO) is None
    assert await store.already_posted(work, "hello:1")


async def test_two_who_post_at_once_post_one_letter(house: House) -> None:
    async def one() -> Letter | None:
        async with house.work() as work:
            owed = await post(work, HELLO)
            await asyncio.sleep(0.05)
            return owed

    owed = await asyncio.gather(one(), one())

    assert len([letter for letter in owed if letter is not None]) == 1


async def test_many_are_posted_at_once_and_only_those_that_are_new(cast: Cast, work: Work) -> None:
    posts = [
        Post(kind="hello", dedupe_key=f"hello:{no}", language="en", subscriber=cast.bo.no)
        for no in range(3)
    ]
    await post(work, posts[0])

    assert [letter.dedupe_key for letter in await post_many(work, posts)] == ["hello:1", "hello:2"]
    assert (
        await store.posted_since(work, subscriber=cast.bo.no, kinds=["hello"], since=work.now) == 3
    )
    kinds = [letter.kind for letter in await store.letters_to(work, cast.bo.no)]
    assert kinds[:3] == ["hello", "hello", "hello"]
