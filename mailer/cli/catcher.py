"""The catcher: a real SMTP server that keeps every mail in a folder. For the demo alone.

One file a mail, `NNNNNN.eml`, written whole before the server says 250: what is in the folder was
accepted, and what was accepted is in the folder.
"""

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self

from aiosmtpd.smtp import SMTP, Envelope, Session


class Catcher:
    """The server. A context, so that nothing is left listening."""

    def __init__(self, folder: Path) -> None:
        """Keep mails in a folder, which must exist."""
        self.folder = folder
        self.accepted = 0
        self.port = 0

    async def __aenter__(self) -> Self:
        """Listen on a free port of this machine."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="catcher.example.org", ident="Rollcall catcher"),
            "127.0.0.1",
            0,
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _it: BaseException | None,
        _at: TracebackType | None,
    ) -> None:
        """Stop listening."""
        self._server.close()

    # aiosmtpd calls this by name.
    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep one mail and say so. Short enough to be written in the loop itself."""
        self.accepted += 1
        unfinished = self.folder / f".{self.accepted:06}"
        unfinished.write_bytes(envelope.original_content or b"")
        unfinished.replace(self.folder / f"{self.accepted:06}.eml")
        return f"250 2.0.0 kept as {self.accepted:06}"
