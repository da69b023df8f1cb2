"""How fast the roll answers. Run: `python -m bench.roll [--db …] [--size …] [--only …]`.

A roll of a million people with lists, levels, tags, fields, groups, pledges and two campaigns, on
each database: the live count of five typical segments, the people page and the finder, an export of
everybody, and imports of as many lines into that roll and into an empty one, by a process of its
own whose memory is read. Each question prints the plan that the database chose for it.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from typing import Any

import httpx
import structlog
from sqlalchemy import text

from bench.kit import roll
from bench.kit.figures import Report, median, times
from bench.kit.ground import BASE, Ground, ground
from mailer.accounts import store as accounts
from mailer.bootstrap import House
from mailer.exports.files import Format
from mailer.segments import asking
from tests.conftest import CHEAP
from tests.support.signing_in import signed_in
from web.app import make_app

PARTS = ("segments", "pages", "export", "import")
BARS = {  # seconds at a million
    "sqlite": {"segments": 0.100, "pages": 0.050, "export": 60.0, "import": 60.0},
    "postgres": {"segments": 0.150, "pages": 0.050, "export": 60.0, "import": 90.0},
}
SLOWEST = 1.0  # seconds: no segment may take longer

SEGMENTS: dict[str, asking.Tree] = {
    "activists on the bulletin": {
        "all": [
            {"is": "tier", "how": "at_least", "tier": "3"},
            {"is": "list", "list": "1", "state": "confirmed"},
        ]
    },
    "French readers in health, not tagged": {
        "all": [
            {"is": "language", "language": "fr"},
            {"is": "field", "field": "4", "how": "one_of", "values": ["health"]},
            {"not": "tag", "tag": "1"},
        ]
    },
    "stepped up lately, no pledge yet": {
        "all": [
            {"is": "tier_moved", "way": "up", "days": 90},
            {"not": "ask", "how": "pledged", "ask": "1"},
        ]
    },
    "quiet for 90 days, of two branches": {
        "all": [
            {"any": [{"is": "group", "group": "101"}, {"is": "group", "group": "102"}]},
            {"not": "declared", "days": 90},
            {"is": "state", "state": "active"},
        ]
    },
    "missed the last campaign, drives, in the north": {
        "all": [
            {"is": "place", "how": "region", "place": "North"},
            {"is": "field", "field": "6", "how": "yes"},
            {"not": "campaign", "how": "got", "campaign": "1"},
        ]
    },
}


async def timed(
    house: House, rounds: int, what: Callable[[Any], Awaitable[object]]
) -> tuple[list[float], object]:
    """Do something in so many reading units of work, after one that is not counted."""
    taken, found = [], None
    for _ in range(rounds + 1):
        async with house.work(reading=True) as work:
            began = time.perf_counter()
            found = await what(work)
            taken.append(time.perf_counter() - began)
    return taken[1:], found


async def plan(house: House, tree: asking.Tree) -> list[str]:
    """Give the plan of a segment's statement as the database tells it."""
    async with house.work(reading=True) as work:
        asked = await asking.numbers(work, tree)
        bind = work.session.get_bind()
        written = str(asked.compile(bind, compile_kwargs={"literal_binds": True}))
        is_postgres = bind.dialect.name == "postgresql"
        how = "EXPLAIN (COSTS OFF) " if is_postgres else "EXPLAIN QUERY PLAN "
        rows = (
            await work.session.execute(
                text(how + written.replace(":", "\\:")),
                execution_options={"unscoped": "the plan of a statement that says visible"},
            )
        ).all()
        return [str(row[-1]) for row in rows]


def segments(made: Ground, report: Report, how: argparse.Namespace) -> None:
    """Count the five; the count says also how many of them may be written to."""
    bar = BARS[made.kind]["segments"]
    rows, medians = [], []
    for name, tree in SEGMENTS.items():

        async def counted(house: House, tree: asking.Tree = tree) -> tuple[list[float], object]:
            return await timed(house, how.rounds, lambda work: asking.counted(work, tree))

        taken, found = made.do(counted)
        assert isinstance(found, asking.Counted)
        medians.append(median(taken))
        rows.append(
            [
                name,
                f"{found.people:,}",
                f"{median(taken) * 1000:.1f}",
                f"{max(taken) * 1000:.1f}",
            ]
        )

        async def planned(house: House, tree: asking.Tree = tree) -> list[str]:
            return await plan(house, tree)

        for line in made.do(planned):
            report.say(f"    {line}")
    rows.append(
        ["median of the five", "", f"{median(medians) * 1000:.1f}", times(median(medians), bar)]
    )
    report.table(
        ["segment", "people", "ms", "slowest"],
        rows,
        f"{made.kind}: live counts, warm, medians of {how.rounds}; the bar is {bar * 1000:.0f} ms:",
    )


# --- pages ----------------------------------------------------------------------------------------

PAGES = {
    "people, the first page": "/admin/people",
    "people, far down": "/admin/people?after={far}",
    "people of one group": "/admin/people?group=group-1",
    "people on a level": "/admin/people?tier=follower",
    "finder: a name": "/admin/find?q=moreau1",
    "finder: an address": "/admin/find?q=am.500",
    "finder: nobody": "/admin/find?q=qqqq",
}


