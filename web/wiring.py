"""Where a request becomes a visit, and then a unit of work."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping

import structlog
from litestar import Request, Response
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, HTTPResponseStartEvent, HTTPScope, Message, Receive, Scope, Send

from mailer.accounts.model import Account, Power
from mailer.accounts.passwords import Hasher
from mailer.accounts.signing_in import Guess, note_guess
from mailer.bootstrap import House
from mailer.groups import store as groups
from mailer.kit.i18n import LANGUAGES, known, speaking
from mailer.kit.work import Door, Work
from mailer.organisation import store as organisation
from mailer.organisation.model import THE_ONE, Organisation
from mailer.subscribers import store as subscribers
from mailer.tiers import store as tiers
from web.kit.errors import note_fault
from web.kit.security import SAFE, account_of, way_in
from web.kit.sessions import (
    Asked,
    Care,
    Connection,
    Display,
    Visit,
    no_notice_cookie,
    read_notice,
    visit_of,
)
from web.kit.statics import FOR_A_DAY, FOR_A_YEAR

log = structlog.get_logger()

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)


SENT_WITHIN = 60.0  # seconds for a whole form: 20 MB of a file in it at 3 Mbit/s


async def begin_work(request: Asked) -> AsyncGenerator[Work]:
    """Open a unit of work: read-only for methods that may not change facts.

    Anybody who was let through the gate to the admin area works within their scope; on public pages
    there is no scope, since there only a token says who is meant. A wrong code undoes all else that
    the unit did, and is noted after it.
    """
    visit = visit_of(request)
    account = visit.account
    if request.method not in SAFE:
        await read_whole(request)
    try:
        async with visit.house.work(
            reading=request.method in SAFE,
            scope=visit.scope,
            account=account.no if account else None,
            door=Door.ADMIN if account else Door.PAGE,
        ) as work:
            yield work
    except Guess as guess:
        async with visit.house.work() as work:
            await note_guess(work, guess)
        raise


async def read_whole(request: Asked) -> None:
    """Read what was sent before anything is locked: Litestar keeps the form for the handler.

    Whoever sends slowly, or never ends, keeps their own connection and nobody else waiting.
    """
    try:
        async with asyncio.timeout(SENT_WITHIN):
            await request.form()
    except TimeoutError:
        raise HTTPException(status_code=408) from None


async def note_what_waits(request: Asked) -> None:
    """Count what the menu shows as waiting, and whom an account with a scope looks after.

    Every whole page says both: also the one that answers a form that was refused.
    """
    visit = visit_of(request)
    if visit.account is None or not visit.is_inside or request.headers.get("hx-request"):
        return
    if visit.account.may(Power.SEE_PEOPLE):
        async with visit.house.work(reading=True, scope=visit.scope) as work:
            visit.waiting["people"] = len(await tiers.open_requests(work))
            if work.scope is not None:
                names = await groups.names_of(work, work.scope)
                visit.care = Care(
                    tuple(sorted(names.values(), key=str.casefold)),
                    await subscribers.how_many(work),
                )


async def provide_account(request: Asked) -> Account:
    """Give the account that is signed in."""
    return account_of(request)


def nameless() -> Organisation:
    """Stand in where the organisation is not read: on no page, or on the page that says why."""
    return Organisation(
        no=THE_ONE,
        name="Rollcall",
        postal_address="",
        colour="",
        language=LANGUAGES[0],
        headline={},
        lede={},
    )


LONGEST_PATH = 1000
NOWHERE = "/-"  # no route has it


class Entrance:
    """Stands around the whole application: also round what no route answers.

    Before: who asks in which language, and what the organisation is called. After: the headers that
    every answer carries, and one line in the log without anything that is in paths or addresses.
    """

    def __init__(self, house: House, hasher: Hasher, app: ASGIApp) -> None:
        """Stand before an application."""
        self.house = house
        self.hasher = hasher
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        began = time.monotonic()
        _tidy(scope)
        visit = await self._visit(scope)
        scope["state"]["visit"] = visit
        status = 0

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(scope, message, visit)
            await send(message)

        asking = Connection(scope)
        spoken = choose_language(
            asking.cookies, asking.headers.get("accept-language", ""), visit.organisation.language
        )
        with speaking(spoken):
            try:
                await self.app(scope, receive, sent)
            except Exception as fault:
                if status:
                    raise
                # Not even the page that says what went wrong could be made.
                broken = Response(note_fault(fault, way_in(scope)), media_type="text/html")
                broken.status_code = 500
                await broken.to_asgi_response(None, Request(scope))(scope, receive, sent)
        log.info(
            "answered",
            way=way_in(scope),
            status=status,
            account=visit.account.no if visit.account else None,
            ms=round((time.monotonic() - began) * 1000),
        )

    async def _visit(self, scope: HTTPScope) -> Visit:
        cookies = Connection(scope).cookies
        return Visit(
            house=self.house,
            hasher=self.hasher,
            organisation=await self._organisation(scope),
            display=Display.read(cookies.get("display", "")),
            notice=read_notice(self.house, cookies.get("notice")),
        )

    async def _organisation(self, scope: HTTPScope) -> Organisation:
        if scope["path"].startswith(("/static/", "/health")):  # no page, so it needs no name
            return nameless()
        try:
            async with self.house.work(reading=True) as work:
                return await organisation.the_one(work)
        except Exception as fault:  # noqa: BLE001  # recorded; the page that says so needs a name
            log.error("organisation_unread", fault=type(fault).__name__)  # noqa: TRY400
            return nameless()


def _tidy(scope: HTTPScope) -> None:
    """Lead an odd path nowhere, and take out of the question what no database keeps.

    A NUL breaks PostgreSQL, and a name of thousands of letters the file system.
    """
    path = scope["path"]
    if len(path) > LONGEST_PATH or not path.isprintable():
        scope["path"], scope["raw_path"] = NOWHERE, NOWHERE.encode()
    scope["query_string"] = scope["query_string"].replace(b"%00", b"")


def choose_language(cookies: Mapping[str, str], accepted: str, fallback: str) -> str:
    """Choose the language of a page: the one chosen, the browser's, the one that is usual here."""
    for wanted in (cookies.get("language", ""), *_by_preference(accepted), fallback):
        if wanted.partition("-")[0].lower() in LANGUAGES:
            return known(wanted)
    return LANGUAGES[0]


