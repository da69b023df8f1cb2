"""From octets to letters: finding out a file's encoding, and decoding it a piece at a time."""

import codecs
import re

from charset_normalizer import from_bytes

from mailer.kit.errors import Invalid

HEAD = 131_072
"""Octets at the beginning of a file by which it is known."""

_SAMPLE = 65_536  # octets of lines with more than ASCII, by which an encoding is guessed


class FileEmpty(Invalid):
    """This file is empty."""


class FileIsOldSpreadsheet(Invalid):
    """This workbook is of an old kind. Open it and save it as .xlsx or “CSV UTF-8”."""


class FileNotText(Invalid):
    """This file is not text, so it cannot be a list of people. A CSV or XLSX file is needed."""


class EncodingUnknown(Invalid):
    """We do not know this encoding."""


ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16, big-endian",
    "cp1252": "Windows-1252",
    "iso8859-15": "ISO 8859-15",
    "mac-roman": "Mac Roman",
    "cp1250": "Windows-1250",
    "cp1251": "Windows-1251",
    "koi8-r": "KOI8-R",
    "cp1253": "Windows-1253",
    "cp1254": "Windows-1254",
    "cp1255": "Windows-1255",
    "cp1256": "Windows-1256",
    "big5": "Big5",
    "gb18030": "GB 18030",
    "shift-jis": "Shift JIS",
    "euc-kr": "EUC-KR",
}
"""The encodings in which files come, by their codec. Every one but UTF-16 keeps line ends ASCII."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
_WORKBOOK = b"PK\x03\x04"
# What charset-normalizer calls them, where a guess may be taken: an alphabet that is not Latin is
# hardly ever seen where there is none. Among the Latin ones it mistakes French for Czech.
_TAKEN = {
    "cp1251": "cp1251",
    "koi8_r": "koi8-r",
    "cp1253": "cp1253",
    "iso8859_7": "cp1253",
    "cp1255": "cp1255",
    "cp1256": "cp1256",
    "big5": "big5",
    "big5hkscs": "big5",
    "cp950": "big5",
    "gb18030": "gb18030",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "shift-jis",
    "cp932": "shift-jis",
    "euc_kr": "euc-kr",
    "cp949": "euc-kr",
}
_CENTRAL_LETTERS = frozenset("ąćęłńśźżčďěňřšťůžőűăşţđĄĆĘŁŃŚŹŻČĎĚŇŘŠŤŮŽŐŰĂŞŢĐ")
_BEYOND_ASCII = re.compile(rb"[^\r\n]*[\x80-\xff][^\r\n]*")


def is_workbook(head: bytes) -> bool:
    """Say whether these are the first octets of an XLSX file (or of another archive)."""
    if head.startswith(_OLD_WORKBOOK):
        raise FileIsOldSpreadsheet(field="file")
    return head.startswith(_WORKBOOK)


def mark_length(head: bytes) -> int:
    """Count the octets of a byte order mark."""
    return next((len(mark) for mark, _ in _BOMS if head.startswith(mark)), 0)


class Finder:
    """Finds out the encoding of a file: by its head, or where that does not tell by all of it.

    A byte order mark decides. Else what reads as UTF-8 is UTF-8, for other encodings hardly ever
    do. Of what is left an alphabet that is not Latin is believed, and the rest is Windows-1252, in
    which old spreadsheets of western Europe save.
    """

    def __init__(self, head: bytes) -> None:
        """Look at the first octets; what is no text is refused."""
        self._found = _by_head(head)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._is_utf8 = True
        self._sample: list[bytes] = []
        self._size = 0

    def look(self, piece: bytes) -> bool:
        """Look at the next piece of the file; True when no more need be seen."""
        if self._found:
            return True
        if not piece.isascii() and self._size < _SAMPLE:
            for line in _BEYOND_ASCII.findall(piece):
                self._sample.append(line[:1000])
                self._size += len(self._sample[-1])
                if self._size >= _SAMPLE:
                    break
        self._decode(piece, is_end=False)
        return not self._is_utf8 and self._size >= _SAMPLE

    def found(self) -> str:
        """Give the codec, when every piece was looked at or no more need be."""
        if self._found:
            return self._found
        self._decode(b"", is_end=True)
        return "utf-8" if self._is_utf8 else _guess(b"\n".join(self._sample))

    def _decode(self, piece: bytes, *, is_end: bool) -> None:
        if self._is_utf8:
            try:
                self._decoder.decode(piece, final=is_end)
            except UnicodeDecodeError:
                self._is_utf8 = False


def _by_head(head: bytes) -> str:
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    nuls = head[:2000].count(0)
    if nuls > len(head[:2000]) // 5:
        # Every other octet of Latin text in UTF-16 is NUL; its place tells the order.
        return "utf-16-be" if head[:1] == b"\0" else "utf-16-le"
    controls = sum(head.count(bytes([code])) for code in (*range(1, 9), *range(14, 32)))
    if controls > 64 + len(head) // 20:  # a stray one costs its line, not the file
        raise FileNotText(field="file")
    return ""


def _guess(sample: bytes) -> str:
    best = from_bytes(sample, cp_exclusion=["utf_7"]).best()
    if best is None:
        return "cp1252"
    letters = [letter for letter in str(best) if letter > "\x7f" and letter.isalpha()]
    central = sum(letter in _CENTRAL_LETTERS for letter in letters)
    if best.encoding in {"cp1250", "iso8859_2"} and central > max(7, len(letters) // 4):
        return "cp1250"
    foreign = sum(letter > "\u036f" for letter in letters)
    if best.encoding in _TAKEN and foreign > max(7, len(letters) // 2):
        return _TAKEN[best.encoding]
    return "cp1252"


def decode(octets: bytes, encoding: str) -> str:
    """Decode a piece that ends where a letter ends. What is no letter becomes a lone surrogate."""
    if encoding.startswith("utf-16"):
        return octets.decode(encoding, errors="replace")
    return octets.decode(encoding, errors="surrogateescape")


def encoded_length(text: str, encoding: str) -> int:
    """Count the octets from which `decode` made a text."""
    if encoding == "utf-8":
        return len(text.encode("utf-8", errors="surrogateescape"))
    if encoding.startswith("utf-16"):
        return len(text.encode(encoding, errors="surrogatepass"))
    return len(text.encode(encoding, errors="surrogateescape"))


def whole_lines(octets: bytes, encoding: str) -> int:
    """Count the octets of a piece up to the end of its last whole line."""
    if not encoding.startswith("utf-16"):
        return octets.rfind(b"\n") + 1 or octets.rfind(b"\r") + 1
    end = "\n".encode(encoding)
    at = octets.rfind(end)
    while at % 2 and at > 0:  # half of one letter and half of the next
        at = octets.rfind(end, 0, at + 1)
    return at + 2 if at >= 0 else 0
