"""Addresses: what can be written to, and when two are the same.

An address is kept as it was typed, for that is how its owner writes it. Two addresses are the same
when their *keys* are: domain as A-labels in lower case, local part NFC and case-folded. (By RFC
5321 2.4 a server may tell `Bo@` from `bo@`; none of note does, and a roll that has both writes to
one person twice.)
"""

import re
import unicodedata

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

from mailer.kit.errors import Invalid
from mailer.kit.i18n import N_, Phrase


class AddressIncomplete(Invalid):
    """An email address has two parts with an @ between them, like name@example.org."""


class AddressUnwritable(Invalid):
    """No mail can go to this address: %(why)s."""


class AddressNeedsUtf8(Invalid):
    """The part before the @ has letters that many mail servers do not take. Please give another."""


def read_address(typed: str) -> str:
    """Check what somebody typed and give the address as it is kept.

    The domain is in its readable form (RFC 5891), the local part as typed. Refuses, in words, what
    no relay would take; it asks no DNS, since a form must answer at once and in the same time.
    """
    typed = typed.strip().strip("<>").removeprefix("mailto:").strip()
    if typed.count("@") == 0 or typed.startswith("@") or typed.endswith("@"):
        raise AddressIncomplete(field="address")
    if "=?" in typed:
        # RFC 2047 5: no encoded word stands in an address, but some programs decode one there.
        raise AddressUnwritable(field="address", why=Phrase(_LIKE_CODED_TEXT))
    found = _validated(typed)
    if found.ascii_email is None:
        # RFC 6531: such a local part travels only where every server on the way has SMTPUTF8.
        raise AddressNeedsUtf8(field="address")
    return found.normalized


def key_of(address: str) -> str:
    """Give the key under which two spellings of one address are one."""
    local, _, domain = address.rpartition("@")
    local = unicodedata.normalize("NFC", local).casefold()
    try:
        domain = domain.encode("idna").decode() if not domain.isascii() else domain
    except UnicodeError:
        return f"{local}@{domain}".casefold()
    return f"{local}@{domain.lower()}"


def masked(address: str) -> str:
    """Show an address on a page that may have been forwarded: `f…@example.org`.

    The domain of a large provider tells nothing; a small one does, so it is cut as well:
    `f…@e….org`.
    """
    local, _, domain = address.rpartition("@")
    name, _, rest = domain.partition(".")
    shown = domain if domain in _LARGE else f"{name[:1]}….{rest}"
    return f"{local[:1]}…@{shown}"


_LARGE = frozenset(
    "gmail.com googlemail.com yahoo.com outlook.com hotmail.com live.com icloud.com aol.com gmx.net"
    " gmx.de web.de proton.me protonmail.com posteo.de riseup.net orange.fr free.fr laposte.net"
    " yahoo.fr yahoo.co.uk hotmail.co.uk hotmail.fr btinternet.com mail.com".split(),
)


# The library says why in English; these are its reasons in words that can be said in any language.
_WHYS = [
    (r"two periods", N_("there are two dots in a row")),
    (r"(start|end) with a period|directly (after|before) the @", N_("a dot stands at an edge")),
    (r"Quoting", N_("the part before the @ is in quotation marks")),
    (r"too long", N_("it is too long")),
    (
        r"should have a period|special-use",
        N_("the part after the @ is not a domain on the internet"),
    ),
    (r"brackets|IP address|literal", N_("the part after the @ is a number and not a name")),
    (r"one @-sign|at-sign", N_("there is more than one @")),
    (r"after the @-sign", N_("the part after the @ has a mistake in it")),
]
_LIKE_CODED_TEXT = N_("it has =? in it, which mail programs take for coded text")
_ANY_OTHER_WHY = N_("it has a character that cannot stand there")


def _validated(typed: str) -> ValidatedEmail:
    try:
        # strict: the local part keeps within 64 octets (RFC 5321 4.5.3.1.1).
        return validate_email(typed, check_deliverability=False, strict=True)
    except EmailNotValidError as error:
        said = str(error)
        why = next((why for sign, why in _WHYS if re.search(sign, said)), _ANY_OTHER_WHY)
        raise AddressUnwritable(field="address", why=Phrase(why)) from error
