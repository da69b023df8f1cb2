"""The message catalogues: what we say, and whether each language can say it.

`python -m tests.house.catalogues` brings every catalogue up to date: new sentences are added with
nothing said yet, and sentences that nobody says any more are taken out.
"""

import datetime as dt
import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

import mailer
import web
from mailer.kit import i18n
from mailer.kit.errors import every_refusal, message_of

TREE = Path(__file__).parents[2]
JINJA = {"extensions": "jinja2.ext.i18n", "trim_blocks": "true", "lstrip_blocks": "true"}
METHODS = [
    ("mailer/**.py", "python"),
    ("web/**.py", "python"),
    ("templates/**.html", "jinja2"),
    ("templates/**.txt", "jinja2"),
    ("templates/**.mjml", "jinja2"),
]
OPTIONS = {pattern: JINJA for pattern, method in METHODS if method == "jinja2"}
KEYWORDS = {"_": None, "gettext": None, "N_": None, "ngettext": (1, 2)}
ROOMS = ("mailer", "web", "templates")


def said() -> Catalog:
    """Collect every sentence of ours: those in calls, and the words of refusals."""
    found = Catalog(locale=None)
    for file, line, message, comments, context in extract_from_dir(
        TREE,
        METHODS,
        options_map=OPTIONS,
        keywords=KEYWORDS,
        comment_tags=("translators:",),
        directory_filter=_is_a_room,
    ):
        del comments, context
        found.add(message, locations=[(file, line)])
    _import_everything()
    for kind in every_refusal():
        if not kind.__module__.startswith("tests."):
            found.add(message_of(kind), locations=[(kind.__module__.replace(".", "/") + ".py", 1)])
    return found


def catalogue(language: str) -> Catalog:
    """Read one language's catalogue."""
    with file_of(language).open("rb") as source:
        return read_po(source, locale=language)


def file_of(language: str) -> Path:
    """Say where a catalogue lives."""
    return i18n.LOCALE / language / "messages.po"


def bring_up_to_date(language: str) -> int:
    """Add what is new and take out what is gone; give the number of sentences not said yet."""
    now = said()
    file = file_of(language)
    before = catalogue(language) if file.exists() else Catalog(locale=language)
    after = Catalog(
        locale=language,
        project="Rollcall",
        version="0",
        copyright_holder="Rollcall’s contributors",
        revision_date=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        creation_date=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        fuzzy=False,
    )
    missing = 0
    for message in sorted((m for m in now if m.id), key=lambda m: str(m.id)):
        old = before.get(message.id)
        string = old.string if old is not None else None
        missing += not is_said(old)
        flags = {flag for flag in message.flags if flag != "fuzzy"}
        after.add(message.id, string or "", flags=flags)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as target:
        write_po(target, after, width=100, omit_header=False, ignore_obsolete=True)
    return missing


def is_said(message: Message | None) -> bool:
    """Say whether a catalogue has words for a sentence, in each of its numbers."""
    if message is None or message.fuzzy or not message.string:
        return False
    return isinstance(message.string, str) or all(message.string)


def _is_a_room(path: str) -> bool:
    parts = Path(path).resolve().relative_to(TREE).parts
    return not parts or (parts[0] in ROOMS and "static" not in parts)


def _import_everything() -> None:
    for package in (mailer, web):
        for module in _modules(package.__path__, f"{package.__name__}."):
            if ".migrations" not in module and not module.endswith("__main__"):
                importlib.import_module(module)


def _modules(path: Iterable[str], prefix: str) -> Iterator[str]:
    for found in pkgutil.walk_packages(path, prefix):
        yield found.name


if __name__ == "__main__":
    for name in i18n.LANGUAGES:
        if name != "en":
            print(f"{name}: {bring_up_to_date(name)} sentences are not said yet")
