"""What becomes of a line and of a column, in the reader's language."""

from collections.abc import Mapping

from mailer.fields import store as fields
from mailer.imports.columns import COLUMNS
from mailer.imports.model import Fate, Import, ImportLine, Why
from mailer.kit.addresses import AddressIncomplete, AddressNeedsUtf8, AddressUnwritable
from mailer.kit.errors import Invalid, every_refusal
from mailer.kit.i18n import N_, Phrase, _, in_language
from mailer.kit.orm import Facts
from mailer.kit.work import Work

_REASONS = {
    Why.NO_ADDRESS: N_("There is no address in this line."),
    Why.TWICE: N_("The same address as in line %(first)s, which counts."),
    Why.UNKNOWN_TIER: N_("There is no level “%(said)s”. Your levels are: %(levels)s."),
    Why.UNKNOWN_LANGUAGE: N_("“%(said)s” is no language we know. Write en, fr or its name."),
    Why.UNKNOWN_COUNTRY: N_("“%(said)s” is no country we know. Write its two letters or its name."),
    Why.UNKNOWN_TIME_ZONE: N_("“%(said)s” is no time zone we know. Write one like Europe/Paris."),
    Why.UNKNOWN_DATE: N_("“%(said)s” is no date we can read. Write it like 2026-05-31."),
    Why.UNKNOWN_OPT_OUT: N_(
        "“%(said)s” may mean that they want no mail. Write yes if they want none, or no."
    ),
    Why.PHONE_WRONG: N_(
        "“%(said)s” is not a telephone number. One of another country begins with + and its code."
    ),
    Why.TAG_WRONG: N_("“%(said)s” cannot be a tag: a tag has no comma and no semicolon in it."),
    Why.FIELD_WRONG: N_("“%(said)s” is not what this column takes."),
    Why.ROLE_WRONG: N_(
        "“%(said)s” is no role in a group. Write it like “%(example)s”; the roles are %(roles)s."
    ),
    Why.TOO_MANY_NEW: N_("This file names more groups and tags than one file may."),
    Why.NO_NAME: N_("There is no address here, and not a name with a telephone or a group."),
    Why.SUPPRESSED: N_("Asked never to be written to. A file cannot change that."),
    Why.HAS_LEFT: N_("Has unsubscribed. A file cannot bring them back; they can."),
    Why.STOPPED: N_("Was stopped by an organiser. A file cannot change that."),
    Why.GONE: N_("Was on the roll when the file was read, and is not any more."),
    Why.TOO_MANY_FIELDS: N_(
        "There are %(cells)s fields where the headings name %(headings)s. Is there a comma in a"
        " name? Put the name in quotation marks."
    ),
    Why.TOO_LONG: N_("This line, or a word in it, is longer than we keep."),
    Why.NOT_PLAIN: N_("There is a line break or a control character in a name."),
    Why.ENCODED_WORD: N_("There is coded text (=?…?=) in a name. Write it as it is read."),
    Why.UNREADABLE: N_("There are letters we cannot read. Save the file as UTF-8."),
    Why.OPEN_QUOTE: N_("A quotation mark is opened and never closed."),
}
_NEARER = N_("There is no level “%(said)s”. Did you mean %(nearest)s?")
_ADDRESSES: dict[str, type[Invalid]] = {
    kind().code: kind for kind in (AddressIncomplete, AddressUnwritable, AddressNeedsUtf8)
}

_COLUMNS = {
    "address": N_("Address"),
    "first_name": N_("First name"),
    "last_name": N_("Last name"),
    "name": N_("First and last name"),
    "tier": N_("Level, for who has none"),
    "language": N_("Language"),
    "group": N_("Groups"),
    "group_roles": N_("Roles in groups"),
    "tags": N_("Tags"),
    "city": N_("City"),
    "postcode": N_("Postcode"),
    "region": N_("Region"),
    "country": N_("Country"),
    "time_zone": N_("Time zone"),
    "phone": N_("Telephone"),
    "opt_out": N_("Wants no mail"),
    "agreed_at": N_("Date on which they agreed"),
    "source": N_("Where they come from"),
    "": N_("Left out"),
}
assert set(_COLUMNS) == set(COLUMNS)  # a column without words would be offered as nothing


def why(line: ImportLine) -> str:
    """Say why a line is refused; empty for one that is not."""
    if line.fate is not Fate.REFUSED:
        return ""
    return reason(line.why, line.facts or {})


def reason(code: str, facts: Mapping[str, str]) -> str:
    """Say a reason by its code."""
    if code in _ADDRESSES:
        return _ADDRESSES[code](why=Phrase(facts.get("why", ""))).said()
    if code == Why.UNKNOWN_TIER and facts.get("nearest"):
        return _(_NEARER) % facts
    if code == Why.FIELD_WRONG and "code" in facts:
        return _said(facts["code"], facts) or _(_REASONS[Why.FIELD_WRONG]) % facts
    return _(_REASONS[Why(code)]) % facts


async def column(work: Work, kind: str) -> str:
    """Say what a column becomes."""
    if kind.startswith("field:"):
        field = await fields.by_slug(work, kind.removeprefix("field:"))
        return in_language(field.name) if field else kind
    return _(_COLUMNS[kind])


def unreadable(import_: Import) -> str:
    """Say why a file as a whole cannot be read; empty for one that can."""
    facts: Facts = import_.found
    code = facts.get("refusal", "")
    return _said(code, facts.get("refusal_facts", {})) if code else ""


def _said(code: str, facts: Mapping[str, str]) -> str:
    kind = next((one for one in every_refusal() if one().code == code), None)
    return "" if kind is None else kind(**facts).said()
