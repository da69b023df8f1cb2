"""What becomes of a line, in the reader's language."""

from mailer.imports.model import Fate, ImportLine, Why
from mailer.kit.addresses import AddressIncomplete, AddressNeedsUtf8, AddressUnwritable
from mailer.kit.errors import Invalid
from mailer.kit.i18n import N_, Phrase, _

_REASONS = {
    Why.NO_ADDRESS: N_("There is no address in this line."),
    Why.TWICE: N_("The same address as in line %(first)s, which counts."),
    Why.UNKNOWN_TIER: N_("There is no level “%(said)s”. Your levels are: %(levels)s."),
    Why.UNKNOWN_LANGUAGE: N_("“%(said)s” is no language we know. Write en, fr or its name."),
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


def why(line: ImportLine) -> str:
    """Say why a line is refused; empty for one that is not."""
    if line.fate is not Fate.REFUSED:
        return ""
    return reason(line.why, line.facts)


def reason(code: str, facts: dict[str, str]) -> str:
    """Say a reason by its code."""
    if code in _ADDRESSES:
        return _ADDRESSES[code](why=Phrase(facts.get("why", ""))).said()
    if code == Why.UNKNOWN_TIER and facts.get("nearest"):
        return _(_NEARER) % facts
    return _(_REASONS[Why(code)]) % facts
