"""A real Postfix on loopback: Debian's, unpacked, with a configuration and a queue of its own.

It takes what it is given and discards it, save for those whom its access table refuses. Its own log
says what it took, and whether it had to complain of our manners. Its master insists on being root,
and on an owner and a group for its queue that nobody else uses here: `mail` and `games`, which
every Debian has.
"""

import contextlib
import os
import re
import shutil
import signal
import smtplib
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.debian import library_path, unpacked
from tests.support.processes import Kept
from tests.support.rooms import free_port

OWNER, GROUP = "mail", "games"
MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = {root}/usr/sbin
daemon_directory = {root}/usr/lib/postfix/sbin
shlib_directory = {root}/usr/lib/postfix
meta_directory = {folder}
mail_owner = {owner}
setgid_group = {group}
import_environment = LD_LIBRARY_PATH MAIL_CONFIG
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = postfix.test
inet_interfaces = 127.0.0.1
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
enable_long_queue_ids = yes
default_transport = discard:nobody reads this
smtpd_recipient_restrictions = check_recipient_access texthash:{folder}/recipients,
    permit_mynetworks, reject
"""
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
QUEUES = "active bounce corrupt defer deferred flush hold incoming private saved trace".split()
# What it would not have to write of a client that keeps to RFC 5321 and RFC 2920.
COMPLAINT = re.compile(
    r"warning:|fatal:|panic:|error:|improper|non-SMTP|lost connection|timeout after|too many",
)
# That its disk's clock and its own are not in step is no matter of ours.
OF_THE_MACHINE = re.compile(r"file system clock is|resetting file time stamps")


class Postfix:
    """The server; ends and is gone with its context."""

    def __init__(self, refusals: Mapping[str, str] | None = None) -> None:
        """Prepare it; `refusals` are answers by recipient, like `450 4.2.1 not now`."""
        self.root = unpacked("postfix")
        self.port = free_port()
        # Not pytest's folder, which is closed to the owner of the queue.
        self.folder = Path(tempfile.mkdtemp(prefix="rollcall-postfix-"))
        self.folder.chmod(0o755)
        said = {
            "folder": self.folder,
            "root": self.root,
            "port": self.port,
            "owner": OWNER,
            "group": GROUP,
        }
        (self.folder / "main.cf").write_text(MAIN.format(**said))
        (self.folder / "master.cf").write_text(MASTER.format(**said))
        self.refuse(refusals or {})
        self._make_queue()

    def _make_queue(self) -> None:
        queue = self.folder / "queue"
        queue.mkdir()
        (self.folder / "data").mkdir()
        shutil.chown(self.folder / "data", OWNER)
        for name in QUEUES:
            (queue / name).mkdir(mode=0o700)
            shutil.chown(queue / name, OWNER)
        (queue / "pid").mkdir()
        for name, mode in (("public", 0o2710), ("maildrop", 0o1730)):
            (queue / name).mkdir()
            shutil.chown(queue / name, OWNER, GROUP)
            (queue / name).chmod(mode)

    def refuse(self, refusals: Mapping[str, str]) -> None:
        """Say who is refused, and how; it counts when Postfix starts or is told to read it."""
        lines = "".join(f"{address} {answer}\n" for address, answer in refusals.items())
        (self.folder / "recipients").write_text(lines)

    def reload(self) -> None:
        """Read everything again, as `postfix reload` does."""
        os.kill(self.server.pid, signal.SIGHUP)

    def __enter__(self) -> Self:
        self.server = Kept(
            [str(self.root / "usr/lib/postfix/sbin/master"), "-d", "-c", str(self.folder)],
            keeping=["--remove", str(self.folder)],
            log=self.folder / "said",
            environment={"LD_LIBRARY_PATH": library_path(self.root)},
        )
        try:
            self._wait()
        except BaseException:
            self.server.stop()
            raise
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _it: BaseException | None,
        _at: TracebackType | None,
    ) -> None:
        self.server.stop()

    def _wait(self) -> None:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with contextlib.suppress(OSError), smtplib.SMTP("127.0.0.1", self.port) as client:
                client.noop()
                return
            time.sleep(0.05)
        raise TimeoutError(self.log() + (self.folder / "said").read_text())

    def log(self) -> str:
        """Give its own log so far."""
        file = self.folder / "log"
        return file.read_text() if file.exists() else ""

    def taken(self) -> dict[str, str]:
        """Give the Message-IDs of what it has accepted into its queue, by queue id.

        Those are long ones: the short come again within minutes.
        """
        return dict(re.findall(r"cleanup\[\d+\]: (\w+): message-id=<([^@>]+)@", self.log()))

    def delivered(self) -> list[str]:
        """Give the recipients of what it has handed to its transport, one for each time."""
        return re.findall(r"discard\[\d+\]: \w+: to=<([^>]+)>.*status=sent", self.log())

    def complaints(self) -> list[str]:
        """Give the lines of its log that are no praise."""
        lines = self.log().splitlines()
        return [one for one in lines if COMPLAINT.search(one) and not OF_THE_MACHINE.search(one)]
