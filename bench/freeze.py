"""How long it takes to freeze a campaign. Run: `python -m bench.freeze [--db …] [--size …]`.

The bar is about the rows: one `INSERT … SELECT` over list, consent, suppression and level, with its
commit. The whole review is measured too: it compiles the newsletter, proves it, and counts by
reason those who are left out.
"""

import argparse
import time

from bench.kit.figures import Report, median, times
from bench.kit.ground import drafted, ground, reviewed
from mailer.bootstrap import House
from mailer.deliveries import store

BARS = {"sqlite": 0.6, "postgres": 5.0}  # seconds for a million people


async def rows(house: House) -> float:
    """Write the rows of a campaign and take them away again: seconds of the writing."""
    campaign = await drafted(house)
    began = time.perf_counter()
    async with house.work() as work:
        await store.freeze(work, campaign, store.Chosen())
    took = time.perf_counter() - began
    async with house.work() as work:
        await store.drop_rows(work, campaign)
    return took


async def review(house: House) -> float:
    """Freeze a campaign as organisers do: seconds of everything."""
    campaign = await drafted(house)
    began = time.perf_counter()
    await reviewed(house, campaign)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", choices=[*BARS, "both"], default="both")
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    how = parser.parse_args()
    report = Report("freeze")
    table = []
    for kind in BARS if how.db == "both" else [how.db]:
        bar = BARS[kind] * how.size / 1_000_000
        with ground(kind, how.size) as on:
            taken: dict[str, list[float]] = {"rows": [], "review": []}
            for _ in range(how.rounds):
                for name, one in (("rows", rows), ("review", review)):
                    taken[name].append(on.do(one))
                    on.tidy()
        table += [
            [f"{kind}, {name}", f"{median(found):.2f}", f"{bar:.2f}", times(median(found), bar)]
            for name, found in taken.items()
        ]
    report.table(
        ["what", "seconds", "bar of the rows", "ratio"],
        table,
        f"{how.size:,} people, medians of {how.rounds}; ratio to the bar:",
    )
    report.save()


if __name__ == "__main__":
    main()
