"""The inbox of the demo: mails as their readers get them, with links that can be followed.

These ways in exist only while `rollcall demo` runs: a page that shows everybody's mail must not be
in any other application, however well it were guarded.
"""

import asyncio
import email
import email.policy
import re
from datetime import datetime
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from litestar import Controller, Response, get
from litestar.enums import MediaType
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from mailer.bootstrap import House
from mailer.kit.errors import NotFound
from web.kit.pages import page
from web.kit.security import public
from web.kit.sessions import Asked, visit_of

SHOWN = 50
# The mail's own document: it may look like a mail and do nothing but let its links be followed.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'none';"
    " base-uri 'none'; frame-ancestors 'self'; sandbox allow-popups"
    " allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
)


class NoSuchMail(NotFound):
    """There is no such mail in the inbox."""


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """One mail, as its reader sees it."""

    name: str
    to: str
    sender: str
    subject: str
    at: datetime | None
    text: str
    html: str
    one_click: str  # the path of the one-click address, empty where a mail has none
    head: list[tuple[str, str]]


class Inbox(Controller):
    """What the catcher of the demo has kept."""

    path = "/demo/inbox"
    opt = public

    @get("/")
    async def newest(self, request: Asked, q: FromQuery[str] = "") -> Template:
        """List the newest mails, or those to somebody."""
        folder = _folder(visit_of(request).house)
        total, mails = await asyncio.to_thread(_newest, folder, q.strip().lower())
        return page(request, "public/inbox/newest.html", mails=mails, q=q, total=total, most=SHOWN)

    @get("/{name:str}")
    async def one(self, request: Asked, name: FromPath[str]) -> Template:
        """Show one mail."""
        return page(request, "public/inbox/mail.html", mail=await _mail(request, name))

    @get("/{name:str}/document")
    async def document(self, request: Asked, name: FromPath[str]) -> Response[str]:
        """Give the HTML part as a document of its own, for the frame."""
        mail = await _mail(request, name)
        # Links open in the window and not in the frame. The part itself is not touched otherwise.
        shown = re.sub(r"(<head[^>]*>)", r'\1<base target="_top">', mail.html, count=1)
        headers = {"content-security-policy": POLICY}
        return Response(shown, media_type=MediaType.HTML, headers=headers)


async def _mail(request: Asked, name: str) -> Mail:
    file = _folder(visit_of(request).house) / f"{name}.eml"
    if not re.fullmatch(r"[0-9]{6,12}", name) or not file.exists():
        raise NoSuchMail
    return await asyncio.to_thread(_read, file)


def _folder(house: House) -> Path:
    return Path(house.settings.demo_inbox)


def _newest(folder: Path, wanted: str) -> tuple[int, list[Mail]]:
    files = sorted(folder.glob("*.eml"), reverse=True)
    found: list[Mail] = []
    for file in files:
        mail = _read(file)
        if wanted in f"{mail.to} {mail.subject}".lower():
            found.append(mail)
        if len(found) == SHOWN:
            break
    return len(files), found


def _read(file: Path) -> Mail:
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    link = re.match(r"<(https?://[^>]+)>", message["List-Unsubscribe"] or "")
    return Mail(
        name=file.stem,
        to=str(message["To"]),
        sender=str(message["From"]),
        subject=str(message["Subject"]),
        at=parsedate_to_datetime(message["Date"]) if message["Date"] else None,
        text=_part(message, "plain"),
        html=_part(message, "html"),
        one_click=urlsplit(link[1]).path if link else "",
        head=[(name, str(value)) for name, value in message.items()],
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part is not None else ""
