"""The short version of everything: `make bench`, under eight minutes. Ends with 1 if one failed.

The long versions are what the README quotes; each program says with --help what it takes.
"""

import os
import subprocess
import sys
import time

SHORT = [
    "send --size 8000 --rounds 2",
    "send --size 8000 --rounds 2 --db postgres --peers none",
    "send --size 5000 --rounds 1 --rtt 20 --peers none",
    "freeze --size 100000 --rounds 1",
    "claim --size 30000",
    "posting --size 20000 --posts 120",
    "faults --size 3000 --kills 3 --outage 3 --on-doubt hold --only kills,stopped,restarted,drops",
]


def main() -> None:
    failed = []
    began = time.monotonic()
    for said in SHORT:
        if "--rtt" in said and os.geteuid() != 0:
            print(f"without {said}: a round trip needs root, to make two network namespaces")
            continue
        at = time.monotonic()
        ended = subprocess.run([sys.executable, "-m", *f"bench.{said}".split()], check=False)
        print(f"({time.monotonic() - at:.0f} s)\n", flush=True)
        if ended.returncode:
            failed.append(said)
    print(f"{(time.monotonic() - began) / 60:.1f} minutes")
    for said in failed:
        print(f"FAILED: {said}")
    raise SystemExit(bool(failed))


if __name__ == "__main__":
    main()
