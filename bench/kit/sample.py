"""The same newsletter for the others: its words and its HTML, with marks where a person's stand."""

import dataclasses
import email
import email.policy
import re
from pathlib import Path

LINK = re.compile(r"(/[lu]/)[A-Za-z0-9_-]{20,}")
NAME, TOKEN = "{{ first_name }}", "{{ token }}"


@dataclasses.dataclass(frozen=True)
class Sample:
    """One message of ours, and the parts that other senders fill in and send."""

    octets: int
    subject: str
    text: str
    html: str

    @classmethod
    def of(cls, message: bytes, *, name: str) -> "Sample":
        """Take a message to somebody of this name apart."""
        read = email.message_from_bytes(message, policy=email.policy.default)
        parts = {
            part.get_content_type(): str(part.get_content())
            for part in read.walk()
            if part.get_content_maintype() == "text"
        }
        return cls(
            len(message),
            read["Subject"].replace(name, NAME),
            *[_marked(parts[kind], name) for kind in ("text/plain", "text/html")],
        )

    def write(self, folder: Path) -> None:
        """Lay it down for a sender: subject.txt, body.txt, body.html."""
        for name, words in (
            ("subject.txt", self.subject),
            ("body.txt", self.text),
            ("body.html", self.html),
        ):
            (folder / name).write_text(words)


def _marked(words: str, name: str) -> str:
    return LINK.sub(rf"\g<1>{TOKEN}", words.replace(name, NAME))
