"""Saying who we are."""

import re

from mailer.audit import actions as audit
from mailer.kit.addresses import read_address
from mailer.kit.errors import Invalid, Refusal
from mailer.kit.i18n import LANGUAGES
from mailer.kit.orm import Localised
from mailer.kit.rows import add_missing
from mailer.kit.texts import in_languages, lines, one_line
from mailer.kit.work import Work
from mailer.organisation import store
from mailer.organisation.model import THE_ONE, Organisation

_COLOUR = re.compile(r"#[0-9a-f]{6}")


class ColourUnreadable(Invalid):
    """A colour is written like #ffc233: a hash and six digits from 0 to f."""


class LanguageUnknown(Invalid):
    """Please choose one of the languages in the list."""


async def furnish(work: Work, name: str = "") -> Organisation:
    """Put in the organisation's row; one that is there already stands."""
    await add_missing(work, Organisation, [{"no": THE_ONE, "name": name}])
    return await store.the_one(work)


async def describe(
    work: Work,
    *,
    name: str,
    postal_address: str,
    sender_name: str,
    sender_address: str,
    reply_to: str,
    colour: str,
    language: str,
    headline: Localised,
    lede: Localised,
) -> Organisation:
    """Say who we are, in all that a page and a mail must state.

    Refuses, with the field, what no mail could carry; then nothing is changed.
    """
    described = {
        "name": one_line(name, longest=120, field="name", needed=True),
        "postal_address": lines(postal_address, longest=400, field="postal_address", needed=True),
        "sender_name": one_line(sender_name, longest=120, field="sender_name") or name.strip(),
        "sender_address": _address(sender_address, field="sender_address"),
        "reply_to": _address(reply_to, field="reply_to") if reply_to.strip() else "",
        "colour": _colour(colour),
        "language": _language(language),
        "headline": in_languages(headline, longest=200, field="headline"),
        "lede": in_languages(lede, longest=600, field="lede"),
    }
    organisation = await store.the_one(work)
    changed = [key for key, value in described.items() if getattr(organisation, key) != value]
    for key in changed:
        setattr(organisation, key, described[key])
    if changed:
        await audit.note(work, "organisation_described", fields=changed)
    return organisation


def _address(typed: str, *, field: str) -> str:
    try:
        return read_address(typed)
    except Refusal as refusal:
        refusal.facts["field"] = field
        raise


def _colour(typed: str) -> str:
    colour = typed.strip().lower()
    if not _COLOUR.fullmatch(colour):
        raise ColourUnreadable(field="colour")
    return colour


def _language(typed: str) -> str:
    if typed not in LANGUAGES:
        raise LanguageUnknown(field="language")
    return typed
