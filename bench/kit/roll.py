"""A roll of a size that nobody types in: people, and what is known of each of them.

Subscribers are written by the driver, with names, addresses and marks of their own. Everything else
about them is a statement a table, in which a person's number decides by arithmetic what they have:
the same people with the same facts each time, on both databases. Indexes are made afterwards, as a
restored dump has them: a million in well under a minute.
"""

import contextlib
import dataclasses
import uuid
from collections.abc import Generator, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg

from bench.kit.ground import KEYS, Ground
from mailer.kit.work import clock
from mailer.outbox.model import DeliveryState
from mailer.subscribers.model import Subscriber, mark_of

FIRST = ("Amina", "Bo", "Chidi", "Dana", "Esra", "Farid", "Zoë", "Léa", "Émile", "Noor", "Sam")
LAST = ("Okafor", "Lindqvist", "Moreau", "Silva", "Yilmaz", "Haddad", "O’Brien", "Kowalska", "Ng")
REGIONS = ("North", "South", "East", "West", "Coast", "Hills", "Valley", "Capital", "")
SOURCES = ("Spring fair", "Members’ file 2024", "Strike line", "Website", "Union day", "")

LISTS, TAGS, GROUPS, ASKS = 4, 60, 400, 20
SECTORS = ("transport", "health", "schools", "building", "post", "cleaning")

# One in so many, spread by Knuth's multiplicative hash (The Art of Computer Programming 6.4): the
# same on both databases, and no two of these go together.
_MULTIPLIERS = (2654435761, 2246822519, 3266489917, 668265263, 374761393, 2869860233, 3624381081)


def chance(which: int, of: int = 1000, no: str = "s.no") -> str:
    """Give an expression that is 0 to `of` - 1, evenly, for the number of a person."""
    multiplier = _MULTIPLIERS[which % len(_MULTIPLIERS)]
    spread = f"(({no} + {which * 7919}) * {multiplier} % 4294967296)"
    return f"({spread} / 64 % {of})"


@dataclasses.dataclass(frozen=True)
class Dialect:
    """What the two databases write differently."""

    is_postgres: bool
    now: datetime

    def ago(self, minutes: str) -> str:
        """Give the moment so many minutes before now; `minutes` is an expression."""
        if self.is_postgres:
            return f"TIMESTAMPTZ '{self.now.isoformat()}' - ({minutes}) * INTERVAL '1 minute'"
        now = self.now.strftime("%Y-%m-%d %H:%M:%S")
        return f"strftime('%Y-%m-%d %H:%M:%S.000000', '{now}', '-' || ({minutes}) || ' minutes')"

    def day(self, days: str) -> str:
        """Give the ISO date so many days after today; `days` is an expression."""
        today = self.now.strftime("%Y-%m-%d")
        if self.is_postgres:
            return f"to_char(DATE '{today}' + CAST({days} AS INTEGER), 'YYYY-MM-DD')"
        return f"strftime('%Y-%m-%d', '{today}', ({days}) || ' days')"

    def upto(self, last: int) -> str:
        """Give a table `n` of the numbers from 1."""
        if self.is_postgres:
            return f"generate_series(1, {last}) AS n(number)"
        return (
            f"(WITH RECURSIVE c(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM c"
            f" WHERE number < {last}) SELECT number FROM c) AS n"
        )

    def true(self, condition: str) -> str:
        """Give a condition as a value to be kept."""
        return (
            f"({condition})" if self.is_postgres else f"(CASE WHEN {condition} THEN 1 ELSE 0 END)"
        )

    @property
    def sealed(self) -> str:
        """Give octets that stand for something encrypted."""
        return "decode(repeat('5a', 60), 'hex')" if self.is_postgres else "zeroblob(60)"


def fill(made: Ground, people: int, *, pledges: float = 0.44) -> None:
    """Put so many people on a roll that has its organisation, ladder and first list.

    `pledges` is how many answers to asks each gave on the average.
    """
    speaks = Dialect(made.kind == "postgres", clock().replace(microsecond=0))
    with _without_indexes(made) as session:
        first = session.ask("SELECT coalesce(max(no), 0) + 1 FROM subscriber")[0][0]
        session.write("subscriber", _COLUMNS, _people(first, people, speaks.now))
        for statement in _facts(speaks, first, pledges):
            session.run(statement)
    made.tidy()


def furnish(made: Ground) -> None:
    """Make the lists, tags, fields and groups of such a roll, and nobody."""
    speaks = Dialect(made.kind == "postgres", clock().replace(microsecond=0))
    with _without_indexes(made) as session:
        for statement in _things(speaks):
            session.run(statement)
    made.tidy()


