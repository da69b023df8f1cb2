"""Settings: what a deployment may choose, read once from the environment and passed by value.

Each is `ROLLCALL_…`; any may be given as `ROLLCALL_…_FILE`, the path of a file that holds it, so
that a secret need not stand in the environment. What organisers may change is rows, not settings.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta
from typing_extensions import override

from mailer.kit.secrets import ROOT_OCTETS, make_root, read_root

PREFIX = "ROLLCALL_"


class SettingsWrong(Exception):
    """What the environment says cannot be used; the message names the setting and the mend."""


class Secret(str):
    """A setting that no log and no error may show."""

    __slots__ = ()

    @override
    def __repr__(self) -> str:
        return "Secret(…)"


def _said(words: str) -> Meta:
    return Meta(description=words)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting; its description is the text in env.example and in the README."""

    data: Annotated[
        str,
        _said("The folder for the SQLite database and the key, where those have no place of own."),
    ] = "data"
    database: Annotated[
        str,
        _said(
            "Where the facts are kept: sqlite+aiosqlite:///FILE or postgresql+psycopg://…;"
            " unless said, rollcall.db in the data folder."
        ),
    ] = ""
    secret: Annotated[
        str,
        _said(
            "The root key: 64 hexadecimal digits. All processes of an installation need the same."
            " Unless said, it is made once in the data folder. Keep a copy apart from the backups."
        ),
    ] = ""
    public_url: Annotated[
        str,
        _said("Where people reach the pages, as it stands in mails: https://roll.example.org."),
    ] = "http://127.0.0.1:8000"
    host: Annotated[str, _said("The address that the web server listens on.")] = "127.0.0.1"
    port: Annotated[
        int, _said("The port that the web server listens on."), Meta(ge=0, le=65535)
    ] = 8000
    smtp_host: Annotated[str, _said("The relay that takes our mail.")] = "127.0.0.1"
    smtp_port: Annotated[int, _said("The relay's port."), Meta(ge=1, le=65535)] = 25
    smtp_security: Annotated[
        str,
        _said(
            "How the connection is made private: starttls, tls, or none (for a relay on this"
            " machine or in a private network only)."
        ),
        Meta(pattern="^(starttls|tls|none)$"),
    ] = "starttls"
    smtp_user: Annotated[str, _said("The name to sign in to the relay with; empty for none.")] = ""
    smtp_password: Annotated[str, _said("The password that goes with it.")] = ""
    smtp_connections: Annotated[
        int, _said("Connections to the relay at a time, for each worker."), Meta(ge=1, le=200)
    ] = 8
    smtp_patience: Annotated[
        float, _said("Seconds to wait for a relay to let us in."), Meta(gt=0)
    ] = 30.0
    undo_seconds: Annotated[
        int,
        _said("Seconds between the confirmation of a send and its first mail, to call it off in."),
        Meta(ge=0, le=86400),
    ] = 300
    pause: Annotated[
        float, _said("Seconds the worker rests when there is nothing to do."), Meta(gt=0)
    ] = 0.5
    lease: Annotated[
        float, _said("Seconds of silence after which a worker's claims are given back."), Meta(gt=0)
    ] = 60.0
    takeover: Annotated[
        float,
        _said("Seconds of silence after which a dead worker's open mails are called in doubt."),
        Meta(gt=0),
    ] = 120.0
    proxies: Annotated[
        str,
        _said("Addresses of reverse proxies whose X-Forwarded-For is believed, with commas."),
    ] = ""
    demo: Annotated[
        bool, _said("Set by `rollcall demo` alone: shows the inbox of the built-in catcher.")
    ] = False
    demo_inbox: Annotated[
        str, _said("Set by `rollcall demo` alone: the folder where the catcher keeps its mails.")
    ] = ""

    @property
    def data_folder(self) -> Path:
        """Give the folder for what has no place of its own."""
        return Path(self.data)

    @property
    def database_url(self) -> str:
        """Give the database, with its default filled in."""
        return self.database or f"sqlite+aiosqlite:///{self.data_folder / 'rollcall.db'}"

    @property
    def key_file(self) -> Path:
        """Give the file that the root key is made in when none is given."""
        return self.data_folder / "secret.key"

    def root_key(self) -> bytes:
        """Give the root key; make it at the first start."""
        if self.secret:
            return bytes.fromhex(self.secret)
        return read_root(self.key_file) if self.key_file.exists() else make_root(self.key_file)

    @property
    def is_https(self) -> bool:
        """Say whether people reach us over TLS, so that cookies may be kept to it."""
        return self.public_url.startswith("https://")

    @property
    def domain(self) -> str:
        """Give the host of the public address: how we name ourselves to a relay."""
        return urlsplit(self.public_url).hostname or "localhost"


