"""The gate: nothing is open that does not say so.

One guard stands before every handler. A handler without a marker is closed. No path is ever
compared: decisions are made on the handler that was found, so that no spelling of a path leads
round the gate.

    @get("/join", opt=public)                        anybody
    @get("/l/{token:str}", opt=member_link)          anybody; a token is the credential
    @post("/u/{token:str}", opt=one_click)           a mail provider (RFC 8058), from anywhere
    @post("/f/{slug:str}", opt=from_anywhere)        anybody, also from a form on another site
    @post("/two-factor", opt=half_way)               the password was right, a code may be due
    @get("/people", opt=gated(Power.SEE_PEOPLE))     fully signed in, and the role allows it
    @get("/", opt=gated())                           fully signed in, whatever the role

What changes something must come from a page of ours: the browser says where it comes from, and with
a session the form brings back a token that is bound to it (or htmx does, in the header X-CSRF).
"""

import enum
import hmac
import ipaddress
import re
from typing import Any, Final
from urllib.parse import quote, urlsplit

from litestar import Request
from litestar.handlers import BaseRouteHandler
from litestar.types import HTTPScope

from mailer.accounts import signing_in
from mailer.accounts.model import Account, Power, Stage
from mailer.accounts.store import scope_of
from mailer.kit.errors import Forbidden
from web.kit.sessions import Asked, Connection, Visit, session_cookie_name, visit_of

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Gate(enum.StrEnum):
    """Who may pass."""

    PUBLIC = "public"
    MEMBER_LINK = "member_link"
    ONE_CLICK = "one_click"
    ANYWHERE = "anywhere"
    HALF_WAY = "half_way"
    POWER = "power"


public: Final[dict[str, Any]] = {"gate": Gate.PUBLIC}
member_link: Final[dict[str, Any]] = {"gate": Gate.MEMBER_LINK}
one_click: Final[dict[str, Any]] = {"gate": Gate.ONE_CLICK}
from_anywhere: Final[dict[str, Any]] = {"gate": Gate.ANYWHERE}
half_way: Final[dict[str, Any]] = {"gate": Gate.HALF_WAY}


_FROM_ELSEWHERE = frozenset({Gate.ONE_CLICK, Gate.ANYWHERE})


def gated(power: Power | None = None, *, by_itself: bool = False) -> dict[str, Any]:
    """Let pass who is fully signed in and whose role has this power.

    `by_itself`: pages ask for this again and again without anybody there. It keeps no session
    awake: a page that was left open must not sign in whoever comes to the desk at night.
    """
    return {"gate": Gate.POWER, "power": power, "by_itself": by_itself}


class GateRefusal(Forbidden):
    """You may not open this."""


class GateClosed(GateRefusal):
    """This way in is closed."""


class FromElsewhere(GateRefusal):
    """This was sent from a page that is not ours. Open the page here and try again."""


class FormTooOld(GateRefusal):
    """This form has been open too long. Load the page again and try once more."""


class NotYourRole(GateRefusal):
    """Your role does not include this. An owner can change your role, or do it for you."""


class NotSignedIn(Exception):
    """A page was asked for by somebody who has not come so far in signing in; `to` is next."""

    def __init__(self, to: str) -> None:
        """Keep where they are sent."""
        self.to = to
        super().__init__(to)


async def gate(connection: Connection, handler: BaseRouteHandler) -> None:
    """Let pass or raise: the one guard, at the root of every route."""
    if not isinstance(connection, Request):  # a web socket
        raise GateClosed
    request: Asked = connection
    marker = handler.opt.get("gate")
    changes = request.method not in SAFE
    if changes and marker not in _FROM_ELSEWHERE and is_from_elsewhere(request):
        raise FromElsewhere
    match marker:
        case Gate.PUBLIC | Gate.MEMBER_LINK | Gate.ONE_CLICK | Gate.ANYWHERE:
            return
        case Gate.HALF_WAY:
            visit = await recognise(request)
            if visit.session is None:
                raise NotSignedIn(_sign_in_for(request))
        case Gate.POWER:
            visit = await recognise(request, is_seen=not handler.opt.get("by_itself"))
            _ask_for_everything(request, visit, handler.opt["power"])
        case _:
            raise GateClosed
    if changes:
        await _ask_for_token(request, visit)


