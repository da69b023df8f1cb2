"""The frame of a mail: around two parts that say the same, text first, or around text alone."""

import msgspec

_ENCODING = b"Content-Transfer-Encoding: quoted-printable\r\n"

HEAD_OF_TEXT = b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n" + _ENCODING
"""The last lines of the head of a mail that is text alone; a blank line and the text follow."""


class Frame(msgspec.Struct, frozen=True):
    """The bytes before, between and after the two parts."""

    head: bytes  # the last lines of the head, with their CRLF
    before_text: bytes
    before_html: bytes
    after: bytes


_PART = b"\r\n--%b\r\nContent-Type: text/%b; charset=utf-8\r\n" + _ENCODING + b"\r\n"


def frame(digest: str) -> Frame:
    """Make the frame of a mail. "=_" cannot occur in quoted-printable, so nothing can close it."""
    boundary = f"=_{digest}".encode()
    return Frame(
        head=b"MIME-Version: 1.0\r\n"
        b'Content-Type: multipart/alternative; boundary="' + boundary + b'"\r\n',
        before_text=_PART % (boundary, b"plain"),
        before_html=_PART % (boundary, b"html"),
        after=b"\r\n--" + boundary + b"--\r\n",
    )
