"""The frame of a mail with two parts that say the same: plain text first, then HTML."""

import msgspec


class Frame(msgspec.Struct, frozen=True):
    """The bytes before, between and after the two parts."""

    head: bytes  # the last lines of the head, with their CRLF
    before_text: bytes
    before_html: bytes
    after: bytes


_PART = (
    b"\r\n--%b\r\nContent-Type: text/%b; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
)


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
