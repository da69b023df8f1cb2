"""A clock that jumps, for processes that are started with its environment. See clock.c."""

import shutil
import struct
import subprocess
from pathlib import Path

from tests.support.debian import Unavailable

SOURCE = Path(__file__).with_name("clock.c")


class JumpingClock:
    """The time of day of some processes: ours, until it jumps."""

    def __init__(self, folder: Path) -> None:
        """Compile it into a folder; raises `Unavailable` where there is no C compiler."""
        compiler = shutil.which("cc")
        if compiler is None:
            raise Unavailable("A clock that jumps needs a C compiler: apt-get install gcc")
        self.file = folder / "clock"
        self.library = folder / "clock.so"
        self.jump(0)
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-O2", "-Wall", "-o", self.library, SOURCE], check=True
        )

    @property
    def environment(self) -> dict[str, str]:
        """What a process is told so that it has this clock."""
        return {"LD_PRELOAD": str(self.library), "JUMPING_CLOCK": str(self.file)}

    def jump(self, seconds: int) -> None:
        """Be so many seconds ahead of the true time from now on."""
        with self.file.open("r+b" if self.file.exists() else "xb") as file:
            file.write(struct.pack("=q", seconds))  # in place: it is mapped
