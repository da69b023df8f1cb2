"""A relay that is far away: two network namespaces with so many milliseconds between them.

The kernel's own delay (netem) is used where it is there. Where it is not, two TUN devices and a
process between them stand in for it: it carries IP packets and hands each on half a round trip
later. TCP runs end to end in both, with its windows, Nagle and delayed acknowledgements; that is
why this is not a proxy, which would end the connections in the middle and hide what they cost.
Needs root, as everything does that makes a network. 1500 octets a packet.
"""

import contextlib
import dataclasses
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Generator, Sequence

FAR = "10.213.7.2"
NEAR = "10.213.7.1"

_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_LONGEST_PACKET = 65_536


@dataclasses.dataclass(frozen=True)
class Distance:
    """Prefixes of commands that run near and far, and how the distance is made."""

    near: Sequence[str]
    far: Sequence[str]
    how: str


@contextlib.contextmanager
def distance(milliseconds: float) -> Generator[Distance]:
    """Lay a line of so many milliseconds round trip."""
    if os.geteuid() != 0:
        raise SystemExit("A round trip needs root, to make two network namespaces.")
    near, far = (f"rollcall-{name}-{os.getpid()}" for name in ("near", "far"))
    with contextlib.ExitStack() as stack:
        for space in (near, far):
            _ip("netns", "add", space)
            stack.callback(_ip, "netns", "del", space)
            _ip("-n", space, "link", "set", "lo", "up")
        if _delay_of_the_kernel(near, far, milliseconds):
            how = "netem"
        else:
            stack.enter_context(_carrier(near, far, milliseconds))
            how = "TUN stand-in for netem"
        yield Distance(("ip", "netns", "exec", near), ("ip", "netns", "exec", far), how)


def _delay_of_the_kernel(near: str, far: str, milliseconds: float) -> bool:
    _ip("-n", near, "link", "add", "line", "type", "veth", "peer", "name", "line", "netns", far)
    for space, address in ((near, NEAR), (far, FAR)):
        tried = subprocess.run(
            [
                "ip",
                "netns",
                "exec",
                space,
                "tc",
                "qdisc",
                "add",
                "dev",
                "line",
                "root",
                "netem",
                "limit",
                "100000",
                "delay",
                f"{milliseconds / 2}ms",
            ],
            capture_output=True,
            check=False,
        )
        if tried.returncode:
            _ip("-n", near, "link", "del", "line")
            return False
        _ip("-n", space, "addr", "add", f"{address}/24", "dev", "line")
        _ip("-n", space, "link", "set", "line", "up")
    return True


@contextlib.contextmanager
def _carrier(near: str, far: str, milliseconds: float) -> Generator[None]:
    names = [f"rc{place}{os.getpid()}" for place in ("n", "f")]
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.kit.distance", str(milliseconds / 2000), *names],
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout
        process.stdout.readline()  # the devices are there
        for space, name, here, there in ((near, names[0], NEAR, FAR), (far, names[1], FAR, NEAR)):
            _ip("link", "set", name, "netns", space)
            _ip("-n", space, "addr", "add", here, "peer", there, "dev", name)
            _ip("-n", space, "link", "set", name, "mtu", "1500", "txqueuelen", "10000", "up")
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


# --- the process between them ---------------------------------------------------------------------


def _device(name: str) -> int:
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    wish = struct.pack("16sH14x", name.encode(), _IFF_TUN | _IFF_NO_PI)
    fcntl.ioctl(descriptor, _TUNSETIFF, wish)
    return descriptor


def carry(seconds: float, names: Sequence[str]) -> None:
    """Hand each packet on so many seconds later, in the order they came."""
    near, far = (_device(name) for name in names)
    print("ready", flush=True)
    ways = {near: (far, deque[tuple[float, bytes]]()), far: (near, deque[tuple[float, bytes]]())}
    while True:
        due = min((line[0][0] for _, line in ways.values() if line), default=None)
        wait = None if due is None else max(0.0, due - time.monotonic())
        readable, _, _ = select.select(list(ways), [], [], wait)
        for source in readable:
            with contextlib.suppress(BlockingIOError):
                while True:
                    packet = os.read(source, _LONGEST_PACKET)
                    ways[source][1].append((time.monotonic() + seconds, packet))
        now = time.monotonic()
        for target, line in ways.values():
            while line and line[0][0] <= now:
                with contextlib.suppress(OSError):  # a device that is going down
                    os.write(target, line.popleft()[1])


if __name__ == "__main__":
    carry(float(sys.argv[1]), sys.argv[2:])
