"""Once a year: you are still on the roll. What you get, and how to change it or leave."""

from datetime import timedelta

from mailer.kit.work import Work
from mailer.outbox.actions import Post, post_many
from mailer.tiers.upkeep import store
from mailer.tiers.upkeep.store import Stretch

YEAR = timedelta(days=365)


async def tell_the_next(work: Work, *, after: int, most: int, limit: int) -> Stretch:
    """Owe the letter of the year to the next people who have had none for a year."""
    stretch = await store.not_told_since(work, work.now - YEAR, after=after, limit=limit, most=most)
    if not stretch.people:
        return stretch
    await store.note_told(work, [no for no, _language in stretch.people])
    await post_many(
        work,
        [
            Post(
                kind="yearly",
                dedupe_key=f"yearly:{no}:{work.now:%Y-%m-%d}",
                language=language,
                subscriber=no,
            )
            for no, language in stretch.people
        ],
    )
    return stretch
