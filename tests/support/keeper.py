"""Keep a process, and its folder, only as long as whoever asked for it lives.

Standard input is a pipe whose other end the tests hold. However they end (done, Ctrl-C, SIGKILL)
the kernel closes it, we read the end, stop the process and remove the folder. This is a script
of its own and imports nothing of ours.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import threading
from typing import NoReturn

PATIENCE = 10


def main() -> NoReturn:
    """Start, say the process number, wait, tidy up."""
    wanted = _arguments()
    as_user = (
        {"user": wanted.user, "group": wanted.group, "extra_groups": []} if wanted.user else {}
    )
    with open(wanted.log, "ab") if wanted.log else open(os.devnull, "wb") as log:
        process = subprocess.Popen(
            wanted.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            **as_user,
        )
        print(process.pid, flush=True)
        threading.Thread(
            target=_end_with_caller, args=(process, wanted.signal), daemon=True
        ).start()
        ended = process.wait()
    if wanted.remove:
        sys.stdin.buffer.read()  # the folder stays until the caller is done with it
        shutil.rmtree(wanted.remove, ignore_errors=True)
    # Not by returning: the thread still reads, and the interpreter would wait for it and abort.
    os._exit(ended if ended >= 0 else 128 - ended)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--user", type=int)
    parser.add_argument("--group", type=int)
    parser.add_argument("--log")
    parser.add_argument("--remove")
    parser.add_argument("--signal", default="SIGTERM")
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def _end_with_caller(process: "subprocess.Popen[bytes]", name: str) -> None:
    sys.stdin.buffer.read()
    process.send_signal(signal.Signals[name])
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()


if __name__ == "__main__":
    main()
