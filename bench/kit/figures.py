"""Tables of figures: printed, and kept in bench/results/ with the date, the commit and the machine.

The last column of a table is the ratio to smtp-source, Postfix's own load generator in C, written
like `1.8x`: figures of two machines cannot be compared, ratios of one interleaved run can.
"""

import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

RESULTS = Path(__file__).parents[1] / "results"


class Report:
    """What one run of a program has to say: on the screen at once, in a file at the end."""

    def __init__(self, name: str) -> None:
        """Begin; `name` is the program's, and the first part of the file's."""
        self.name = name
        self.lines: list[str] = []
        command = " ".join(["python -m bench." + name, *sys.argv[1:]])
        self.say(f"{command}\n{time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}, {machine()}")

    def say(self, words: str = "") -> None:
        """Print and keep a line."""
        print(words, flush=True)
        self.lines.append(words)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
        """Print and keep a table: the first column to the left, figures to the right."""
        widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
        self.say(f"\n{title}" if title else "")
        for row in [head, *rows]:
            first, *others = zip(row, widths, strict=True)
            cells = [first[0].ljust(first[1]), *[cell.rjust(width) for cell, width in others]]
            self.say("  ".join(cells).rstrip())

    def save(self) -> Path:
        """Keep it: `send-2026-11-21T1530-2e7b7f6.txt`. A `+` says that files were changed."""
        RESULTS.mkdir(exist_ok=True)
        when = time.strftime("%Y-%m-%dT%H%M%S", time.gmtime())
        file = RESULTS / f"{self.name}-{when}-{commit()}.txt"
        file.write_text("\n".join(self.lines) + "\n")
        print(f"\nkept in bench/results/{file.name}")
        return file


def commit() -> str:
    """Name the commit that is measured."""

    def git(*arguments: str) -> str:
        said = subprocess.run(
            ["git", *arguments], cwd=RESULTS.parent, capture_output=True, text=True, check=False
        )
        return said.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "..", ":!../bench")
    return (git("rev-parse", "--short", "HEAD") or "no-commit") + ("+" if changed else "")


def machine() -> str:
    """Describe the machine without naming it."""
    kernel = ".".join(platform.release().split(".")[:2])
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return (
        f"commit {commit()}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB,"
        f" {platform.system()} {kernel}, Python {platform.python_version()},"
        f" SQLite {sqlite3.sqlite_version}"
    )


def median(values: Sequence[float]) -> float:
    """Give the middle one: a busy machine counts less than in a mean."""
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value below which so many of a hundred lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))]


def times(value: float, of: float) -> str:
    """Write a ratio."""
    return f"{value / of:.2f}x" if of else "–"
