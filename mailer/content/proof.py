"""The proof of a campaign: fill it for hostile readers, read it back, and compare.

It runs when a campaign is compiled, so that a fault stops one organiser, and not one in a million
messages. The standard library's parser reads what our own writer wrote; its writer is never used.
"""

import email
import email.policy
import re
from email.message import EmailMessage
from html.parser import HTMLParser

import msgspec
from typing_extensions import override

from mailer.content import headers
from mailer.content.blocks import Facts
from mailer.content.marks import as_outlook_reads
from mailer.content.message import CompiledCampaign, Holding, Program, Reader
from mailer.content.refusals import Unfit
from mailer.subscribers.model import MailForm


class NotProven(Unfit):
    """We filled this newsletter with awkward names, and it did not read back as it should.

    What differs: %(wrong)s. Nothing was sent. Please report it with the text of the newsletter.
    """


# Each stands for all that a member or an import may have written, one after the other.
HOSTILE_VALUES = (
    "=?utf-8?q?x=0D=0ABcc:_a@evil.example?=",
    "a\r\nBcc: evil@example.com",
    "a\u2028Bcc: evil@example.com\u2029",
    "Ada, evil@attacker.example " + "x" * 70,
    "Ada, evil " + "x" * 40,
    "\u202eevil\u202c \u2066x\u2069",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "--><![endif]-->",
    "]]>",
    "&lt;b&gt;",
    "{{ 7*7 }}{% raw %}",
    "%s%n%(x)s",
    "\0\x1b[31m\x7f\x85",
    "a" * 10_000,
    "é" * 30,
    "👩‍👩‍👧" * 9,
    "فريدة",
    "\ud800",
    "..",
    "From here",
    "= ",
    " ",
    "rc00000000s0000z",
    "https://evil.example/win",
    "javascript:alert(1)",
    "\\'",
)
_ADDRESSES = ("o'hara+news=1@example.org", "a@bücher.example", "=@example.org", "a.b@x.y.example")
_NOW = 1_700_000_000
_OTHER_FORMS = (MailForm.PLAIN, MailForm.LARGE)
_PARTS = ["multipart/alternative", "text/plain", "text/html"]
# An address or a token is never folded; a line may then be wider than the others, not than 998.
_UNFOLDED = (b"List-", b"From:", b"Reply-To:", b" <", b"To:", b"Message-ID:", b"Content-Type:")


def prove(campaign: CompiledCampaign) -> None:
    """Compare every language's mail for hostile readers with its mail for a tame one.

    The usual form is read back for each of them; the others, which are made of the same pieces, for
    some in turn.
    """
    for language, program in campaign.programs.items():
        names = [slot.field.name for slot in program.slots]
        tame = _structures(program, {name: _tame_value(name) for name in names})
        for number, value in enumerate(HOSTILE_VALUES):
            values = dict.fromkeys(names, value)
            reader = Reader(
                address=_ADDRESSES[number % len(_ADDRESSES)],
                message_id="d1.1.1.proof",
                unsubscribe_url="https://unsubscribe.example/u/AQAAAAEAAAAqZk9yX0ZhcmlkYQ",
                facts=Facts(tier=""),
                values=values,
            )
            read_back(campaign, reader, language)
            other = _OTHER_FORMS[number % len(_OTHER_FORMS)]
            read_back(campaign, msgspec.structs.replace(reader, form=other), language)
            if _structures(program, values) != tame:
                raise NotProven(wrong="structure", language=language)


def _tame_value(name: str) -> str:
    return "https://example.org/l/A" if name.startswith("link.") else "Farida"


def read_back(campaign: CompiledCampaign, reader: Reader, language: str) -> EmailMessage:
    """Fill for one reader, parse, compare the head and the frame; give what was parsed."""
    wire = campaign.fill(reader, language, _NOW)
    parsed = email.message_from_bytes(wire, policy=email.policy.default)
    subject = headers.subject_read(campaign.program(language).subject(reader.values))
    to = headers.bare_address(reader.address).decode()
    sender = headers.bare_address(campaign.envelope.from_address).decode()
    types = [part.get_content_type() for part in parsed.walk()]
    unsubscribe = f"\r\nList-Unsubscribe: <{reader.unsubscribe_url}>\r\n".encode()
    right = {
        "header names": parsed.keys() == campaign.header_names(reader.form),
        "Subject": parsed["Subject"] == subject,
        "To": addresses(parsed, "To") == [to],
        "From": addresses(parsed, "From") == [sender],
        "List-Unsubscribe": unsubscribe in wire,
        "parts": types == (["text/plain"] if reader.form is MailForm.PLAIN else _PARTS),
        "form": not any(part.defects for part in parsed.walk()),
        "bytes": not faults_of_bytes(wire),
    }
    if wrong := [what for what, is_right in right.items() if not is_right]:
        raise NotProven(wrong=", ".join(wrong), language=language)
    return parsed


def addresses(parsed: EmailMessage, name: str) -> list[str]:
    """List the addresses that a header is read as; none where it cannot be read."""
    try:
        header = parsed.get(name)
    except ValueError:  # the parser refuses names with a line break in them
        return []
    return [address.addr_spec for address in header.addresses] if header else []


def faults_of_bytes(wire: bytes) -> list[str]:
    """Find what must not be on the wire (RFC 5321, 5322, 2045): a sentence for each."""
    head, _, body = wire.partition(b"\r\n\r\n")
    faults = {
        "not ASCII": not wire.isascii() or b"\0" in wire,
        "a line does not end in CRLF": re.search(rb"(?<!\r)\n|\r(?!\n)", wire) is not None,
        "the last line does not end": not wire.endswith(b"\r\n"),
        "a line begins with a dot": b"\r\n." in wire,
        "a line is over 998": any(len(line) > 998 for line in wire.split(b"\r\n")),
        "a line of the head is over 78": any(
            len(line) > 78 and not line.startswith(_UNFOLDED) for line in head.split(b"\r\n")
        ),
        "a line of the body is over 76": any(len(line) > 76 for line in body.split(b"\r\n")),
    }
    return [fault for fault, is_so in faults.items() if is_so]


Structure = list[tuple[str, tuple[str, ...]]]


def _structures(program: Program, values: dict[str, str]) -> list[Structure]:
    """Read elements and names of attributes, with every region shown, as all and as Outlook do."""
    everything: Holding = (True,) * len(program.conditions)
    html = decoded(program, values, everything).html
    return [structure(html), structure(as_outlook_reads(html))]


def structure(html: str) -> Structure:
    """List the elements of a page with the names of their attributes."""
    lister = _Lister()
    lister.feed(html)
    lister.close()
    return lister.found


class _Lister(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: Structure = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _value in attrs)))

    @override
    def handle_endtag(self, tag: str) -> None:
        self.found.append(("/" + tag, ()))

    @override
    def handle_comment(self, data: str) -> None:
        self.found.append(("comment", ()))


class Decoded(msgspec.Struct, frozen=True):
    """The two parts of a mail as a mail program reads them."""

    text: str
    html: str


def decoded(program: Program, values: dict[str, str], holding: Holding) -> Decoded:
    """Fill a program and read its two parts back."""
    wire = program.face(MailForm.USUAL).head + b"".join(program.body(values, holding))
    parsed = email.message_from_bytes(wire, policy=email.policy.default)
    text, html = (part.get_content().replace("\r\n", "\n") for part in parsed.iter_parts())
    return Decoded(text=text, html=html)
