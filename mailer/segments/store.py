"""Every statement about segments: the saved ones, and who answers to a question."""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Select, bindparam, exists, func, select

from mailer.consent.facets import is_in_reach
from mailer.kit.pages import Page, cut
from mailer.kit.work import Work
from mailer.segments.model import Segment, SegmentVersion, name_key
from mailer.subscribers.model import Subscriber, visible

# --- who answers ----------------------------------------------------------------------------------

SAMPLE = 500


def is_sqlite(work: Work) -> bool:
    """Say whether the questions must be put in the order in which they are best asked."""
    return work.session.get_bind().dialect.name == "sqlite"


async def sizes(work: Work, asked: Sequence[Select[int]]) -> list[int]:
    """Say in which of these so many are of a few hundred people, evenly taken from all.

    Each is looked up in the indexes that the question would be looked up in: a millisecond.
    """
    last = await work.session.scalar(select(func.max(Subscriber.no)).where(visible(work))) or 0
    some = sorted({last * (at + 1) // SAMPLE for at in range(SAMPLE)})
    counts = [
        select(func.count())
        .select_from(one.where(_is_in(one.selected_columns[0], some)).subquery())
        .scalar_subquery()
        for one in asked
    ]
    return list((await work.session.execute(select(*counts))).one())


def _is_in(no: ColumnElement[int], some: Sequence[int]) -> ColumnElement[bool]:
    return no.in_(bindparam(None, some, expanding=True, literal_execute=True))


async def how_many(work: Work, asked: Select[int]) -> int:
    """Count the numbers of a question."""
    people = asked.subquery("answer")
    return await work.session.scalar(select(func.count()).select_from(people)) or 0


async def how_many_and_reachable(work: Work, asked: Select[int]) -> tuple[int, int]:
    """Count the numbers of a question, and those among them who are active."""
    people = asked.cte("answer")
    no = people.columns[0]
    in_reach = select(func.count()).select_from(people).where(is_in_reach(work, no))
    found = await work.session.execute(
        select(
            select(func.count()).select_from(people).scalar_subquery(),
            in_reach.scalar_subquery(),
        )
    )
    all_of_them, some = found.one()
    return all_of_them, some


async def page(work: Work, asked: Select[int], *, after: int, limit: int) -> Page[Subscriber]:
    """Give those who answer in the order of their numbers, after one."""
    found = await work.session.scalars(
        select(Subscriber)
        .where(Subscriber.no.in_(asked), Subscriber.no > after, visible(work))
        .order_by(Subscriber.no)
        .limit(limit + 1)
    )
    return cut(found.all(), limit, lambda one: one.no)


async def which_have(work: Work, asked: Sequence[Select[int]], subscriber_no: int) -> list[bool]:
    """Say in which of these one person is. The caller has asked whether they may see them."""
    if not asked:
        return []
    looked_up = [exists(one.where(one.selected_columns[0] == subscriber_no)) for one in asked]
    found = await work.session.execute(select(*looked_up))
    return [bool(one) for one in found.one()]


# --- saved ----------------------------------------------------------------------------------------


async def all_segments(work: Work) -> Sequence[Segment]:
    """Give the segments that are in use, by name."""
    found = await work.session.scalars(
        select(Segment).where(Segment.closed_at.is_(None)).order_by(Segment.name_key)
    )
    return found.all()


async def by_no(work: Work, no: int) -> Segment | None:
    """Find one by number."""
    return await work.session.get(Segment, no)


async def by_nos(work: Work, nos: Collection[int]) -> dict[int, Segment]:
    """Find several by number, closed ones too."""
    found = await work.session.scalars(select(Segment).where(Segment.no.in_(nos)))
    return {segment.no: segment for segment in found}


async def by_uid(work: Work, uid: str) -> Segment | None:
    """Find one by the name in admin URLs."""
    return await work.session.scalar(select(Segment).where(Segment.uid == uid))


async def by_name(work: Work, name: str) -> Segment | None:
    """Find one by its name, in capitals or not, be it in use or closed."""
    return await work.session.scalar(select(Segment).where(Segment.name_key == name_key(name)))


async def held(work: Work, segment: Segment) -> Segment | None:
    """Read a segment anew and keep others from changing it until this unit of work ends."""
    return await work.session.scalar(
        select(Segment)
        .where(Segment.no == segment.no)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


async def versions(work: Work, segment: Segment) -> Sequence[SegmentVersion]:
    """Give all that a segment ever asked, newest first."""
    found = await work.session.scalars(
        select(SegmentVersion)
        .where(SegmentVersion.segment_no == segment.no)
        .order_by(SegmentVersion.version.desc())
    )
    return found.all()


async def version(work: Work, segment_no: int, number: int) -> SegmentVersion | None:
    """Find what a segment asked at one time."""
    return await work.session.get(SegmentVersion, (segment_no, number))
