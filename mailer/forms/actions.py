"""Making forms, changing them, and closing them. They are everybody's: no scope makes one."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from mailer.audit import actions as audit
from mailer.consent import store as lists
from mailer.forms import store
from mailer.forms.model import SignUpForm
from mailer.forms.questions import LANGUAGE, LEVEL, possible
from mailer.kit.errors import Conflict, Forbidden, Invalid
from mailer.kit.ids import slug
from mailer.kit.orm import Localised
from mailer.kit.rows import add_missing
from mailer.kit.texts import in_languages
from mailer.kit.work import Work
from mailer.tags import store as tags

MOST_SITES = 20

# A name or an IPv4 address; a policy is made of it, so nothing else may be in it.
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9][a-z0-9-]{0,62})*")
_OWN_MACHINE = frozenset({"localhost", "127.0.0.1"})


class FormsOutOfReach(Forbidden):
    """You look after some groups only. Forms are made by those who look after everybody."""


class ListUnknown(Invalid):
    """Please choose the list that people join."""


class TagUnknown(Invalid):
    """There is no such tag."""


class QuestionUnknown(Invalid):
    """One of these questions cannot be asked any more. Load the page again."""


class SiteWrong(Invalid):
    """“%(site)s” is no site. Write it like https://example.org, without a path."""


class TooManySites(Invalid):
    """That is more than %(most)s sites."""


class TooManyForms(Conflict):
    """There are too many forms of this name."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A form as somebody wants it."""

    title: Localised
    list_no: int
    intro: Localised = {}
    thanks: Localised = {}
    asks_for: Sequence[str] = ()
    needed: Sequence[str] = ()
    tag_no: int | None = None
    may_be_embedded: bool = False
    sites: Sequence[str] = ()


def may_make(work: Work) -> bool:
    """Say whether the actor may make, change and close forms."""
    return work.scope is None


async def make(work: Work, wanted: Wanted) -> SignUpForm:
    """Make a form; people can use it at once. Its slug is made of its title and never changes."""
    _reach(work)
    described = await read(work, wanted)
    called = slug(next(iter(described["title"].values())), longest=50)
    taken = {one.slug for one in await store.all_forms(work)}
    for number in range(2 if called == "new" else 1, 100):
        address = called if number == 1 else f"{called}-{number}"
        if address in taken:
            continue
        row = {
            "slug": address,
            "made_at": work.now,
            "made_by": work.account,
            **described,
        }
        if made := await add_missing(work, SignUpForm, [row]):
            await audit.note(work, "form_made", form=made[0].no)
            return made[0]
    raise TooManyForms(field="title")


async def describe(work: Work, form: SignUpForm, wanted: Wanted) -> SignUpForm:
    """Change a form. What people have agreed to by it stays on record as it was shown."""
    _reach(work)
    described = await read(work, wanted)
    form = await store.again(work, form)
    changed = [key for key, value in described.items() if getattr(form, key) != value]
    for key in changed:
        setattr(form, key, described[key])
    if changed:
        await audit.note(work, "form_described", form=form.no, fields=changed)
    return form


async def close(work: Work, form: SignUpForm) -> SignUpForm:
    """Let nobody sign up by a form any more; who waits for a letter can still say yes."""
    _reach(work)
    form = await store.again(work, form)
    if form.closed_at is None:
        form.closed_at = work.now
        await audit.note(work, "form_closed", form=form.no)
    return form


async def reopen(work: Work, form: SignUpForm) -> SignUpForm:
    """Let people sign up by a closed form again."""
    _reach(work)
    form = await store.again(work, form)
    if form.closed_at is not None:
        form.closed_at = None
        await audit.note(work, "form_reopened", form=form.no)
    return form


async def read(work: Work, wanted: Wanted) -> dict[str, Any]:
    """Give the columns of a form as somebody wants it; refuses what cannot be so."""
    chosen = await lists.list_by_no(work, wanted.list_no)
    if chosen is None or chosen.closed_at is not None:
        raise ListUnknown(field="list")
    if wanted.tag_no is not None:
        tag = await tags.by_no(work, wanted.tag_no)
        if tag is None or tag.closed_at is not None:
            raise TagUnknown(field="tag")
    known = [question.name for question in await possible(work)]
    asks_for = list(dict.fromkeys(wanted.asks_for))
    if not set(known).issuperset(asks_for):
        raise QuestionUnknown(field="asks_for")
    # Whoever is asked for a level or a language has one: there is no blank among the choices.
    needed = {*wanted.needed, LEVEL, LANGUAGE}
    return {
        "title": in_languages(wanted.title, longest=120, field="title", needed=True),
        "intro": in_languages(wanted.intro, longest=1000, field="intro"),
        "thanks": in_languages(wanted.thanks, longest=1000, field="thanks"),
        "list_no": chosen.no,
        "asks_for": asks_for,
        "needed": [name for name in asks_for if name in needed],
        "tag_no": wanted.tag_no,
        "may_be_embedded": wanted.may_be_embedded,
        "sites": _sites(wanted.sites),
    }


def _sites(typed: Sequence[str]) -> list[str]:
    sites = list(dict.fromkeys(_site(one) for one in typed if one.strip()))
    if len(sites) > MOST_SITES:
        raise TooManySites(field="sites", most=MOST_SITES)
    return sites


def _site(typed: str) -> str:
    """Read an origin (RFC 6454 4). Only https, but for trying it out on one's own machine."""
    try:
        parts = urlsplit(typed.strip().lower())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise SiteWrong(field="sites", site=typed.strip()[:80]) from None
    safe = parts.scheme == "https" or (parts.scheme == "http" and host in _OWN_MACHINE)
    bare = parts.path in {"", "/"} and not (parts.query or parts.fragment or parts.username)
    if not safe or not bare or not _HOST.fullmatch(host) or len(host) > 253:
        raise SiteWrong(field="sites", site=typed.strip()[:80])
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def _reach(work: Work) -> None:
    if not may_make(work):
        raise FormsOutOfReach