async def recognise(request: Asked, *, is_seen: bool = True) -> Visit:
    """Find out whose session this is, if it is one that still counts. Unknown names are nothing.

    `is_seen`: somebody is there, so that it counts for longer.
    """
    visit = visit_of(request)
    cookie = request.cookies.get(session_cookie_name(visit.house))
    if not cookie or visit.session is not None:
        return visit
    async with visit.house.work(reading=True) as work:
        found = await signing_in.recognise(work, cookie)
        if found is None:
            return visit
        visit.session, visit.account = found
        visit.cookie = cookie
        visit.scope = await scope_of(work, visit.account)
        was_seen_lately = visit.session.was_seen_lately(work.now)
    if is_seen and not was_seen_lately:
        # An observation: it has a unit of work of its own, at most once a minute for each session.
        async with visit.house.work() as work:
            await signing_in.note_seen(work, visit.session)
    return visit


def _ask_for_everything(request: Asked, visit: Visit, power: Power | None) -> None:
    if visit.session is None or visit.account is None:
        raise NotSignedIn(_sign_in_for(request))
    if not visit.account.has_factor:
        raise NotSignedIn("/admin/two-factor")
    if visit.session.stage is not Stage.FULL:
        raise NotSignedIn("/admin/code" + _asked_for(request))
    if power is not None and not visit.account.may(power):
        raise NotYourRole


async def _ask_for_token(request: Asked, visit: Visit) -> None:
    token = request.headers.get("x-csrf")
    if token is not None:
        if not is_token_of(visit, token):
            raise FormTooOld
        return
    form = await request.form()
    token = form.get("csrf")
    if not isinstance(token, str) or not is_token_of(visit, token):
        await form.close()  # Litestar closes the files of those forms alone that a handler gets
        raise FormTooOld


def is_token_of(visit: Visit, token: str) -> bool:
    """Say whether a form's token belongs to the session that sends it."""
    return bool(visit.csrf) and hmac.compare_digest(token.encode(), visit.csrf.encode())


def is_from_elsewhere(request: Asked) -> bool:
    """Say whether a browser tells us that another site sent this.

    `Sec-Fetch-Site` cannot be set by a page and settles it. Browsers from before 2023 send only
    `Origin`, and since our pages ask for no referrer, `null` even from our own (Fetch, "append a
    request `Origin` header"): there the form's token decides, and without a session there is
    nothing that another site could borrow. Nor can another site sign somebody in to an account of
    its own: that takes a second form, the code's, and from elsewhere the cookie of the half-way
    session is not sent with it (SameSite).
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = request.headers.get("origin")
    if origin is None or origin == "null":
        return False
    ours = {urlsplit(visit_of(request).house.settings.public_url).netloc}
    return urlsplit(origin).netloc not in ours | {request.headers.get("host", "")}


def network_of(request: Asked) -> str:
    """Give the network that a request came from, for counting tries; it is never kept as it is.

    A whole /24 or /48: who guesses has more than one address. `X-Forwarded-For` is believed from
    our own proxies alone, read from the right: what stands to the left anybody may have written.
    """
    proxies = set(re.split(r"[,\s]+", visit_of(request).house.settings.proxies)) - {""}
    client = request.client.host if request.client else ""
    passed = request.headers.get("x-forwarded-for", "").split(",")
    while client in proxies and passed:
        client = passed.pop().strip() or client
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False))


def safe_path(path: str) -> str | None:
    """Give a path back if it leads to a page of ours and nowhere else."""
    if not path.startswith("/") or path[1:2] in {"/", "\\"} or not path.isprintable():
        return None
    parts = urlsplit(path)
    return None if parts.scheme or parts.netloc or "\\" in path or " " in path else path


def account_of(request: Asked) -> Account:
    """Give the account that the gate has let pass."""
    account = visit_of(request).account
    assert account is not None
    return account


def way_in(scope: HTTPScope) -> str:
    """Name the way that a request took, without what its path holds: tokens stand in paths."""
    return f"{scope['method']} {scope.get('path_template', '(none)')}"


def _sign_in_for(request: Asked) -> str:
    return "/admin/sign-in" + _asked_for(request)


def _asked_for(request: Asked) -> str:
    """Remember the page that was asked for, to go on to after signing in."""
    path = request.scope["path"]
    if request.method != "GET" or path in {"/admin", "/"} or not safe_path(path):
        return ""
    query = request.scope["query_string"].decode("latin-1")
    return "?next=" + quote(f"{path}?{query}" if query else path, safe="/")
