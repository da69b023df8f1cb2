"""Finding people."""

from sqlalchemy import text
from sqlalchemy.dialects import postgresql, sqlite

from mailer.consent import actions as consent
from mailer.consent import store as consents
from mailer.consent.model import SubscriberState
from mailer.kit.work import Work
from mailer.records import store
from mailer.records.store import how_many_match, people
from mailer.subscribers.actions import change_details
from tests import makers as make
from tests.cast import Cast


async def found(work: Work, search: str = "", **filters: int) -> list[str]:
    page = await people(work, search=search, **filters)
    number = await how_many_match(
        work,
        search=search,
        **{name: no for name, no in filters.items() if name.endswith("_no")},
    )
    assert number == len(page.rows)
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


async def test_filters_and_search_go_together(cast: Cast, work: Work) -> None:
    supporters, northgate = cast.supporter.no, cast.northgate.no
    bulletin = cast.bulletin.no
    assert await found(work, tier_no=supporters) == ["Bo", "Chidi"]
    assert await found(work, group_no=northgate) == ["Bo", "Chidi"]
    assert await found(work, list_no=bulletin) == ["Bo", "Gil"]
    assert await found(work, tier_no=supporters, list_no=bulletin) == ["Bo"]
    assert await found(work, tier_no=supporters, group_no=northgate, list_no=bulletin) == ["Bo"]
    assert await found(work, "ch", tier_no=supporters, group_no=northgate) == ["Chidi"]
    assert await found(work, "ch", list_no=bulletin) == []


async def test_a_group_organiser_finds_nobody_else(cast: Cast, work: Work) -> None:
    farids = make.seen_by(work, cast.harbour)
    assert await found(farids) == ["Gil"]
    assert await found(farids, "bo") == []
    assert await found(farids, "gil") == ["Gil"]
    assert await found(farids, group_no=cast.northgate.no) == []
    nobodys = make.seen_by(work)
    assert await found(nobodys) == []


async def test_pages_go_on_after_a_number(cast: Cast, work: Work) -> None:
    first = await people(work, limit=3)
    assert first.next_after is not None
    rest = await people(work, limit=3, after=first.next_after)
    names = [person.subscriber.first_name for person in (*first.rows, *rest.rows)]
    assert names == ["Bo", "Chidi", "Gil", "Dana"]
    assert rest.next_after is None

    page = await people(work, tier_no=cast.supporter.no, limit=1)
    assert page.next_after == cast.bo.no
    rest = await people(work, tier_no=cast.supporter.no, limit=1, after=cast.bo.no)
    assert [person.subscriber.no for person in rest.rows] == [cast.chidi.no]


# --- plans -----------------------------------------------------------------------------------


async def plan_of(work: Work, **filters: object) -> str:
    """Ask the database how it would find one page of people."""
    no, matching = store._matching(
        work,
        str(filters.get("search", "")),
        filters.get("tier_no"),  # type: ignore[arg-type]
        filters.get("group_no"),  # type: ignore[arg-type]
        filters.get("list_no"),  # type: ignore[arg-type]
    )
    statement = matching.where(no > 100).order_by(no).limit(26)
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
    few = await make.people(work, 30, tier=cast.activist, group=cast.harbour)
    alerts = await make.mailing_list(work)
    await consent.agree_many(work, [one.no for one in few], alerts, wording="Yes.", language="en")
    await work.session.execute(text("ANALYZE"))
    if work.session.get_bind().dialect.name == "postgresql":
        # So few rows are read through sooner; what is asked is whether the indexes can serve.
        await work.session.execute(text("SET LOCAL enable_seqscan = off"))
    return many[700].first_name.casefold()


# How SQLite and PostgreSQL say that a range of an index is read.
RANGES = {
    "called_key>? AND called_key<?": "ix_subscriber_called",
    "name_key>? AND name_key<?": "ix_subscriber_name",
    "address_key>? AND address_key<?": "uq_subscriber_address_key",
}


async def test_every_way_of_finding_goes_by_an_index(cast: Cast, work: Work) -> None:
    begins = await a_big_roll(work, cast)
    on_postgres = work.session.get_bind().dialect.name == "postgresql"
    bulletin, alerts = (one.no for one in await consents.lists(work))

    by_search = await plan_of(work, search=begins)
    for in_sqlite, in_postgres in RANGES.items():
        assert (in_postgres if on_postgres else in_sqlite) in by_search, by_search
    for filters, index in (
        ({"tier_no": cast.activist.no}, "ix_chosen_tier_tier_no"),
        ({"group_no": cast.harbour.no}, "ix_membership_group_no"),
        ({"list_no": alerts}, "ix_subscription_audience"),
    ):
        plan = await plan_of(work, **filters)
        assert index in plan, plan
    for plan in (by_search, await plan_of(work), await plan_of(work, list_no=bulletin)):
        assert "SCAN" not in plan, plan
        assert "Seq Scan" not in plan, plan
    assert begins.capitalize() in await found(work, begins)
