"""The way in: password, code, or a recovery code; setting the second factor up; and the way out."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from urllib.parse import quote

from litestar import Controller, get, post
from litestar.response import Template

from mailer.accounts import factor, signing_in, store
from mailer.accounts.model import Account, Session, Stage
from mailer.accounts.signing_in import CODE_LIMITS, PASSWORD_LIMITS, Limit, TooManyTries, too_many
from mailer.bootstrap import House
from mailer.kit.errors import Refusal
from mailer.kit.i18n import _, speaking
from mailer.kit.work import Door, Work
from web.kit.errors import status_of
from web.kit.forms import read_form
from web.kit.pages import Onward, page, redirect
from web.kit.security import (
    gated,
    half_way,
    network_of,
    public,
    recognise,
    safe_path,
)
from web.kit.sessions import (
    Asked,
    Visit,
    device_cookie,
    device_cookie_name,
    no_session_cookie,
    session_cookie,
    visit_of,
)

HOME = "/admin"


class Entry(Controller):
    """The pages before the admin area."""

    @get("/sign-in", opt=public)
    async def sign_in_page(self, request: Asked) -> Template | Onward:
        """Ask for address and password."""
        visit = await recognise(request)
        if visit.session is not None and visit.session.stage is Stage.FULL:
            return redirect(_asked_for(request) or HOME)
        return _sign_in_page(request, next_=_asked_for(request))

    @post("/sign-in", opt=public)
    async def sign_in(self, request: Asked) -> Template | Onward:
        """Check the password, and begin a session that is half way."""
        form = await read_form(request)
        address, next_ = form.text("address", limit=320), safe_path(form.raw("next")) or ""
        try:
            answer = await _with_password(request, address, form.raw("password")[:1000])
        except Refusal as refusal:
            return _sign_in_page(request, next_=next_, address=address, refusal=refusal)
        answer.url += _next(next_) if answer.url.endswith("/code") else ""
        return answer

    @get("/code", opt=half_way)
    async def code_page(self, request: Asked) -> Template | Onward:
        """Ask for the six digits."""
        return _elsewhere(request) or page(
            request, "admin/gate/code.html", next=_asked_for(request), errors={}
        )

    @post("/code", opt=half_way)
    async def code(self, request: Asked) -> Template | Onward:
        """Check the six digits, and sign in fully."""
        form = await read_form(request)
        next_ = safe_path(form.raw("next")) or ""
        if elsewhere := _elsewhere(request):
            return elsewhere
        try:
            return await _with_code(request, form.raw("code")[:40], next_ or HOME)
        except Refusal as refusal:
            return page(
                request,
                "admin/gate/code.html",
                status=_status(refusal),
                next=next_,
                errors={"code": refusal.said()},
            )

    @get("/recovery", opt=half_way)
    async def recovery_page(self, request: Asked) -> Template | Onward:
        """Ask for a recovery code."""
        return _elsewhere(request) or page(request, "admin/gate/recovery.html", errors={})

    @post("/recovery", opt=half_way)
    async def recovery(self, request: Asked) -> Template | Onward:
        """Use a recovery code up, and sign in fully."""
        form = await read_form(request)
        if elsewhere := _elsewhere(request):
            return elsewhere
        try:
            return await _with_recovery_code(request, form.raw("code")[:80])
        except Refusal as refusal:
            return page(
                request,
                "admin/gate/recovery.html",
                status=_status(refusal),
                errors={"code": refusal.said()},
            )

    @get("/two-factor", opt=half_way)
    async def two_factor_page(self, request: Asked) -> Template | Onward:
        """Show how to set the second factor up; or, to who is inside, how it stands."""
        visit = visit_of(request)
        session, account = _who(visit)
        if session.stage is Stage.FULL:
            return await _standing_page(request, errors={})
        if account.has_factor:
            return redirect("/admin/code")
        return await _set_up_page(request)

    @post("/two-factor", opt=half_way)
    async def two_factor(self, request: Asked) -> Template | Onward:
        """Turn the second factor on, and show the recovery codes this one time."""
        form = await read_form(request)
        visit = visit_of(request)
        _session, account = _who(visit)
        if account.has_factor:
            return redirect("/admin/two-factor")
        try:
            await _slow_down_codes(visit.house, account)
            async with _working(visit) as work:
                codes = await signing_in.confirm_factor(
                    work, await _fresh(work, account), form.raw("code")[:40]
                )
        except Refusal as refusal:
            return await _set_up_page(request, refusal)
        return page(request, "admin/gate/codes.html", codes=codes, first=True, errors={})

    @post("/two-factor/codes", opt=half_way)
    async def codes_are_kept(self, request: Asked) -> Template | Onward:
        """Sign in fully who says that the codes are in a safe place; else show them again."""
        form = await read_form(request)
        visit = visit_of(request)
        session, account = _who(visit)
        codes = form.many("codes")[: factor.HOW_MANY_CODES]
        if session.stage is Stage.FULL:
            return redirect(HOME)
        if not form.flag("kept"):
            errors = {"kept": _("Put the codes somewhere safe first, then tick this.")}
            return page(
                request,
                "admin/gate/codes.html",
                status=422,
                codes=codes,
                first=True,
                errors=errors,
            )
        async with _working(visit) as work:
            cookie = await signing_in.finish_setting_up(work, session, account, codes)
            device = await _note_device(request, work, account)
        return _inside(visit.house, cookie, device, HOME)

    @post("/two-factor/new-codes", opt=gated())
    async def new_codes(self, request: Asked) -> Template:
        """Make new recovery codes for who proves that they have the app at hand."""
        form = await read_form(request)
        visit = visit_of(request)
        _session, account = _who(visit)
        try:
            await _slow_down_codes(visit.house, account)
            async with _working(visit) as work:
                fresh = await _fresh(work, account)
                await signing_in.spend_code(work, fresh, form.raw("code")[:40])
                codes = await signing_in.new_recovery_codes(work, fresh)
        except Refusal as refusal:
            return await _standing_page(
                request, errors={"code": refusal.said()}, status=_status(refusal)
            )
        return page(request, "admin/gate/codes.html", codes=codes, first=False, errors={})

    @post("/sign-out", opt=half_way)
    async def sign_out(self, request: Asked) -> Onward:
        """End the session."""
        visit = visit_of(request)
        session, _account = _who(visit)
        async with _working(visit) as work:
            await signing_in.sign_out(work, session)
        answer = redirect("/admin/sign-in", notice=_("You are signed out."))
        answer.set_cookie(no_session_cookie(visit.house))
        return answer


# --- steps --------------------------------------------------------------------------------------


async def _with_password(request: Asked, address: str, password: str) -> Onward:
    """Take the first step. Until it is right nothing tells whether there is such an account."""
    visit = await recognise(request)
    house, keys = visit.house, visit.house.keys
    async with house.work(reading=True) as work:
        account = await store.by_address(work, address)
    device = signing_in.known_device(keys, account.no if account else 0, _device(request))
    marks = signing_in.password_marks(keys, address, network_of(request), device=device)
    await _slow_down(house, marks, PASSWORD_LIMITS)
    rehashed = await signing_in.check_password(account, password, hasher=visit.hasher)
    assert account is not None
    async with house.work(door=Door.ADMIN, account=account.no) as work:
        account = await _fresh(work, account)
        await signing_in.forgive(work, marks)
        if visit.session is not None:
            await signing_in.sign_out(work, visit.session)
        cookie = await signing_in.begin_session(work, account, rehashed=rehashed)
    answer = redirect("/admin/code" if account.has_factor else "/admin/two-factor")
    answer.set_cookie(session_cookie(house, cookie))
    return answer


async def _with_code(request: Asked, code: str, to: str) -> Onward:
    visit = visit_of(request)
    session, account = _who(visit)
    await _slow_down_codes(visit.house, account)
    async with _working(visit) as work:
        cookie = await signing_in.enter_code(work, session, account, code)
        device = await _note_device(request, work, account)
    return _inside(visit.house, cookie, device, to)


async def _with_recovery_code(request: Asked, code: str) -> Onward:
    visit = visit_of(request)
    session, account = _who(visit)
    await _slow_down_codes(visit.house, account)
    async with _working(visit) as work:
        cookie = await signing_in.use_recovery_code(work, session, account, code)
        device = await _note_device(request, work, account, with_recovery_code=True)
    return _inside(visit.house, cookie, device, "/admin/two-factor")


async def _slow_down_codes(house: House, account: Account) -> None:
    await _slow_down(house, [signing_in.code_mark(house.keys, account.no)], CODE_LIMITS)


async def _slow_down(house: House, marks: list[str], limits: Sequence[Limit]) -> None:
    """Note a try in a unit of work of its own: it stays noted whatever comes of it."""
    async with house.work() as work:
        wait = await signing_in.note_try(work, marks, limits)
    if wait is not None:
        raise too_many(wait)


async def _note_device(
    request: Asked, work: Work, account: Account, *, with_recovery_code: bool = False
) -> str:
    """Tell of a new device, or of a recovery code; name a device that has no name yet."""
    known = signing_in.known_device(work.keys, account.no, _device(request))
    if not known or with_recovery_code:
        await signing_in.tell_of_sign_in(
            work,
            account,
            device_in_words(request.headers.get("user-agent", ""), account.language),
            with_recovery_code=with_recovery_code,
        )
    return "" if known else signing_in.name_device(work.keys, account.no)


def _inside(house: House, cookie: str, device: str, to: str) -> Onward:
    answer = redirect(to)
    answer.set_cookie(session_cookie(house, cookie))
    if device:
        answer.set_cookie(device_cookie(house, device))
    return answer


# --- pages --------------------------------------------------------------------------------------


def _sign_in_page(
    request: Asked, *, next_: str, address: str = "", refusal: Refusal | None = None
) -> Template:
    return page(
        request,
        "admin/gate/sign_in.html",
        status=_status(refusal) if refusal else 200,
        address=address,
        next=next_,
        error=refusal.said() if refusal else "",
    )


async def _set_up_page(request: Asked, refusal: Refusal | None = None) -> Template:
    visit = visit_of(request)
    _session, account = _who(visit)
    async with visit.house.work(reading=True) as work:
        seed = signing_in.seed_of(work, await _fresh(work, account))
    return page(
        request,
        "admin/gate/two_factor.html",
        status=_status(refusal) if refusal else 200,
        seed=factor.in_groups(seed),
        for_the_app=factor.for_the_app(
            seed, account=account.address, issuer=visit.organisation.name or "Rollcall"
        ),
        errors={"code": refusal.said()} if refusal else {},
    )


async def _standing_page(request: Asked, *, errors: dict[str, str], status: int = 200) -> Template:
    visit = visit_of(request)
    _session, account = _who(visit)
    async with visit.house.work(reading=True) as work:
        left = len(await store.unused_codes(work, account.no))
    return page(request, "admin/gate/standing.html", status=status, left=left, errors=errors)


# --- small words --------------------------------------------------------------------------------


def _elsewhere(request: Asked) -> Onward | None:
    """Lead away from the pages that ask for a code who needs none, or has none yet."""
    session, account = _who(visit_of(request))
    if session.stage is Stage.FULL:
        return redirect(_asked_for(request) or HOME)
    return None if account.has_factor else redirect("/admin/two-factor")


def _who(visit: Visit) -> tuple[Session, Account]:
    assert visit.session is not None
    assert visit.account is not None
    return visit.session, visit.account


def _working(visit: Visit) -> AbstractAsyncContextManager[Work]:
    _session, account = _who(visit)
    return visit.house.work(scope=visit.scope, account=account.no, door=Door.ADMIN)


async def _fresh(work: Work, account: Account) -> Account:
    """Read an account again, inside the unit of work that changes it."""
    found = await store.by_no(work, account.no)
    assert found is not None
    return found


def _status(refusal: Refusal) -> int:
    return 429 if isinstance(refusal, TooManyTries) else status_of(refusal)


def _asked_for(request: Asked) -> str:
    return safe_path(request.query_params.get("next", "")) or ""


def _next(path: str) -> str:
    return f"?next={quote(path, safe='/')}" if path else ""


def _device(request: Asked) -> str:
    return request.cookies.get(device_cookie_name(visit_of(request).house), "")


_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrome", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def device_in_words(user_agent: str, language: str) -> str:
    """Say what somebody signs in with, as they would: browser and system, no numbers."""
    with speaking(language):
        browser = next((name for sign, name in _BROWSERS if sign in user_agent), _("a browser"))
        system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
        if not system:
            return browser
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
