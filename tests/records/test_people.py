"""Finding people."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.dialects import postgresql, sqlite

from mailer.consent.model import SubscriberState
from mailer.kit.work import Work
from mailer.records import store
from mailer.records.store import how_many_match, people
from mailer.segments import asking
from mailer.segments.asking import Tree
from mailer.subscribers.actions import change_details
from mailer.subscribers.model import Subscriber
from mailer.tiers import actions as tiers
from mailer.tiers.model import Source
from tests import makers as make
from tests.cast import Cast


async def found(work: Work, search: str = "", tree: Tree | None = None) -> list[str]:
    among = None if tree is None else await asking.numbers(work, tree)
    page = await people(work, search=search, among=among)
    matching = await how_many_match(work, search=search, among=among)
    assert matching == store.Matching(len(page.rows))
    return [person.subscriber.first_name for person in page.rows]


async def test_everybody_is_shown_with_where_they_stand(cast: Cast, work: Work) -> None:
    page = await people(work)

    assert [
        (
            person.subscriber.first_name,
            person.tier.slug if person.tier else None,
            [group.name for group in person.groups],
            person.state,
        )
        for person in page.rows
    ] == [
        ("Bo", "supporter", [cast.northgate.name], SubscriberState.ACTIVE),
        ("Chidi", "supporter", [cast.northgate.name], SubscriberState.UNSUBSCRIBED),
        ("Gil", "follower", [cast.harbour.name], SubscriberState.ACTIVE),
        ("Dana", "follower", [], SubscriberState.PENDING),
    ]
    assert page.next_after is None


SEARCHES: list[tuple[str, list[str]]] = [
    ("zoë", ["Zoë"]),
    ("ZOË d", ["Zoë"]),
    ("zoë  d’Arc", ["Zoë"]),
    ("d’arc", ["Zoë"]),
    ("d’arc zo", ["Zoë"]),
    ("maid@", ["Zoë"]),
    ("MAID@München.exa", ["Zoë"]),
    ("maid@xn--mn", ["Zoë"]),
    ("bo", ["Bo"]),
    ("o", []),
    ("arc", []),
    ("%", []),
    ("_", []),
    ("' OR 1=1 --", []),
    ("\U0010ffff", []),
    ("bo\x00", ["Bo"]),
    ("bo\ud800", ["Bo"]),
    ("b" * 5000, []),
    ("d", ["Dana", "Zoë"]),
]


async def test_people_are_found_by_how_name_or_address_begins(cast: Cast, work: Work) -> None:
    zoe = await make.person(work, "Maid@münchen.example")
    await change_details(work, zoe, first_name="Zoë", last_name="d’Arc", city="Lyon", language="fr")
    for search, names in SEARCHES:
        assert await found(work, search) == names, search


async def test_each_word_of_a_name_is_found(cast: Cast, work: Work) -> None:
    ana = await make.person(work, first_name="Ana-María José", last_name="López García")
    for search in ("ana", "maría", "lópez", "garcía", "MARÍA JOSÉ LÓPEZ", "garcía ana"):
        assert await found(work, search) == ["Ana-María José"], search
    await change_details(work, ana, first_name="Ana", last_name="López", city="", language="es")
    assert await found(work, "maría") == []
    assert await found(work, "lópez ana") == ["Ana"]


async def test_a_question_and_a_search_go_together(cast: Cast, work: Work) -> None:
    supporters: Tree = {"is": "tier", "how": "is", "tier": str(cast.supporter.no)}
    harbour: Tree = {"is": "group", "group": str(cast.harbour.no)}
    assert await found(work, tree=supporters) == ["Bo", "Chidi"]
    assert await found(work, tree={"any": [supporters, harbour]}) == ["Bo", "Chidi", "Gil"]
    assert await found(work, "ch", tree=supporters) == ["Chidi"]
    assert await found(work, "ch", tree=harbour) == []


async def test_a_group_organiser_finds_nobody_else(cast: Cast, work: Work) -> None:
    farids = make.seen_by(work, cast.harbour)
    assert await found(farids) == ["Gil"]
    assert await found(farids, "bo") == []
    assert await found(farids, "gil") == ["Gil"]
    assert await found(farids, tree={"everybody": True}) == ["Gil"]
    nobodys = make.seen_by(work)
    assert await found(nobodys) == []


async def test_so_many_that_nobody_reads_them_are_found_as_far_as_one_would(
    cast: Cast, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make.people(work, 12)
    monkeypatch.setattr(store, "MOST_FOUND", 10)
    monkeypatch.setattr(store, "MOST_COUNTED", 14)
    assert await how_many_match(work) == store.Matching(14, is_more=True)
    assert (await how_many_match(work, search="of")).is_more
    assert not (await how_many_match(work, search="bo")).is_more
    assert len((await people(work, search="of")).rows) == 10


async def test_who_types_is_shown_a_few_by_name(cast: Cast, work: Work) -> None:
    for name in ("Bertha", "Basma", "Béla"):
        await make.person(work, first_name=name)
    assert [one.first_name for one in await store.begin_with(work, "b", limit=3)] == [
        "Basma",
        "Bertha",
        "Bo",
    ]
    assert await store.begin_with(work, " ", limit=3) == []
    assert await store.begin_with(make.seen_by(work, cast.harbour), "b", limit=3) == []


async def test_the_last_thing_that_somebody_did_themselves_is_told(cast: Cast, work: Work) -> None:
    await tiers.step(work, cast.bo, cast.follower, source=Source.SELF_LINK)
    await change_details(
        make.by_account(work, cast.amina.no),
        cast.bo,
        first_name="Bo",
        last_name="",
        city="Lund",
        language="en",
    )
    [bo, chidi, *_] = (await people(work)).rows
    assert bo.last_sign
    assert bo.last_sign.kind == "tier_changed"
    assert chidi.last_sign is None


async def test_pages_go_on_after_a_number(cast: Cast, work: Work) -> None:
    first = await people(work, limit=3)
    assert first.next_after is not None
    rest = await people(work, limit=3, after=first.next_after)
    names = [person.subscriber.first_name for person in (*first.rows, *rest.rows)]
    assert names == ["Bo", "Chidi", "Gil", "Dana"]
    assert rest.next_after is None

    among = await asking.numbers(work, {"is": "group", "group": str(cast.northgate.no)})
    page = await people(work, among=among, limit=1)
    assert page.next_after == cast.bo.no
    rest = await people(work, among=among, limit=1, after=cast.bo.no)
    assert [person.subscriber.no for person in rest.rows] == [cast.chidi.no]


# --- plans -----------------------------------------------------------------------------------


async def plan_of(work: Work, search: str) -> str:
    """Ask the database how it would find one page of people."""
    statement = (
        select(Subscriber)
        .where(*store._matching(work, search, None), Subscriber.no > 100)
        .order_by(Subscriber.no)
        .limit(26)
    )
    on_postgres = work.session.get_bind().dialect.name == "postgresql"
    dialect = postgresql.dialect() if on_postgres else sqlite.dialect()  # type: ignore[no-untyped-call]
    words = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    explain = "EXPLAIN" if on_postgres else "EXPLAIN QUERY PLAN"
    connection = await work.session.connection()
    rows = await connection.exec_driver_sql(f"{explain} {words.replace('%', '%%')}")
    return "\n".join(str(row[-1]) for row in rows)


async def a_big_roll(work: Work, cast: Cast) -> str:
    """Fill the roll; give how the name of somebody on it begins."""
    many = await make.people(work, 1500, tier=cast.follower)
    await work.session.execute(text("ANALYZE"))
    if work.session.get_bind().dialect.name == "postgresql":
        # So few rows are read through sooner; what is asked is whether the indexes can serve.
        await work.session.execute(text("SET LOCAL enable_seqscan = off"))
    return many[700].first_name.casefold()


# How SQLite and PostgreSQL say that a range of an index is read.
RANGES = {
    "called_key>? AND called_key<?": "ix_subscriber_called",
    "name_key>? AND name_key<?": "ix_subscriber_name",
    "middle_key>? AND middle_key<?": "ix_subscriber_middle_key",
    "second_key>? AND second_key<?": "ix_subscriber_second_key",
    "address_key>? AND address_key<?": "uq_subscriber_address_key",
}


async def test_every_way_of_finding_goes_by_an_index(cast: Cast, work: Work) -> None:
    begins = await a_big_roll(work, cast)
    on_postgres = work.session.get_bind().dialect.name == "postgresql"

    by_search = await plan_of(work, begins)
    for in_sqlite, in_postgres in RANGES.items():
        assert (in_postgres if on_postgres else in_sqlite) in by_search, by_search
    for plan in (by_search, await plan_of(work, "")):
        # What SQLite scans is the numbers that were found, never a table.
        assert "SCAN subscriber" not in plan, plan
        assert "Seq Scan" not in plan, plan
    assert begins.capitalize() in await found(work, begins)
