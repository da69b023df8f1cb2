"""What is on the wire: mail-standards 3.1 to 3.4, on the bytes that a server received."""

import email.utils
import re
from datetime import timedelta

import pytest

from mailer.bootstrap import House
from mailer.consent.private_links import send as send_private_link
from mailer.kit.work import clock
from mailer.subscribers import actions as subscribers
from mailer.subscribers import store as roll
from tests.cast import Cast
from tests.support.mails import Mail
from tests.support.relay import Letter, Relay
from tests.support.sending import no_letters, ready, until_sent, working

HOSTILE = "=?utf-8?q?x=0D=0ABcc:_a@evil.example?=\r\nBcc: evil@example.org\u2028<b>"
NEWSLETTER = (
    "From Reply-To List-Id List-Unsubscribe-Post Feedback-ID Subject Date To Message-ID"
    " List-Unsubscribe MIME-Version Content-Type"
).split()
LETTER = (
    "From Reply-To To Subject Date Message-ID Auto-Submitted MIME-Version Content-Type"
).split()


@pytest.fixture
async def taken(house: House, cast: Cast, relay: Relay) -> dict[str, Letter]:
    """A newsletter to Bo, whose name is an attack, and a letter to Gil."""
    await no_letters(house)
    async with house.work() as work:
        bo = await roll.by_no(work, cast.bo.no)
        gil = await roll.by_no(work, cast.gil.no)
        assert bo
        assert gil
        await subscribers.change_details(
            work, bo, first_name=HOSTILE[:100], last_name="", city="", language="en"
        )
        await send_private_link(work, gil)
    no = await ready(house, tiers=[cast.supporter.no])
    async with working(house, relay):
        await until_sent(house, no)
    return {letter.to[0]: letter for letter in relay.letters}


async def test_lines_are_short_end_in_crlf_and_are_ascii(taken: dict[str, Letter]) -> None:
    assert len(taken) == 2
    for letter in taken.values():
        content = letter.content
        assert content.isascii()
        assert b"\0" not in content
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)", content)
        assert content.endswith(b"\r\n")
        assert max(map(len, content.split(b"\r\n"))) <= 998


async def test_the_head_is_exactly_what_it_should_be(taken: dict[str, Letter]) -> None:
    for address, names in (("bo@example.org", NEWSLETTER), ("gil@example.org", LETTER)):
        message = Mail(taken[address]).message
        assert message.keys() == names
        assert message["To"] == address  # bare, without a name
        assert [one.addr_spec for one in message["From"].addresses] == ["news@war.example.org"]
        assert message["Message-ID"].endswith("@war.example.org>")
        sent_at = email.utils.parsedate_to_datetime(message["Date"])
        assert abs(clock() - sent_at) < timedelta(minutes=5)
        assert taken[address].sender == "news@war.example.org"
        assert taken[address].to == [address]


async def test_one_click_is_intact(taken: dict[str, Letter]) -> None:
    content = taken["bo@example.org"].content
    line = re.search(
        rb"^List-Unsubscribe: <(http://127\.0\.0\.1:8000/u/[A-Za-z0-9_-]+)>\r$",
        content,
        re.MULTILINE,
    )
    assert line
    assert len(line[0]) <= 78
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in content


async def test_the_text_comes_first_and_says_the_same(taken: dict[str, Letter]) -> None:
    for letter in taken.values():
        message = Mail(letter).message
        parts = list(message.walk())
        assert [part.get_content_type() for part in parts] == [
            "multipart/alternative",
            "text/plain",
            "text/html",
        ]
        assert not any(part.defects for part in parts)
        assert all(part["Content-Transfer-Encoding"] == "quoted-printable" for part in parts[1:])
        assert len(letter.content) < 102_000  # Gmail clips


async def test_no_octet_tells_who_reads_but_the_recipient(taken: dict[str, Letter]) -> None:
    for address, other in (("bo@example.org", b"gil@"), ("gil@example.org", b"bo@")):
        assert other not in taken[address].content
