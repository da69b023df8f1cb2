"""The self-test of headers: this Python may be one whose own mail writer can be tricked.

We never use that writer, and this shows that ours is not tricked by the same payloads. It is run
when a process starts, and by `rollcall doctor`. It tests behaviour and not versions, because
distributions mend their Python without renaming it.
"""

import email
import email.policy

from mailer.content import headers
from mailer.content.letters import RenderedLetter, letter_bytes
from mailer.content.proof import addresses
from mailer.kit.i18n import _

_PAYLOADS = (
    "=?utf-8?q?x=0D=0ABcc:_a@evil.example?=",  # CVE-2024-6923
    "x\r\nBcc: a@evil.example",
    "Ada, evil@attacker.example " + "x" * 80,  # folded without its quotes: two addresses
)
_SENDER, _MEMBER = "news@roll.example.org", "bob@good.example"
_LINK = "https://roll.example.org/u/" + "A" * 90  # a line of this length is folded by others
_NAMES = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "MIME-Version",
    "Content-Type",
]


def headers_hold() -> list[str]:
    """Try the known tricks on our writer; give a sentence for each that works. Empty is good."""
    found = [fault for payload in _PAYLOADS for fault in _faults_with(payload)]
    return list(dict.fromkeys([*found, *_faults_of_foreign_addresses()]))


def _faults_with(payload: str) -> list[str]:
    wire = letter_bytes(
        RenderedLetter(subject=payload, text="-", html="-"),
        from_name=payload,
        from_address=_SENDER,
        to=_MEMBER,
        message_id="selftest",
        domain="roll.example.org",
        now=0,
        list_unsubscribe=_LINK,
    )
    parsed = email.message_from_bytes(wire, policy=email.policy.default)
    found = []
    if parsed.keys() != _NAMES:
        found.append(_("A subject or a name can add a line to the head of a mail."))
    if parsed["Subject"] != headers.subject_read(payload):
        found.append(_("A subject arrives changed."))
    if [addresses(parsed, name) for name in ("From", "To")] != [[_SENDER], [_MEMBER]]:
        found.append(_("A name can add an address to a mail."))
    if f"\r\nList-Unsubscribe: <{_LINK}>\r\n".encode() not in wire:
        found.append(_("The link for leaving with one tap arrives broken."))
    return found


def _faults_of_foreign_addresses() -> list[str]:
    fault = _("An address with foreign letters is written wrongly.")
    if headers.to("a@bücher.example") != b"To: a@xn--bcher-kva.example":
        return [fault]
    if headers.to("żaneta@good.example") != "To: żaneta@good.example".encode():  # RFC 6532
        return [fault]
    try:
        headers.to("ża\nneta@good.example")
    except headers.Unmailable:
        return []
    return [fault]