def _by_preference(accepted: str) -> list[str]:
    """Read `Accept-Language` (RFC 9110 12.5.4), most wished first; what cannot be read is last."""
    wishes = []
    for wish in accepted[:400].split(","):
        name, _, weight = wish.strip().partition(";q=")
        try:
            wishes.append((-float(weight or 1), name))
        except ValueError:
            wishes.append((0.0, name))
    return [name for _weight, name in sorted(wishes, key=lambda wish: wish[0])]


def _add_headers(scope: HTTPScope, message: HTTPResponseStartEvent, visit: Visit) -> None:
    headers = MutableScopeHeaders.from_message(message)
    headers.setdefault("content-security-policy", POLICY)
    headers.setdefault("referrer-policy", "no-referrer")
    headers.setdefault("x-content-type-options", "nosniff")
    headers.setdefault("cross-origin-opener-policy", "same-origin")
    headers.setdefault("cross-origin-resource-policy", "same-origin")
    headers.setdefault("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=()")
    headers.setdefault("cache-control", _keeping(scope, message["status"]))
    if "frame-ancestors 'none'" in headers["content-security-policy"]:
        headers.setdefault("x-frame-options", "DENY")
    if visit.house.settings.is_https:
        headers.setdefault("strict-transport-security", "max-age=31536000")
    if visit.notice_was_shown:
        headers.add("set-cookie", no_notice_cookie(visit.house).to_header(header=""))


def _keeping(scope: HTTPScope, status: int) -> str:
    """Say who may keep an answer: nobody, but for what is the same for all."""
    if status != 200 or not str(scope.get("path_template", "")).startswith("/static/"):
        return "no-store"
    return FOR_A_YEAR if scope["query_string"].startswith(b"v=") else FOR_A_DAY