# --- people ---------------------------------------------------------------------------------------

_COLUMNS = (
    "no uid address address_key mark first_name last_name name_key called_key city postcode region"
    " country time_zone source language door joined_at paused_until stopped_at"
).split()


def _people(first: int, people: int, now: datetime) -> Iterator[tuple[Any, ...]]:
    for no in range(first, first + people):
        spread = no * _MULTIPLIERS[0] % 4294967296 >> 4
        first_name, last_name = FIRST[no % len(FIRST)], f"{LAST[spread % len(LAST)]}{spread % 9973}"
        named = Subscriber.keys_of(first_name, last_name)
        address = f"{first_name[:2].lower().replace('é', 'e')}.{no}@d{spread % 50}.example.org"
        region = spread // 7 % len(REGIONS)
        town = spread // 11 % 200
        yield (
            no,
            str(uuid.UUID(int=(0x0190 << 112) + (no << 64) + spread)),
            address,
            address,
            mark_of(KEYS, address),
            first_name,
            last_name,
            named["name_key"],
            named["called_key"],
            f"Town {town}",
            f"N{town} {spread % 9}{'ABCDEFG'[spread % 7]}",
            REGIONS[region],
            "GB" if spread % 5 else "",
            "Europe/London" if spread % 50 == 0 else "",
            SOURCES[spread // 13 % len(SOURCES)],
            _language(spread // 17 % 100),
            ("import", "import", "import", "import", "page", "admin")[spread // 19 % 6],
            now - timedelta(minutes=spread % 2_600_000),
            now + timedelta(days=20) if spread // 23 % 200 == 0 else None,
            now - timedelta(days=20) if spread // 29 % 500 == 0 else None,
        )


def _language(percent: int) -> str:
    return "en" if percent < 70 else "fr" if percent < 90 else "es" if percent < 96 else "de"


# --- what is known of them ------------------------------------------------------------------------


def _facts(speaks: Dialect, first: int, pledges: float) -> Iterator[str]:
    yield from _things(speaks)
    people = f"FROM subscriber s WHERE s.no >= {first}"
    yield from _agreements(speaks, people)
    yield from _steps(speaks, people)
    yield from _notes(speaks, people)
    yield from _deeds(speaks, people, pledges)
    yield from _mail(speaks, first)


def _things(speaks: Dialect) -> Iterator[str]:
    """Make lists, tags, fields, groups, asks and campaigns."""
    at = speaks.ago("2600000")
    name = "'{\"en\": \"' || {what} || ' ' || n.number || '\"}'"
    json = "CAST({} AS jsonb)" if speaks.is_postgres else "{}"

    def said(what: str) -> str:
        return json.format(name.replace("{what}", f"'{what}'"))

    nothing, none = json.format("'{}'"), json.format("'[]'")
    yield (
        "INSERT INTO mailing_list (no, slug, name, about, consent_text, is_public, double_opt_in,"
        " welcome_subject, welcome, landing, made_at)"
        f" SELECT n.number + 1, 'list-' || n.number, {said('List')}, {nothing}, {nothing},"
        f" {speaks.true('1=1')}, {speaks.true('1=1')}, {nothing}, {nothing}, {nothing}, {at}"
        f" FROM {speaks.upto(LISTS - 1)}"
    )
    yield (
        "INSERT INTO tag (no, uid, name, name_key, made_at)"
        f" SELECT n.number, 'tag-' || n.number, 'Tag ' || n.number, 'tag ' || n.number, {at}"
        f" FROM {speaks.upto(TAGS)}"
    )
    choices = json.format(
        "'["
        + ", ".join(f'{{"slug": "{one}", "name": {{"en": "{one}"}}}}' for one in SECTORS)
        + "]'"
    )
    for no, (slug, kind) in enumerate(FIELDS.items(), start=1):
        kept = choices if kind in {"choice", "choices"} else none
        yield (
            "INSERT INTO field (no, slug, kind, name, help, choices, is_public, is_special,"
            " consent_text, threshold, place, made_at)"
            f" SELECT {no}, '{slug}', '{kind}', {said(slug)}, {nothing}, {kept},"
            f" {speaks.true('1=0')}, {speaks.true('1=0')}, {nothing}, 5, {no}, {at}"
            f" FROM {speaks.upto(1)}"
        )
    yield (
        "INSERT INTO groups (no, uid, name, name_key, place, kind, sector, made_at)"
        " SELECT n.number + 100, 'group-' || n.number, 'Branch ' || n.number,"
        " 'branch ' || n.number, '',"
        " CASE n.number % 5 WHEN 0 THEN 'union' WHEN 1 THEN 'chapter' ELSE 'branch' END,"
        f" CASE n.number % 3 WHEN 0 THEN 'transport' WHEN 1 THEN 'health' ELSE '' END, {at}"
        f" FROM {speaks.upto(GROUPS)}"
    )
    yield (
        "INSERT INTO ask (no, uid, title, text, why, minutes, unit, audience, turn, risk, rights,"
        " support_contact, evidence, needs_support, state, made_at, opened_at, version)"
        f" SELECT n.number, 'ask-' || n.number, {said('Ask')}, {nothing}, {nothing},"
        f" n.number * 10, {nothing}, {none}, 'once', {nothing}, {nothing}, '', 'none',"
        f" {speaks.true('1=0')}, 'open', {at}, {at}, 1 FROM {speaks.upto(ASKS)}"
    )
    yield (
        "INSERT INTO campaign (no, uid, slug, kind, name, state, on_doubt, list_no, to_everybody,"
        " tier_nos, in_archive, made_at, left_out, started_at, ended_at, reason, why_urgent,"
        " braked, best_ask, asked, readers)"
        " SELECT n.number, 'campaign-' || n.number, 'campaign-' || n.number, 'newsletter',"
        f" 'Campaign ' || n.number, 'sent', 'hold', 1, {speaks.true('1=1')}, {none},"
        f" {speaks.true('1=1')}, {at}, {nothing}, {speaks.ago('n.number * 14400')},"
        f" {speaks.ago('n.number * 14400 - 600')}, '', '', {nothing},"
        f" {speaks.true('1=1')}, {none}, 0"
        f" FROM {speaks.upto(CAMPAIGNS)}"
    )


FIELDS = {
    "workplace": "text",
    "shifts": "number",
    "renewal": "date",
    "sector": "choice",
    "interests": "choices",
    "drives": "yes_no",
}
CAMPAIGNS = 2


def _agreements(speaks: Dialect, people: str) -> Iterator[str]:
    """Put people on lists, with the evidence, and some of them out of reach."""
    state = (
        f"CASE WHEN {chance(1)} < 880 THEN 'confirmed' WHEN {chance(1)} < 920 THEN 'unconfirmed'"
        " ELSE 'unsubscribed' END"
    )
    for number, share in enumerate((950, 300, 100, 30), start=1):
        yield (
            "INSERT INTO subscription (subscriber_no, list_no, state, asked_at, confirmed_at,"
            f" ended_at) SELECT s.no, {number}, {state}, s.joined_at,"
            f" CASE WHEN {state} <> 'unconfirmed' THEN s.joined_at END,"
            f" CASE WHEN {state} = 'unsubscribed' THEN {speaks.ago(chance(2, 500000))} END"
            f" {people} AND {chance(2 + number)} < {share} ORDER BY s.no"
        )
    yield (
        "INSERT INTO consent_record (subscriber_no, list_no, purpose, controller, channel, given,"
        " wording, language, door, at) SELECT s.no, 1, 'bulletin', 'Workers Against Racism',"
        f" 'email', {speaks.true('1=1')}, 'Yes, you may email me.', s.language, s.door, s.joined_at"
        f" {people} AND {chance(3)} < 950 ORDER BY s.no"
    )
    yield (
        f"INSERT INTO suppression (mark, reason, at, door) SELECT s.mark, 'imported',"
        f" {speaks.ago('100000')}, 'import' {people} AND {chance(4)} < 8"
    )


def _steps(speaks: Dialect, people: str) -> Iterator[str]:
    """Put people on levels, some of whom have moved."""
    tier = (
        f"CASE WHEN {chance(5)} < 600 THEN 1 WHEN {chance(5)} < 880 THEN 2"
        f" WHEN {chance(5)} < 980 THEN 3 ELSE 4 END"
    )
    yield (
        "INSERT INTO chosen_tier (subscriber_no, tier_no, since)"
        f" SELECT s.no, {tier}, s.joined_at {people} ORDER BY s.no"
    )
    columns = "subscriber_no, from_no, to_no, source, door, reason, made_at"
    yield (
        f"INSERT INTO tier_change ({columns}) SELECT s.no, NULL, {tier}, 'import', 'import', '',"
        f" s.joined_at {people} ORDER BY s.no"
    )
    moved = f"{people} AND {chance(5)} >= 600 AND {chance(6)} < 400 ORDER BY s.no"
    yield (
        f"INSERT INTO tier_change ({columns}) SELECT s.no, 1, {tier}, 'self_link', 'email', '',"
        f" {speaks.ago(chance(6, 1000000))} {moved}"
    )


def _notes(speaks: Dialect, people: str) -> Iterator[str]:
    """Write down tags, fields, groups and telephones."""
    for tag in range(1, TAGS + 1):
        yield (
            f"INSERT INTO tagging (subscriber_no, tag_no, since) SELECT s.no, {tag}, s.joined_at"
            f" {people} AND {chance(tag)} < {max(200 // tag, 1)} ORDER BY s.no"
        )
    sector = (
        "CASE "
        + " ".join(f"WHEN {{}} = {at} THEN '{one}'" for at, one in enumerate(SECTORS))
        + " END"
    )
    sectors = {which: sector.replace("{}", chance(which, len(SECTORS))) for which in (8, 9, 10)}
    values = [
        (1, 400, f"'Depot ' || {chance(11, 5000)}", "NULL"),
        (2, 300, f"CAST({chance(12, 60)} AS TEXT)", chance(12, 60)),
        (3, 300, speaks.day(f"{chance(13, 730)} - 365"), "NULL"),
        (4, 500, sectors[8], "NULL"),
        (5, 600, sectors[9], "NULL"),
        (6, 250, f"CASE WHEN {chance(14, 3)} = 0 THEN 'no' ELSE 'yes' END", "NULL"),
    ]
    for field, share, value, number in values:
        yield (
            f"INSERT INTO field_value (subscriber_no, field_no, value, number)"
            f" SELECT s.no, {field}, {value}, {number} {people}"
            f" AND {chance(15 + field)} < {share} ORDER BY s.no"
        )
    yield (
        "INSERT INTO field_value (subscriber_no, field_no, value) SELECT s.no, 5,"
        f" {sectors[10]} {people} AND {chance(20)} < 600 AND {chance(22)} < 300"
        f" AND {sectors[10]} <> {sectors[9]} ORDER BY s.no"
    )
    role = (
        f"CASE WHEN {chance(23)} < 30 THEN 'rep' WHEN {chance(23)} < 40 THEN 'officer'"
        " ELSE 'member' END"
    )
    yield (
        "INSERT INTO membership (subscriber_no, group_no, since, role) SELECT s.no,"
        f" 101 + {chance(24, GROUPS)}, s.joined_at, {role} {people} AND {chance(25)} < 550"
        " ORDER BY s.no"
    )
    yield (
        "INSERT INTO phone (subscriber_no, sealed, mark, best_time, never_call, at) SELECT s.no,"
        f" {speaks.sealed}, s.mark, '', {speaks.true(f'{chance(26)} < 50')}, s.joined_at {people}"
        f" AND {chance(27)} < 120 ORDER BY s.no"
    )


def _deeds(speaks: Dialect, people: str, pledges: float) -> Iterator[str]:
    """Let people say yes, do things, and be heard of."""
    state = (
        f"CASE {chance(28, 5)} WHEN 0 THEN 'pledged' WHEN 1 THEN 'pledged' WHEN 2 THEN 'withdrawn'"
        " ELSE 'done' END"
    )
    done_at = speaks.ago(chance(29, 400000))
    made_at = speaks.ago(f"400000 + {chance(30, 200000)}")
    # The first ask is three times as popular as each of the others.
    share = pledges * 1000 / (ASKS + 2)
    for ask in range(1, ASKS + 1):
        yield (
            "INSERT INTO pledge (subscriber_no, ask_no, state, made_at, done_at, times, door,"
            " is_our_day, is_answered, reminders, campaign_no)"
            f" SELECT s.no, {ask}, {state}, {made_at},"
            f" CASE WHEN {state} = 'done' THEN {done_at} END,"
            f" CASE WHEN {state} = 'done' THEN 1 ELSE 0 END, 'email', FALSE, TRUE, 0,"
            f" CASE WHEN {chance(36, 3)} > 0 THEN {ask % CAMPAIGNS + 1} END {people}"
            f" AND {chance(31 + ask)} < {share * (3 if ask == 1 else 1):.0f} ORDER BY s.no"
        )
    nothing = "CAST('{}' AS jsonb)" if speaks.is_postgres else "'{}'"
    yield (
        "INSERT INTO pledge_change (pledge_no, subscriber_no, to_state, at, door, before,"
        " keeps_words) SELECT p.no, p.subscriber_no, 'pledged', p.made_at, p.door,"
        f" {nothing}, FALSE FROM pledge p"
        " ORDER BY p.no"
    )
    yield (
        "INSERT INTO pledge_change (pledge_no, subscriber_no, from_state, to_state, at, door,"
        " before, keeps_words) SELECT p.no, p.subscriber_no, 'pledged', p.state,"
        f" {made_at}, p.door, {nothing}, FALSE FROM pledge p"
        " JOIN subscriber s ON s.no = p.subscriber_no WHERE p.state <> 'pledged' ORDER BY p.no"
    )
    for door, share, minutes in (
        ("import", 1000, "2600000"),
        ("email", 250, chance(32, 900000)),
        ("page", 120, chance(33, 900000)),
    ):
        yield (
            "INSERT INTO activity (subscriber_no, kind, at, door, facts) SELECT s.no, 'joined',"
            f" {speaks.ago(minutes)}, '{door}', {nothing} {people} AND {chance(34)} < {share}"
            " ORDER BY s.no"
        )


def _mail(speaks: Dialect, first: int) -> Iterator[str]:
    """Send campaigns to the first list."""
    sent, refused, skipped = DeliveryState.SENT, DeliveryState.REFUSED, DeliveryState.SKIPPED
    fate = chance(35, no="s.subscriber_no")
    for campaign in range(1, CAMPAIGNS + 1):
        yield (
            "INSERT INTO delivery (campaign_no, run, subscriber_no, state, attempt, at, reply)"
            f" SELECT {campaign}, 1, s.subscriber_no, CASE WHEN {fate} < 990 THEN {sent:d}"
            f" WHEN {fate} < 994 THEN {refused:d} ELSE {skipped:d} END, 1,"
            f" {speaks.ago(f'{campaign} * 14400')},"
            f" CASE WHEN {fate} >= 994 THEN 'paused' END FROM subscription s"
            f" WHERE s.list_no = 1 AND s.state = 'confirmed' AND s.subscriber_no >= {first}"
            " ORDER BY s.subscriber_no"
        )
        asks = f"{chance(37 + campaign, ASKS, 's.subscriber_no')} + 1"
        yield (
            "INSERT INTO offer (campaign_no, subscriber_no, ask_no, at)"
            f" SELECT {campaign}, s.subscriber_no, {asks}, {speaks.ago(f'{campaign} * 14400')}"
            " FROM subscription s WHERE s.list_no = 1 AND s.state = 'confirmed'"
            f" AND s.subscriber_no >= {first} ORDER BY s.subscriber_no"
        )
        yield (
            "INSERT INTO offer_tally (campaign_no, ask_no, count, at)"
            " SELECT campaign_no, ask_no, count(*), max(at) FROM offer"
            f" WHERE campaign_no = {campaign} GROUP BY campaign_no, ask_no"
        )


# --- the driver -----------------------------------------------------------------------------------


class _Session:
    """One transaction at the driver."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._connection.execute(statement).fetchall()
        return found

    def run(self, statement: str) -> None:
        self._connection.execute(statement)

    def write(self, table: str, columns: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> None:
        marks = ", ".join("?" * len(columns))
        self._connection.executemany(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})",
            ([_plain(value) for value in row] for row in rows),
        )


class _Postgres(_Session):
    def write(self, table: str, columns: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> None:
        copy = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
        with self._connection.cursor().copy(copy) as into:
            for row in rows:
                into.write_row(row)
        self.run(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'no'), (SELECT max(no) FROM {table}))"
        )


def _plain(value: Any) -> Any:
    """Write a moment as SQLAlchemy does on SQLite."""
    return value.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value


@contextlib.contextmanager
def _without_indexes(made: Ground) -> Generator[_Session]:
    """Give a transaction in which plain indexes are away; they are made again at its end."""
    if made.kind == "sqlite":
        with contextlib.closing(made.sqlite()) as file:
            file.execute("PRAGMA foreign_keys = OFF")
            file.execute("PRAGMA cache_size = -1000000")
            # What was counted while there was nobody would have each join scan everybody.
            file.execute("DELETE FROM sqlite_stat1")
            file.execute("ANALYZE sqlite_master")
            file.execute("BEGIN")
            found = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
            indexes = file.execute(found).fetchall()
            for name, _sql in indexes:
                file.execute(f"DROP INDEX {name}")
            yield _Session(file)
            for _name, sql in indexes:
                file.execute(sql)
            file.execute("COMMIT")
        return
    with psycopg.connect(made.libpq) as session:
        session.execute("SET maintenance_work_mem = '512MB'")
        session.execute("SET session_replication_role = replica")  # keys are looked up by nobody
        indexes = session.execute(
            "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i"
            " JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace s ON s.oid = t.relnamespace"
            " WHERE s.nspname = 'public' AND NOT i.indisprimary AND NOT EXISTS"
            " (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)"
        ).fetchall()
        for name, _sql in indexes:
            session.execute(f"DROP INDEX {name}".encode())
        yield _Postgres(session)
        for _name, sql in indexes:
            session.execute(sql.encode())
