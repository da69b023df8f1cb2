"""What a timeline says of somebody's tags, and what becomes of them in a merge or an erasure."""

from mailer.activity.model import Entry
from mailer.activity.record import entry_of, lines
from mailer.kit.i18n import _
from mailer.kit.known import Part
from mailer.kit.orm import Facts
from mailer.kit.work import Work
from mailer.tags import store


async def entries(work: Work, subscriber_no: int) -> list[Entry]:
    """Tell which tags somebody was given and lost."""
    found = await lines(work, subscriber_no, ("tagged", "untagged"))
    names = await store.names_of(work, {line.facts["tag"] for line in found})

    def words(kind: str, tag: int) -> str:
        named = {"tag": names.get(tag, "–")}
        if kind == "tagged":
            return _("Was tagged “%(tag)s”") % named
        return _("Is no longer tagged “%(tag)s”") % named

    return [entry_of(line, {"words": words(line.kind, line.facts["tag"])}) for line in found]


async def repoint(work: Work, from_no: int, to_no: int) -> Facts:
    """Give one person's tags to another; say which they had, and which were new to the other."""
    had = [one.tag_no for one in await store.taggings_of(work, from_no)]
    new = [tag for tag in had if await store.put_on(work, [to_no], tag)]
    await forget(work, from_no)
    return {"had": had, "new": new}


async def restore(work: Work, from_no: int, to_no: int, moved: Facts) -> None:
    """Take a `repoint` back: what was new to the other goes, what the first had comes again."""
    for tag in moved["new"]:
        await store.take_off(work, [to_no], tag)
    for tag in moved["had"]:
        await store.put_on(work, [from_no], tag)


async def forget(work: Work, subscriber_no: int) -> None:
    """Keep no tag of somebody."""
    for one in await store.taggings_of(work, subscriber_no):
        await store.take_off(work, [subscriber_no], one.tag_no)


async def known(work: Work, subscriber_no: int) -> list[Part]:
    """Give the tags that somebody has."""
    had = await store.taggings_of(work, subscriber_no)
    names = await store.names_of(work, {one.tag_no for one in had})
    return [
        Part(
            name="tags",
            table="tagging",
            words=_("Tags that organisers gave you"),
            rows=[{"tag": names.get(one.tag_no), "since": one.since} for one in had],
        )
    ]
