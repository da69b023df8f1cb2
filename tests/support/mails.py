"""A mail as its reader has it before them: its words, and where its links lead."""

import asyncio
import email
import email.policy
import re
from email.message import EmailMessage
from html.parser import HTMLParser

from typing_extensions import override

from tests.support.relay import Letter, Relay


class Mail:
    """What was received."""

    def __init__(self, letter: Letter) -> None:
        self.letter = letter
        message = email.message_from_bytes(letter.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.message = message
        self.to = letter.to[0]
        self.subject = str(message["Subject"])
        self.text = self._part("plain")
        self.html = self._part("html")
        reader = _Links()
        reader.feed(self.html)
        self.links = reader.found

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return str(part.get_content()) if part else ""

    def link(self, words: str) -> str:
        """Give where the link leads whose words these are, or begin with these."""
        for said, to in self.links:
            if said.startswith(words):
                return to
        raise AssertionError(f"no link “{words}” among {[said for said, _ in self.links]}")

    @property
    def code(self) -> str:
        """Give the six digits that stand in it."""
        found = re.search(r"\b\d{3} ?\d{3}\b", self.text)
        assert found, self.text
        return found[0].replace(" ", "")

    @property
    def one_click(self) -> str:
        """Give the address of the one-click unsubscribe, from the head."""
        found = re.fullmatch(r"<(https?://[^>]+)>", str(self.message["List-Unsubscribe"]))
        assert found
        return found[1]


class Mailbox:
    """What one person has received, read as it comes."""

    def __init__(self, relay: Relay, address: str) -> None:
        self.relay = relay
        self.address = address
        self.read = 0

    def all(self) -> list[Mail]:
        return [Mail(one) for one in self.relay.letters if one.to == [self.address]]

    async def next(self, *, subject: str = "", seconds: float = 20) -> Mail:
        """Wait for the next mail, whose subject has these words in it."""
        async with asyncio.timeout(seconds):
            while len(mails := self.all()) <= self.read:
                await asyncio.sleep(0.02)
        mail = mails[self.read]
        self.read += 1
        assert subject in mail.subject, mail.subject
        return mail


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._to = ""
        self._words: list[str] | None = None

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._to, self._words = dict(attrs).get("href") or "", []

    @override
    def handle_data(self, data: str) -> None:
        if self._words is not None:
            self._words.append(data)

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._words is not None:
            self.found.append((" ".join("".join(self._words).split()), self._to))
            self._words = None