SECRETS = frozenset({"secret", "smtp_password"})


def from_environment(environ: Mapping[str, str]) -> Settings:
    """Read what the environment says; the rest has defaults. Refuses what cannot be used."""
    known = set(Settings.__struct_fields__)
    said: dict[str, str] = {}
    for variable, value in environ.items():
        if not variable.startswith(PREFIX):
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name.endswith("_file") and name.removesuffix("_file") in known:
            said[name.removesuffix("_file")] = _from_file(variable, value)
        elif name in known:
            said[name] = value
        else:
            raise SettingsWrong(f"There is no setting {variable}. {_nearest(name, known)}")
    try:
        settings = msgspec.convert(said, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsWrong(_explained(error)) from error
    _check(settings)
    return settings


def env_example() -> str:
    """Write `deploy/env.example`, every setting commented out at its default."""
    return "\n".join(
        f"# {words}\n#{PREFIX}{name.upper()}={default}\n" for name, words, default in described()
    )


def described() -> list[tuple[str, str, str]]:
    """List name, words and default of every setting."""
    fields = msgspec.inspect.type_info(Settings).fields  # type: ignore[attr-defined]
    return [
        (field.name, _description(field.type), "" if field.default is None else str(field.default))
        for field in fields
    ]


def _description(kind: msgspec.inspect.Type) -> str:
    extra = kind.extra_json_schema if isinstance(kind, msgspec.inspect.Metadata) else None
    return str((extra or {}).get("description", ""))


def _from_file(variable: str, path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsWrong(f"{variable} names {path}, which cannot be read: {error}") from error


def _nearest(name: str, known: set[str]) -> str:
    import difflib  # noqa: PLC0415  # only when something is wrong

    close = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {PREFIX}{close[0].upper()}?" if close else "See deploy/env.example."


def _explained(error: msgspec.ValidationError) -> str:
    words, _, where = str(error).partition(" - at ")
    name = where.strip("`").removeprefix("$.")
    return f"{PREFIX}{name.upper()} is wrong: {words}."


def _check(settings: Settings) -> None:
    if settings.secret:
        try:
            root = bytes.fromhex(settings.secret)
        except ValueError as error:
            raise SettingsWrong(
                f"{PREFIX}SECRET must be hexadecimal digits; make one with: openssl rand -hex 32"
            ) from error
        if len(root) < ROOT_OCTETS:
            raise SettingsWrong(f"{PREFIX}SECRET is too short: it needs 64 hexadecimal digits.")
    if settings.database and not settings.database.startswith(
        ("sqlite+aiosqlite://", "postgresql+psycopg://")
    ):
        raise SettingsWrong(
            f"{PREFIX}DATABASE must begin with sqlite+aiosqlite:/// or postgresql+psycopg://."
        )
    parts = urlsplit(settings.public_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"}:
        raise SettingsWrong(
            f"{PREFIX}PUBLIC_URL must be like https://roll.example.org, without a path."
        )
    if parts.scheme == "http" and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise SettingsWrong(
            f"{PREFIX}PUBLIC_URL must begin with https:// (http is for this machine only):"
            " one-click unsubscribe works over https alone (RFC 8058 3.1)."
        )
