"""Header lines, written by ourselves.

The standard library's writer injects a Bcc from a Subject (CVE-2024-6923), turns List-Unsubscribe
into encoded words, and takes a member's name for an address. So no text of anybody's reaches it.
Each function here is total: it returns one header line (folded, without the last CRLF), or refuses
an address or identifier that cannot be written. All take ``str`` and return ``bytes`` of printable
ASCII, with CRLF only as part of a fold.
"""

import binascii
import functools
import re
import time
import unicodedata
from datetime import datetime

from mailer.content.merge import clean
from mailer.content.refusals import excerpt
from mailer.kit.errors import Invalid


class BadHeader(Invalid):
    """%(header)s cannot be written into the head of a mail: %(value)s. Change it."""


class Unmailable(Invalid):
    """We cannot write to this address.

    It needs plain letters before the @ and a domain name after it, as in farida@example.org.
    """


_LINE = 78
_ENCODED_LINE = 76  # RFC 2047 2: a line with an encoded word is shorter
_LONGEST_LINE = 998  # RFC 5322 2.1.1
_LONGEST_SUBJECT = 250
_LONGEST_NAME = 120
_LONGEST_CLUSTER = 8  # 32 octets at most; the shortest line of encoded words has room for 39

_INVISIBLE_MARKS = dict.fromkeys([0x061C, 0x200B, 0x200E, 0x200F, 0x2060, 0x00AD], "")


# One short line of ASCII, without what looks like an encoded word or would be made narrower.
_is_plain_subject = re.compile(r"(?!.*(?:=\?|  ))[!-~][ -~]{0,60}[!-~]").fullmatch


def subject(text: str) -> bytes:
    """Write a subject; an empty one becomes a dash."""
    if _is_plain_subject(text):
        return b"Subject: " + text.encode()
    return b"Subject: " + unstructured(subject_read(text), used=len("Subject: "))


def subject_read(text: str) -> str:
    """Say what a reader's mail program will show of a subject."""
    return one_line(text)[:_LONGEST_SUBJECT].strip() or "-"


def from_(name: str, address: str) -> bytes:
    """Write who sends."""
    return b"From: " + mailbox(name, address, used=len("From: "))


def reply_to(address: str) -> bytes:
    """Write where answers go: the bare address."""
    return b"Reply-To: " + bare_address(address)


def to(address: str) -> bytes:
    """Write the bare address. A name here would be one more thing to leak and to break.

    A local part that is not ASCII stands there as it is (RFC 6532 3.2): such a message goes only to
    servers that offer SMTPUTF8.
    """
    return b"To: " + (bare_address if address.isascii() else address_in_utf8)(address)


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec").split()


def date(at: datetime | float) -> bytes:
    """Write a moment in UTC; our own names of days and months, for strftime's follow the locale."""
    then = time.gmtime(at.timestamp() if isinstance(at, datetime) else at)
    day, month = _DAYS[then.tm_wday], _MONTHS[then.tm_mon - 1]
    clock = f"{then.tm_hour:02}:{then.tm_min:02}:{then.tm_sec:02}"
    return f"Date: {day}, {then.tm_mday:02} {month} {then.tm_year:04} {clock} +0000".encode()


def message_id(local: str, domain: str) -> bytes:
    """Write the same for each attempt: `local` is the signed encoding of a delivery's key."""
    is_plain = local.isascii() and local.isalnum()  # as ours are
    if not (is_plain or _is_dot_atom(local)) or len(local) > 64:
        raise BadHeader(header="Message-ID", value=excerpt(local))
    return f"Message-ID: <{local}@{_domain(domain)}>".encode()


def list_id(name: str, identifier: str) -> bytes:
    """Write an optional phrase and an identifier like a domain that never changes (RFC 2919)."""
    if len(identifier) > 128 or not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", identifier):
        raise BadHeader(header="List-Id", value=excerpt(identifier))
    bracketed = f"<{identifier}>".encode()
    shown = phrase(name, used=len("List-Id: "))
    if not shown:
        return b"List-Id: " + bracketed
    one_row = b"\r\n" not in shown and len(shown) + len(bracketed) <= _ENCODED_LINE - 10
    return b"List-Id: " + shown + (b" " if one_row else b"\r\n ") + bracketed


_is_list_url = re.compile(
    r"(https://[A-Za-z0-9.-]+|http://(127\.0\.0\.1|localhost))(:\d{1,5})?/[A-Za-z0-9._~/-]*"
).fullmatch


_LIST_HEADERS = frozenset(
    f"List-{what}" for what in ("Unsubscribe", "Help", "Owner", "Archive", "Subscribe", "Post")
)


def list_url(header: str, url: str) -> bytes:
    """Write List-Unsubscribe and its like: one https URI, never folded and never encoded.

    One-click depends on it. The tokens are made so that the line stays under 78; a very long host
    name may pass that but not 998. Plain http is for a demonstration on this machine only.
    """
    line = f"{header}: <{url}>"
    if header not in _LIST_HEADERS or not _is_list_url(url) or len(line) > _LONGEST_LINE:
        raise BadHeader(header=excerpt(header), value=excerpt(url))
    return line.encode()


ONE_CLICK = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click"
AUTO_SUBMITTED = b"Auto-Submitted: auto-generated"


