"""Saving: questions that are asked again, with a name, and all that they ever asked."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec
from sqlalchemy.exc import IntegrityError

from mailer.audit import actions as audit
from mailer.kit.errors import Conflict, Forbidden, Invalid, NotFound
from mailer.kit.ids import new_uid
from mailer.kit.texts import one_line
from mailer.kit.work import Work
from mailer.segments import asking, store
from mailer.segments.model import Segment, SegmentVersion, name_key
from mailer.segments.tree import Tree, uses


class NameTaken(Invalid):
    """There is a segment of this name already."""


class NothingAsked(Invalid):
    """This asks nothing yet, and nobody would be in it. Say whom you are looking for."""


class SegmentUnknown(NotFound):
    """There is no such segment."""


class SegmentOutOfReach(Forbidden):
    """Somebody else made this segment. Save the question under a name of your own."""


class ChangedMeanwhile(Conflict):
    """Somebody changed this segment after you opened it. Look at what it asks now."""


class SegmentInUse(Conflict):
    """This segment is used by %(users)s. Change that first, or leave the segment as it is."""


class Usage(msgspec.Struct, frozen=True):
    """Something that goes by a segment: what it is called, and its page in the admin area."""

    kind: str  # "campaign"
    name: str
    path: str
    is_over: bool  # nothing of it can change any more; it is shown, and stands in no way


_USERS: list[Callable[[Work, Segment], Awaitable[list[Usage]]]] = []


def is_used_by(ask: Callable[[Work, Segment], Awaitable[list[Usage]]]) -> None:
    """Let this say who goes by a segment; it stands above us, as campaigns do. Twice is once."""
    if ask not in _USERS:
        _USERS.append(ask)


async def save(work: Work, *, name: str, tree: object) -> Segment:
    """Keep a question under a name. Refuses one that asks nothing, or a name that is taken."""
    read = await _read(work, tree)
    name = one_line(name, longest=120, field="name", needed=True)
    segment = Segment(
        uid=new_uid(),
        name=name,
        name_key=name_key(name),
        version=1,
        tree=read,
        made_at=work.now,
        made_by=work.account,
        changed_at=work.now,
    )
    try:
        async with work.session.begin_nested():
            work.session.add(segment)
            await work.session.flush()
    except IntegrityError:
        raise NameTaken(field="name") from None
    await _keep_version(work, segment)
    await audit.note(work, "segment_saved", segment=segment.no)
    return segment


async def revise(work: Work, segment: Segment, *, tree: object, version: int) -> Segment:
    """Ask something else by the same name; what it asked before is kept as a version.

    `version` is the one that was seen: refuses if it was changed meanwhile. The same question again
    is no new version. Campaigns that were counted before keep their people.
    """
    read = await _read(work, tree)
    segment = await _held(work, segment)
    if segment.version != version:
        raise ChangedMeanwhile
    if segment.tree == read:
        return segment
    segment.tree, segment.version, segment.changed_at = read, version + 1, work.now
    await _keep_version(work, segment)
    await audit.note(work, "segment_revised", segment=segment.no, version=segment.version)
    return segment


async def rename(work: Work, segment: Segment, *, name: str) -> Segment:
    """Call a segment something else."""
    name = one_line(name, longest=120, field="name", needed=True)
    segment = await _held(work, segment)
    if segment.name == name:
        return segment
    try:
        async with work.session.begin_nested():
            segment.name, segment.name_key = name, name_key(name)
            await work.session.flush()
    except IntegrityError:
        await work.session.refresh(segment)
        raise NameTaken(field="name") from None
    await audit.note(work, "segment_renamed", segment=segment.no)
    return segment


async def close(work: Work, segment: Segment) -> Segment:
    """Take a segment out of use; its name becomes free. Refuses while something goes by it."""
    segment = await _held(work, segment)
    if segment.closed_at is not None:
        return segment
    standing = [one.name for one in await usages(work, segment) if not one.is_over]
    if standing:
        raise SegmentInUse(users=", ".join(f"“{name}”" for name in standing))
    segment.closed_at = work.now
    segment.name_key = f"{segment.name_key[:80]} {segment.uid}"
    await work.session.flush()
    await audit.note(work, "segment_closed", segment=segment.no)
    return segment


async def versions(work: Work, segment: Segment) -> Sequence[SegmentVersion]:
    """Give all that a segment ever asked, newest first."""
    return await store.versions(work, segment)


async def usages(work: Work, segment: Segment) -> list[Usage]:
    """Give what goes by a segment, for looking at before it is changed."""
    return [one for ask in _USERS for one in await ask(work, segment)]


async def users_of(work: Work, what: tuple[str, int]) -> list[Segment]:
    """Give the segments in use that stand on something of ours: `("tag", 7)`."""
    return [one for one in await store.all_segments(work) if what in uses(one.tree)]


async def _read(work: Work, tree: object) -> Tree:
    read = await asking.read(work, tree)
    if read in ({}, {"all": []}, {"any": []}, {"none": []}):
        raise NothingAsked(field="tree")
    return read


async def _held(work: Work, segment: Segment) -> Segment:
    held = await store.held(work, segment)
    if held is None:
        raise SegmentUnknown
    if not may_change(work, held):
        raise SegmentOutOfReach
    return held


def may_change(work: Work, segment: Segment) -> bool:
    """Say whether the actor may change a segment: with a care for some groups, only their own."""
    return work.scope is None or segment.made_by == work.account


async def _keep_version(work: Work, segment: Segment) -> None:
    work.session.add(
        SegmentVersion(
            segment_no=segment.no,
            version=segment.version,
            tree=segment.tree,
            made_at=work.now,
            made_by=work.account,
        )
    )
    await work.session.flush()
