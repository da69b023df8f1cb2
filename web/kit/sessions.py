"""A visit: what is known about whoever sent this request, and the cookies that tell us.

Cookies are few, and none follows anybody about. `display` and `language` hold a choice; `notice`
holds the words of the last action until the next page; the session's holds its name; the device's
says that an account has signed in from here before. The last three are signed by us, or are nothing
without a row of ours.
"""

import base64
import dataclasses
import hmac
import json
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie

from mailer.accounts.model import Account, Session, Stage
from mailer.accounts.passwords import Hasher
from mailer.bootstrap import House
from mailer.organisation.model import Organisation

Connection = ASGIConnection[Any, Any, Any, Any]
Asked = Request[Any, Any, Any]

YEAR = 365 * 24 * 3600
CONTRASTS = frozenset({"more", "standard"})
THEMES = frozenset({"dark", "light"})
NOTICE_KINDS = frozenset({"ok", "info", "warn", "danger"})
_NOTICE_LIVES = 120  # seconds: from an answer to the page that it leads to


@dataclasses.dataclass(frozen=True, kw_only=True)
class Display:
    """How somebody wants pages shown. Empty: as their system says."""

    contrast: str = ""
    theme: str = ""

    @classmethod
    def read(cls, cookie: str) -> "Display":
        """Take from a cookie what we know of, and nothing else."""
        contrast, _, theme = cookie.partition(".")
        return cls(
            contrast=contrast if contrast in CONTRASTS else "",
            theme=theme if theme in THEMES else "",
        )

    def written(self) -> str:
        """Write it as the value of a cookie."""
        return f"{self.contrast}.{self.theme}"


@dataclasses.dataclass(frozen=True)
class Notice:
    """What the last action did, said on the page that follows it."""

    words: str
    kind: str = "ok"


@dataclasses.dataclass(frozen=True)
class Care:
    """Whom an account with a scope looks after: the names of its groups, and how many people."""

    groups: tuple[str, ...]
    people: int


@dataclasses.dataclass(kw_only=True)
class Visit:
    """One request's circumstances. The gate fills in who it is; until then it is anybody."""

    house: House
    hasher: Hasher
    organisation: Organisation
    display: Display = Display()
    notice: Notice | None = None
    notice_was_shown: bool = False
    cookie: str = ""  # the session's, once it was recognised
    session: Session | None = None
    account: Account | None = None
    scope: frozenset[int] | None = None
    waiting: dict[str, int] = dataclasses.field(default_factory=dict)
    care: Care | None = None  # of an account with a scope

    @property
    def is_inside(self) -> bool:
        """Say whether somebody is fully signed in."""
        return (
            self.session is not None
            and self.session.stage is Stage.FULL
            and self.account is not None
            and self.account.has_factor
        )

    @property
    def csrf(self) -> str:
        """Give the token that a form of this session must bring back. It has no life of its own."""
        return self.house.keys.scramble("csrf", self.cookie) if self.cookie else ""


def visit_of(connection: Connection) -> Visit:
    """Give the circumstances of a request, which `web.wiring` noted before anything else."""
    visit: Visit = connection.scope["state"]["visit"]
    return visit


def is_secure(house: House) -> bool:
    """Say whether cookies are kept to TLS; without it we run on one machine, for trying out."""
    return house.settings.is_https


def session_cookie(house: House, value: str) -> Cookie:
    """Set the session's cookie; it ends with the browser, and on our side sooner."""
    return Cookie(
        key=session_cookie_name(house),
        value=value,
        httponly=True,
        secure=is_secure(house),
        samesite="lax",
    )


def no_session_cookie(house: House) -> Cookie:
    """Take the session's cookie away."""
    return dataclasses.replace(session_cookie(house, ""), max_age=0)


def session_cookie_name(house: House) -> str:
    """Name it so that no sibling host and no plain connection can set it, where there is TLS."""
    return "__Host-rollcall" if is_secure(house) else "rollcall"


def device_cookie(house: House, value: str) -> Cookie:
    """Remember that this device has signed in to an account."""
    return Cookie(
        key=device_cookie_name(house),
        value=value,
        max_age=YEAR,
        httponly=True,
        secure=is_secure(house),
        samesite="lax",
    )


def device_cookie_name(house: House) -> str:
    """Name the device's cookie, with the same care as the session's."""
    return "__Host-rollcall-device" if is_secure(house) else "rollcall-device"


def choice_cookie(house: House, key: str, value: str) -> Cookie:
    """Remember a choice about how pages are shown."""
    return Cookie(
        key=key,
        value=value,
        max_age=YEAR,
        httponly=True,
        secure=is_secure(house),
        samesite="lax",
    )


def notice_cookie(house: House, notice: Notice) -> Cookie:
    """Carry the words of an action to the next page, signed: they are shown as ours."""
    said = json.dumps([notice.kind, notice.words]).encode()
    packed = base64.urlsafe_b64encode(said).decode()
    return Cookie(
        key="notice",
        value=f"{packed}.{house.keys.scramble('notice', packed)}",
        max_age=_NOTICE_LIVES,
        httponly=True,
        secure=is_secure(house),
        samesite="lax",
    )


def no_notice_cookie(house: House) -> Cookie:
    """Take the notice away, once a page has shown it."""
    return dataclasses.replace(notice_cookie(house, Notice("")), value="", max_age=0)


def read_notice(house: House, cookie: str | None) -> Notice | None:
    """Read a notice that we wrote; anything else is none."""
    packed, _, mark = (cookie or "").rpartition(".")
    if not packed or not hmac.compare_digest(
        mark.encode(), house.keys.scramble("notice", packed).encode()
    ):
        return None
    kind, words = json.loads(base64.urlsafe_b64decode(packed))
    return Notice(words, kind)