def feedback_id(*, campaign: str, kind: str, list_name: str, sender: str) -> bytes:
    """Write Google's four fields, for counting complaints per campaign: nothing of the reader."""
    fields = [
        re.sub(r"[^A-Za-z0-9_-]+", "-", field)[:15].strip("-") or "x"
        for field in (campaign, kind, list_name, sender)
    ]
    return f"Feedback-ID: {':'.join(fields)}".encode()


# The pieces of a line.


def unstructured(text: str, *, used: int) -> bytes:
    """Write short printable ASCII as it is, and encode all that looks otherwise."""
    plain = text.isascii() and text.isprintable() and "=?" not in text and text == text.strip()
    if plain and used + len(text) <= _LINE:
        return text.encode()
    return encoded_words(text, used=used)


def mailbox(name: str, address: str, *, used: int) -> bytes:
    """Write a display name, if there is one, and the address."""
    shown = phrase(name, used=used)
    bare = bare_address(address)
    if not shown:
        return bare
    limit = _ENCODED_LINE if b"=?" in shown else _LINE
    one_row = b"\r\n" not in shown and used + len(shown) + len(bare) + 3 <= limit
    return shown + (b" " if one_row else b"\r\n ") + b"<" + bare + b">"


def phrase(name: str, *, used: int) -> bytes:
    """Write a display name: atoms as they are, else a quoted string, else encoded words."""
    name = name_read(name)
    if not name.isascii() or not name.isprintable() or "=?" in name:
        return encoded_words(name, used=used)
    if re.fullmatch(rf"[ {_ATOM}]*", name) and used + len(name) <= _LINE:
        return name.encode()
    if used + len(name) <= _LINE - 10:
        return b'"' + re.sub(r'(["\\])', r"\\\1", name).encode() + b'"'
    return encoded_words(name, used=used)


def name_read(name: str) -> str:
    """Say what a reader's mail program will show of a name."""
    return one_line(name)[:_LONGEST_NAME].strip()


def encoded_words(text: str, *, used: int) -> bytes:
    """Write RFC 2047 B words: at most 75 characters, whole characters in each, folds between.

    The first line already holds `used` columns of the header's name. Letters stay with their
    combining marks where they fit, for a reader that decodes word by word shows a lone mark badly.
    """
    words: list[bytes] = []
    room = _room(min(75, _ENCODED_LINE - used))
    current = b""
    for cluster in _clusters(text):
        octets = cluster.encode("utf-8", "replace")
        if len(current) + len(octets) > room and current:
            words.append(current)
            current, room = b"", _room(75)
        current += octets
    words.append(current)
    return b"\r\n ".join(
        b"=?utf-8?B?" + binascii.b2a_base64(word, newline=False) + b"?=" for word in words if word
    )


def _room(characters: int) -> int:
    return (characters - len("=?utf-8?B??=")) // 4 * 3


def _clusters(text: str) -> list[str]:
    clusters: list[str] = []
    for char in text:
        joins = (
            unicodedata.combining(char)
            or char in "\u200d\ufe0f"
            or (clusters and clusters[-1][-1] == "\u200d")
        )
        if joins and clusters and len(clusters[-1]) < _LONGEST_CLUSTER:
            clusters[-1] += char
        else:
            clusters.append(char)
    return clusters


@functools.lru_cache(maxsize=4096)  # asked for the envelope, and again for the head
def bare_address(address: str) -> bytes:
    """Write an addr-spec in ASCII, its domain as A-labels.

    Refuses what would need SMTPUTF8, quoting or faith.
    """
    local, _, domain = address.rpartition("@")
    if not _is_dot_atom(local) or len(local) > 64 or "=?" in local:
        raise Unmailable
    return f"{local}@{_domain(domain)}".encode()


@functools.lru_cache(maxsize=256)
def address_in_utf8(address: str) -> bytes:
    """Write an addr-spec whose local part may be UTF-8 (RFC 6531 3.3), its domain as A-labels."""
    local, _, domain = address.rpartition("@")
    octets = local.encode("utf-8", "replace")
    is_local = _is_dot_atom_in_utf8(local) and unicodedata.is_normalized("NFC", local)
    if not is_local or len(octets) > 64 or "=?" in local:
        raise Unmailable
    return octets + f"@{_domain(domain)}".encode()


_is_domain = re.compile(r"(?!-)([A-Za-z0-9-]{1,63}\.)+[A-Za-z][A-Za-z0-9-]{0,62}").fullmatch


@functools.lru_cache(maxsize=4096)  # most members share a few domains
def _domain(domain: str) -> str:
    if domain == "localhost":  # a demonstration's
        return domain
    try:
        labels = domain if domain.isascii() else domain.encode("idna").decode()
    except UnicodeError as error:
        raise Unmailable from error
    if len(labels) > 253 or not _is_domain(labels) or re.search(r"-\.|\.-|-\Z", labels):
        raise Unmailable
    return labels


_ATOM = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~-"
_is_dot_atom = re.compile(rf"[{_ATOM}]+(\.[{_ATOM}]+)*").fullmatch
# Letters, marks and digits of all scripts: nothing that is invisible or turns the text around.
_is_dot_atom_in_utf8 = re.compile(rf"(?:[{_ATOM}]|[^\W_])+(?:\.(?:[{_ATOM}]|[^\W_])+)*").fullmatch


def one_line(text: str) -> str:
    """Make one line; in a header even the bidi marks go."""
    return clean(text[:4000]).translate(_INVISIBLE_MARKS).strip()
