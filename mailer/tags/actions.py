"""Making tags, and putting them on people. Repeating any of it changes nothing more."""

from collections.abc import Collection

from mailer.activity import actions as activity
from mailer.audit import actions as audit
from mailer.kit.errors import Conflict, Forbidden, Invalid
from mailer.kit.ids import new_uid
from mailer.kit.rows import add_missing
from mailer.kit.texts import one_line
from mailer.kit.work import Work
from mailer.subscribers import store as subscribers
from mailer.tags import store
from mailer.tags.model import Tag, tag_key

LONGEST = 80

SEPARATORS = ",;"
"""What parts the tags of one person where several are written in a line: none has one inside."""


class TagExists(Conflict):
    """There is a tag of this name already."""


class TagClosed(Conflict):
    """This tag is closed. Somebody who looks after all people can open it again."""


class TagHasSeparator(Invalid):
    """A tag has no comma and no semicolon in it: files would read it as two."""


class TagsOutOfReach(Forbidden):
    """You look after some groups only. Tags are made by those who look after everybody."""


def may_make(work: Work) -> bool:
    """Say whether the actor may make, rename and close tags: they are everybody's."""
    return work.scope is None


async def make(work: Work, *, name: str) -> Tag:
    """Make a tag, or give the one of that name; a closed one is open again."""
    name = _read_name(name)
    standing = (await store.by_names(work, [name])).get(tag_key(name))
    if standing is None:
        _reach(work)
        row = {"uid": new_uid(), "name": name, "name_key": tag_key(name), "made_at": work.now}
        made = await add_missing(work, Tag, [row])
        if made:
            await audit.note(work, "tag_made", tag=made[0].no)
            return made[0]
        standing = (await store.by_names(work, [name]))[tag_key(name)]
    return await reopen(work, standing) if standing.closed_at is not None else standing


async def rename(work: Work, tag: Tag, *, name: str) -> Tag:
    """Give a tag another name; whoever has it keeps it."""
    _reach(work)
    name = _read_name(name)
    tag = await store.again(work, tag)
    if tag.name == name:
        return tag
    if not await store.rename(work, tag, name):
        raise TagExists(field="name")
    await audit.note(work, "tag_renamed", tag=tag.no)
    return tag


async def close(work: Work, tag: Tag) -> Tag:
    """Offer a tag no longer; whoever has it keeps it. Segments are asked before (`segments`)."""
    _reach(work)
    tag = await store.again(work, tag)
    if tag.closed_at is None:
        tag.closed_at = work.now
        await audit.note(work, "tag_closed", tag=tag.no)
    return tag


async def reopen(work: Work, tag: Tag) -> Tag:
    """Offer a closed tag again."""
    _reach(work)
    tag = await store.again(work, tag)
    if tag.closed_at is not None:
        tag.closed_at = None
        await audit.note(work, "tag_reopened", tag=tag.no)
    return tag


async def tag_many(work: Work, subscriber_nos: Collection[int], tag: Tag) -> list[int]:
    """Put a tag on people; give those who are newly tagged. Who may not be seen is left out."""
    if tag.closed_at is not None:
        raise TagClosed(field="tag")
    held = await subscribers.hold_nos(work, subscriber_nos)
    tagged = await store.put_on(work, held, tag.no)
    await activity.record_many(work, tagged, "tagged", tag=tag.no)
    return tagged


async def untag_many(work: Work, subscriber_nos: Collection[int], tag: Tag) -> list[int]:
    """Take a tag off people; give those who had it. Who may not be seen is left out."""
    held = await subscribers.hold_nos(work, subscriber_nos)
    untagged = await store.take_off(work, held, tag.no)
    await activity.record_many(work, untagged, "untagged", tag=tag.no)
    return untagged


def _read_name(typed: str) -> str:
    name = one_line(typed, longest=LONGEST, field="name", needed=True)
    if set(SEPARATORS) & set(name):
        raise TagHasSeparator(field="name")
    return name


def _reach(work: Work) -> None:
    if not may_make(work):
        raise TagsOutOfReach