def pages(made: Ground, report: Report, how: argparse.Namespace) -> None:
    """Ask for whole pages, as somebody who is signed in: session, gate, queries, template."""
    bar = BARS[made.kind]["pages"]

    async def asked(house: House) -> list[list[str]]:
        rows = []
        async with house.work(reading=True) as work:
            amina = await accounts.by_address(work, "amina@war.example.org")
        assert amina
        async with a_client(house) as client:
            await signed_in(client, house, amina)
            for name, path in PAGES.items():
                taken = []
                for _ in range(how.rounds + 1):
                    began = time.perf_counter()
                    answer = await client.get(path.replace("{far}", str(how.size * 9 // 10)))
                    taken.append(time.perf_counter() - began)
                    assert answer.status_code == 200, answer.status_code
                middle = median(taken[1:])
                rows.append([name, f"{middle * 1000:.1f}", times(middle, bar)])
        return rows

    report.table(
        ["page", "ms", "ratio"],
        made.do(asked),
        f"{made.kind}: whole pages, warm, medians of {how.rounds}; the bar is {bar * 1000:.0f} ms:",
    )


@contextlib.asynccontextmanager
async def a_client(house: House) -> AsyncGenerator[httpx.AsyncClient]:
    """Give a client of the application in this process."""
    app: Any = make_app(house, hasher=CHEAP)
    async with (
        app.lifespan(),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url=BASE, headers={"origin": BASE}, timeout=60
        ) as client,
    ):
        yield client


# --- files ----------------------------------------------------------------------------------------


def export(made: Ground, report: Report, how: argparse.Namespace) -> None:
    """Write everybody into a file of each kind."""
    bar = BARS[made.kind]["export"] * how.size / 1_000_000
    rows = []
    for kind in Format:
        file = made.folder / f"out.{kind.value}"
        took, used, held = in_a_process(made, "export", str(file), kind.value)
        octets = file.stat().st_size
        file.unlink()
        rows.append(
            [
                kind.value,
                f"{took:.1f}",
                f"{used:.1f}",
                f"{octets / 1e6:.0f}",
                f"{held:.0f}",
                times(took, bar),
            ]
        )
    report.table(
        ["format", "seconds", "of a processor", "MB", "MiB held", "ratio"],
        rows,
        f"{made.kind}: {how.size:,} people out; the bar is {bar:.0f} s:",
    )


def lines(size: int, first: int) -> Iterator[str]:
    """Give a file of people with a group, a tag and a field each; some have said no."""
    yield "Email,First name,Last name,City,Language,Group,Tags,Sector\n"
    for number in range(first, first + size):
        yield (
            f"line{number}@d{number % 97}.example.org,{roll.FIRST[number % len(roll.FIRST)]},"
            f"Member{number},Town {number % 200},{'fr' if number % 4 == 0 else 'en'},"
            f"Branch {number % 400 + 1},Tag {number % 60 + 1},"
            f"{roll.SECTORS[number % len(roll.SECTORS)]}\n"
        )


def files(made: Ground, report: Report, how: argparse.Namespace, into: str) -> None:
    """Read, judge and apply a file; then again as it is, which changes nothing."""
    bar = BARS[made.kind]["import"] * how.size / 1_000_000
    rows = []
    file = made.folder / "in.csv"
    with file.open("w", encoding="utf-8") as out:
        out.writelines(lines(how.size, 1))
    for again in ("first", "the same again"):
        took, used, held = in_a_process(made, "import", str(file))
        rows.append(
            [f"{into}, {again}", f"{took:.1f}", f"{used:.1f}", f"{held:.0f}", times(took, bar)]
        )
    file.unlink()
    report.table(
        ["into", "seconds", "of a processor", "MiB held", "ratio"],
        rows,
        f"{made.kind}: {how.size:,} lines in, everything counted; the bar is {bar:.0f} s, 200 MiB:",
    )
    report.say(f"    people on the roll now: {made.ask('SELECT count(*) FROM subscriber')[0][0]:,}")


def in_a_process(made: Ground, what: str, *arguments: str) -> tuple[float, float, float]:
    """Do a part in a process of its own.

    Give its seconds, its seconds of a processor, and the most memory it held in MiB.
    """
    began = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-m", "bench.kit.files", what, *arguments],
        env={**os.environ, **made.environment},
        stdout=subprocess.PIPE,
        check=True,
    )
    took = time.perf_counter() - began
    processor, held = map(float, ended.stdout.splitlines()[-1].split())
    return took, processor, held


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", choices=[*BARS, "both"], default="both")
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between")
    how = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    report = Report("roll")
    for kind in BARS if how.db == "both" else [how.db]:
        with ground(kind, 1) as made:
            began = time.perf_counter()
            roll.fill(made, how.size)
            report.say(f"\n{kind}: {how.size:,} people made in {time.perf_counter() - began:.0f} s")
            for part, measure in (("segments", segments), ("pages", pages), ("export", export)):
                if part in how.only:
                    measure(made, report, how)
            if "import" in how.only:
                files(made, report, how, "a full roll")
        if "import" in how.only:
            with ground(kind, 1) as made:
                roll.furnish(made)
                files(made, report, how, "an empty roll")
    report.save()


if __name__ == "__main__":
    main()
