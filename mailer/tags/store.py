"""Every question about tags."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.subscribers.model import Subscriber, visible
from mailer.tags.model import Tag, Tagging, tag_key


async def all_tags(work: Work) -> list[tuple[Tag, int]]:
    """Give the open tags by name, each with how many of those whom the actor may see have it."""
    counts = await how_many_have(work)
    return [(tag, counts.get(tag.no, 0)) for tag in await open_tags(work)]


async def open_tags(work: Work) -> Sequence[Tag]:
    """Give the open tags by name, for a form that offers them."""
    found = await work.session.scalars(
        select(Tag).where(Tag.closed_at.is_(None)).order_by(Tag.name_key)
    )
    return found.all()


async def closed_tags(work: Work) -> Sequence[Tag]:
    """Give the tags that nobody can put on people any more."""
    found = await work.session.scalars(
        select(Tag).where(Tag.closed_at.is_not(None)).order_by(Tag.name_key)
    )
    return found.all()


async def how_many_have(work: Work, tag_no: int | None = None) -> dict[int, int]:
    """Count those whom the actor may see who have each tag, or one of them; by its number.

    Who was erased or merged has none, so that for one who may see everybody the index of taggings
    is all that is read.
    """
    counted = select(Tagging.tag_no, func.count()).group_by(Tagging.tag_no)
    if tag_no is not None:
        counted = counted.where(Tagging.tag_no == tag_no)
    if work.scope is not None:
        theirs = select(Subscriber.no).where(visible(work))
        counted = counted.where(Tagging.subscriber_no.in_(theirs))
    return dict((await work.session.execute(counted)).all())


async def by_no(work: Work, no: int) -> Tag | None:
    """Find one by number."""
    return await work.session.get(Tag, no)


async def by_uid(work: Work, uid: str) -> Tag | None:
    """Find one by the name that the outside knows."""
    return await work.session.scalar(select(Tag).where(Tag.uid == uid))


async def by_names(work: Work, names: Collection[str]) -> dict[str, Tag]:
    """Find several by name, closed ones too; give each under its `tag_key`."""
    found = await work.session.scalars(
        select(Tag).where(Tag.name_key.in_({tag_key(name) for name in names}))
    )
    return {tag.name_key: tag for tag in found}


async def names_of(work: Work, nos: Collection[int]) -> dict[int, str]:
    """Give the names of some tags by number."""
    found = await work.session.execute(select(Tag.no, Tag.name).where(Tag.no.in_(nos)))
    return dict(found.all())


async def of(work: Work, subscriber_no: int) -> list[Tag]:
    """Give the tags that somebody has, by name."""
    return (await of_many(work, [subscriber_no])).get(subscriber_no, [])


async def of_many(work: Work, subscriber_nos: Collection[int]) -> dict[int, list[Tag]]:
    """Give the tags of several people, by name; who has none is not in it.

    The caller has asked whether they may see them.
    """
    found = await work.session.execute(
        select(Tagging.subscriber_no, Tag)
        .join(Tag, Tag.no == Tagging.tag_no)
        .where(Tagging.subscriber_no.in_(subscriber_nos))
        .order_by(Tagging.subscriber_no, Tag.name_key)
    )
    theirs: dict[int, list[Tag]] = {}
    for no, tag in found:
        theirs.setdefault(no, []).append(tag)
    return theirs


async def again(work: Work, tag: Tag) -> Tag:
    """Read a tag anew, for changing it."""
    return await work.session.get_one(Tag, tag.no, populate_existing=True)


async def rename(work: Work, tag: Tag, name: str) -> bool:
    """Write a tag's name; False when another tag has it."""
    try:
        async with work.session.begin_nested():
            tag.name, tag.name_key = name, tag_key(name)
            await work.session.flush()
    except IntegrityError:
        await work.session.refresh(tag)
        if (await by_names(work, [name])).get(tag_key(name)) not in {None, tag}:
            return False
        raise
    return True


async def put_on(work: Work, subscriber_nos: Collection[int], tag_no: int) -> list[int]:
    """Put a tag on people; give those who did not have it."""
    rows = [{"subscriber_no": no, "tag_no": tag_no, "since": work.now} for no in subscriber_nos]
    return sorted(one.subscriber_no for one in await add_missing(work, Tagging, rows))


async def take_off(work: Work, subscriber_nos: Collection[int], tag_no: int) -> list[int]:
    """Take a tag off people; give those who had it."""
    ended = await work.session.scalars(
        delete(Tagging)
        .where(Tagging.tag_no == tag_no, Tagging.subscriber_no.in_(subscriber_nos))
        .returning(Tagging.subscriber_no)
        .execution_options(synchronize_session=False)
    )
    return sorted(ended)


async def since(work: Work, subscriber_nos: Collection[int], tag_no: int) -> dict[int, datetime]:
    """Give since when each of several people has a tag. The caller has asked whether they may."""
    found = await work.session.execute(
        select(Tagging.subscriber_no, Tagging.since).where(
            Tagging.tag_no == tag_no, Tagging.subscriber_no.in_(subscriber_nos)
        )
    )
    return dict(found.all())


async def taggings_of(work: Work, subscriber_no: int) -> Sequence[Tagging]:
    """Give somebody's taggings. The caller has asked whether they may."""
    found = await work.session.scalars(
        select(Tagging).where(Tagging.subscriber_no == subscriber_no).order_by(Tagging.tag_no)
    )
    return found.all()
