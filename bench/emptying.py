"""What it costs to give each test an empty PostgreSQL database. Run: `python -m bench.emptying`.

Medians, so that a busy machine counts less. The last column is the ratio to what the tests do.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial

import psycopg

from tests.support import postgres
from tests.support.databases import EMPTY, TABLES, TEMPLATE, migrated_template

ROUNDS = 30
WRITE = b"INSERT INTO groups (uid, name, name_key, place, made_at) VALUES ('u','n','n','',now())"


def median(before: Callable[[], object], one: Callable[[], object]) -> float:
    """Time one way, in milliseconds."""
    times = []
    for _ in range(ROUNDS):
        before()
        start = time.perf_counter()
        one()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def main() -> None:
    """Measure copying a template, TRUNCATE and DELETE."""
    with postgres.Cluster.start() as cluster:
        migrated_template(cluster.folder)
        with psycopg.connect(postgres.libpq(cluster.folder, "postgres"), autocommit=True) as admin:

            def copy() -> None:
                admin.execute(
                    f"CREATE DATABASE copy_ TEMPLATE {TEMPLATE} STRATEGY WAL_LOG".encode()
                )
                admin.execute("DROP DATABASE copy_")

            figures = {"copy the template, drop it": median(lambda: None, copy)}
        with psycopg.connect(postgres.libpq(cluster.folder, TEMPLATE), autocommit=True) as one:
            names = [name for (name,) in one.execute(TABLES) if name != "alembic_version"]
            quoted = ",".join(f"'{name}'" for name in names)
            listed = ",".join(f'"{name}"' for name in names)
            ways = {
                "TRUNCATE": f"TRUNCATE {listed} RESTART IDENTITY CASCADE".encode(),
                "DELETE (what the tests do)": EMPTY.format(tables=quoted).encode(),
            }
            for name, how in ways.items():
                figures[name] = median(partial(one.execute, WRITE), partial(one.execute, how))
    least = min(figures.values())
    print(f"{len(names)} tables, medians of {ROUNDS}")
    for name, took in figures.items():
        print(f"{name:28} {took:7.1f} ms {took / least:6.1f}x")


if __name__ == "__main__":
    main()
