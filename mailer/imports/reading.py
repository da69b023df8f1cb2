"""Reading a file: octets into lines of people, each under the number that an editor shows for it.

Files come from spreadsheets, from other tools and from hands. So the encoding and the delimiter are
found out and said, columns are known by their headings in English and French, and a line that
cannot be used costs itself and no other: a quote that is never closed does not swallow the rest of
the file. Nothing here knows the roll; whether somebody is on it is judged afterwards.
"""

import csv
import functools
import re
import unicodedata
from collections.abc import Iterator, Sequence

import msgspec
from babel import Locale

from mailer.imports.model import Why
from mailer.kit.addresses import key_of, read_address
from mailer.kit.errors import Invalid
from mailer.kit.i18n import LANGUAGES, own_name

DELIMITERS = (",", ";", "\t", "|")
LONGEST = 65_536  # characters in one line of a person; nobody's are more than a few hundred
MOST_LINES = 40  # that one quoted field may span; a quote open for longer was never closed
KEPT = 300  # characters of each cell of a refused line that are kept for its mending
TEXTS = {"first_name": 120, "last_name": 120, "city": 120, "group": 160}


class FileEmpty(Invalid):
    """This file is empty."""


class FileIsSpreadsheet(Invalid):
    """This is a workbook, not a CSV file. Open it and save it as “CSV UTF-8”, then try again."""


class FileNotText(Invalid):
    """This file is not text, so it cannot be a list of people. A CSV file is needed."""


class HeadingsMissing(Invalid):
    """The first line is a person, not headings. Put a line above it: email, first name, level."""


class NoAddressColumn(Invalid):
    """No heading here says which column is the email address. It reads: %(headings)s."""


class NobodyInFile(Invalid):
    """This file has headings and nobody below them."""


class Row(msgspec.Struct, kw_only=True):
    """One person of a file; `why` says what is wrong with the line, if something is."""

    line: int
    cells: Sequence[str] = ()
    why: str = ""
    facts: dict[str, str] = {}
    address: str = ""
    key: str = ""
    first_name: str = ""
    last_name: str = ""
    city: str = ""
    group: str = ""
    tier: str = ""  # as it is said in the file
    language: str = ""  # a code; empty where the file says none


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was read."""

    encoding: str
    delimiter: str
    headings: list[str]
    columns: dict[str, int]
    rows: list[Row]


def read(content: bytes) -> Table:
    """Read a file. Takes 60 µs a line, so the web does it in a thread and before it writes."""
    text, encoding = decode(content)
    lines = _LINES.findall(text)
    if not any(line.strip() for line in lines):
        raise FileEmpty(field="file")
    delimiter, start = find_delimiter(lines)
    found = records(lines[start:], delimiter, first=start + 1)
    headings = next((cells for _, cells, why in found if any(cells) and not why), [])
    columns = find_columns(headings)
    if "address" not in columns:
        if any("@" in heading for heading in headings):
            raise HeadingsMissing(field="file")
        said = " · ".join(heading[:40] for heading in headings[:12] if heading)
        raise NoAddressColumn(field="file", headings=said or "–")
    rows = [
        _row(Row(line=line, cells=cells, why=why), columns, width=len(headings))
        for line, cells, why in found
        if any(cells)  # spreadsheets write lines of nothing but delimiters
    ]
    if not rows:
        raise NobodyInFile(field="file")
    return Table(
        encoding=encoding,
        delimiter=delimiter,
        headings=headings,
        columns=columns,
        rows=rows,
    )


# --- octets into text ---------------------------------------------------------------------------

_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")  # str.splitlines knows too many ends
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # xlsx and ods; xls


def decode(content: bytes) -> tuple[str, str]:
    """Find out the encoding; give the text and the encoding's name.

    A byte order mark decides. Else what reads as UTF-8 is UTF-8, for other encodings hardly ever
    do; what is left is Windows-1252, in which old spreadsheets of western Europe save.
    """
    if content.startswith(_WORKBOOKS):
        raise FileIsSpreadsheet(field="file")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace"), "UTF-16"
    nuls = content[:2000].count(0)
    if nuls > len(content[:2000]) // 5:
        # Every other octet of Latin text in UTF-16 is NUL; its place tells the order.
        order = "utf-16-be" if content[:1] == b"\0" else "utf-16-le"
        return content.decode(order, errors="replace"), "UTF-16"
    try:
        text, encoding = content.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError:
        text, encoding = content.decode("cp1252", errors="replace"), "Windows-1252"
    controls = sum(text.count(chr(number)) for number in (*range(1, 9), *range(14, 32)))
    if controls > 64 + len(text) // 20:  # a stray one costs its line, not the file
        raise FileNotText(field="file")
    return text, encoding


# --- text into cells ----------------------------------------------------------------------------


def find_delimiter(lines: Sequence[str]) -> tuple[str, int]:
    """Find the delimiter by the headings it makes; give it and the index of the headings' line.

    A spreadsheet may say it in a line of its own: `sep=;`.
    """
    start = next(at for at, line in enumerate(lines) if line.strip())
    said = re.fullmatch(r'"?sep=(.)"?\s*', lines[start])
    if said and said[1] in DELIMITERS:
        return said[1], start + 1

    def sense(delimiter: str) -> tuple[bool, int, int]:
        headings = next((cells for _, cells, _ in records(lines[start:], delimiter)), [])
        columns = find_columns(headings)
        return "address" in columns, len(columns), len(headings)

    return max(DELIMITERS, key=sense), start


def records(
    lines: Sequence[str],
    delimiter: str,
    *,
    first: int = 1,
) -> Iterator[tuple[int, list[str], str]]:
    """Cut lines into cells (RFC 4180): number, cells, and why it cannot be cut if it cannot.

    A quoted cell may hold line breaks; its record has the number of its first line. When a quote
    stays open, or is closed in the middle of a word further down, only the line it stands in is
    given up, and reading goes on with the next.
    """
    at = 0
    while at < len(lines):
        line, number = lines[at], first + at
        at += 1
        if len(line) > LONGEST:
            yield number, [line[:KEPT]], Why.TOO_LONG
        elif '"' not in line:
            yield number, [cell.strip() for cell in line.split(delimiter)], ""
        elif more := _lines_of_record(lines, at - 1, delimiter):
            whole = "".join(lines[at - 1 : at - 1 + more])
            cells = next(csv.reader([whole], delimiter=delimiter, skipinitialspace=True))
            yield number, [cell.strip() for cell in cells], ""
            at += more - 1
        else:
            yield number, [line.strip()], Why.OPEN_QUOTE


def _lines_of_record(lines: Sequence[str], start: int, delimiter: str) -> int:
    """Count the lines of the record that begins here; 0 when its quote is never rightly closed."""
    inside, length = False, 0
    for at in range(start, min(start + MOST_LINES, len(lines))):
        length += len(lines[at])
        ends_inside = _ends_inside(lines[at], delimiter, inside=inside)
        if ends_inside is None or length > LONGEST:
            return 0
        if not ends_inside:
            return at - start + 1
        inside = True
    return 0


_SPACES = re.compile(" *")


def _ends_inside(line: str, delimiter: str, *, inside: bool) -> bool | None:
    """Say whether a quote is open at the end of this line; None when one from before ends wrongly.

    In a record of one line a stray quote is let pass, as every spreadsheet does. Over several it
    means that an earlier one was never closed and has found some other cell's.
    """
    at, from_before = 0, inside
    while True:
        if not inside:
            at = _end_of_spaces(line, at)
            if line[at : at + 1] != '"':
                at = line.find(delimiter, at) + 1
                if not at:
                    return False
                continue
            inside, at = True, at + 1
        at = line.find('"', at) + 1
        if not at:
            return True
        if line[at : at + 1] == '"':  # doubled: it stands for itself
            at += 1
            continue
        after = _end_of_spaces(line, at)
        if from_before and line[after : after + 1] not in {delimiter, "\r", "\n", ""}:
            return None
        inside = from_before = False
        at = line.find(delimiter, at) + 1
        if not at:
            return False


def _end_of_spaces(line: str, at: int) -> int:
    found = _SPACES.match(line, at)
    return found.end() if found else at


# --- headings into columns ----------------------------------------------------------------------

_HEADINGS = {
    "address": "email emailaddress emailaddresses mail mailaddress courriel adressecourriel"
    " adresseemail adressemail adresseelectronique adressedecourriel email1 primaryemail",
    "first_name": "firstname first forename givenname prenom prenoms",
    "last_name": "lastname last surname familyname nomdefamille",
    "name": "name fullname wholename yourname nomcomplet nometprenom prenometnom prenomnom nom",
    "tier": "tier level levelofengagement engagement rung niveau niveaudengagement palier",
    "language": "language lang preferredlanguage languagecode langue locale",
    "group": "group groups branch section chapter local groupe groupes syndicat union organisation"
    " organization org",
    "city": "city town place ville commune localite lieu municipality",
}
# A heading that may mean something else is taken only where nothing better stands.
_PERHAPS = {"address": "address adresse contact"}


def find_columns(headings: Sequence[str]) -> dict[str, int]:
    """Give the column of each field that the headings name; the first of two equals counts."""
    plain_ones = [plain(heading) for heading in headings]
    columns: dict[str, int] = {}
    for names in (_HEADINGS, _PERHAPS):
        for field, words in names.items():
            known = words.split()
            at = next((at for at, heading in enumerate(plain_ones) if heading in known), None)
            if at is not None and field not in columns:
                columns[field] = at
    if "first_name" in columns and "name" in columns:
        # French files say “prénom” and “nom”: the second is then the family name.
        whole = columns.pop("name")
        columns.setdefault("last_name", whole)
    return columns


def plain(words: str) -> str:
    """Leave letters and digits, in lower case and without accents, to compare headings by."""
    parts = unicodedata.normalize("NFKD", words.casefold())
    return "".join(letter for letter in parts if letter.isalnum())


# --- cells into a person ------------------------------------------------------------------------

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bq]\?", re.IGNORECASE)


def _row(row: Row, columns: dict[str, int], *, width: int) -> Row:
    cells = row.cells
    if row.why:
        return row
    if any(cells[width:]):
        row.why = Why.TOO_MANY_FIELDS
        row.facts = {"cells": str(len(cells)), "headings": str(width)}
        return row
    said = {field: cells[at] if at < len(cells) else "" for field, at in columns.items()}
    _read_address(row, said["address"])
    if not row.why:
        _read_texts(row, said)
    if not row.why:
        _read_language(row, said.get("language", ""))
    return row


def _read_address(row: Row, said: str) -> None:
    if not said:
        row.why = Why.NO_ADDRESS
        return
    try:
        row.address = read_address(said)
    except Invalid as refusal:
        row.why = refusal.code
        row.facts = {"why": str(refusal.facts.get("why", ""))}
        return
    row.key = key_of(row.address)


def _read_texts(row: Row, said: dict[str, str]) -> None:
    if "name" in said:
        said["first_name"], said["last_name"] = _names(said["name"])
    row.tier = said.get("tier", "")[:200]
    for field, most in TEXTS.items():
        words = said.get(field, "")
        if _CONTROL.search(words):
            row.why = Why.NOT_PLAIN
        elif "\ufffd" in words:
            row.why = Why.UNREADABLE
        elif _ENCODED_WORD.search(words):
            row.why = Why.ENCODED_WORD
        elif len(words) > most:
            row.why = Why.TOO_LONG
        else:
            setattr(row, field, words)
            continue
        row.facts = {"field": field}
        return


def _names(whole: str) -> tuple[str, str]:
    """Part a whole name: `Nguyen, Ana` or `Ana Nguyen`. Wrong for some, and shown as one again."""
    if "," in whole:
        last, _, first = whole.partition(",")
        return first.strip(), last.strip()
    first, _, last = whole.partition(" ")
    return first, last.strip()


def _read_language(row: Row, said: str) -> None:
    if not said:
        return
    code = language_code(said)
    if code is None:
        row.why, row.facts = Why.UNKNOWN_LANGUAGE, {"said": said[:KEPT]}
        return
    row.language = code


def language_code(said: str) -> str | None:
    """Know a language by its code or its name in English, French or itself; None if unknown."""
    words = said.strip().casefold().replace("_", "-")
    base = words.split("-", maxsplit=1)[0]
    if re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", words) and base in _names_of_languages("en"):
        return base
    return _codes_of_languages().get(plain(said))


# Names of languages in themselves cost 5 ms each to look up: these are those of the movements
# whose files we have seen. The others are known by their code and their English or French name.
_OWN_NAMES = (
    "am ar bg bn cs da de el en es eu fa fi fr ga he hi hr hu it ku lt nl pa pl ps pt ro ru sk so"
    " sq sr sv sw ta ti tr uk ur vi zh"
).split()


@functools.cache
def _names_of_languages(reader: str) -> dict[str, str]:
    return {
        code: name
        for code, name in Locale.parse(reader).languages.items()
        if re.fullmatch("[a-z]{2,3}", code) and code not in {"mul", "und", "zxx", "mis"}
    }


@functools.cache
def _codes_of_languages() -> dict[str, str]:
    codes = {plain(own_name(code)): code for code in _OWN_NAMES}
    for reader in LANGUAGES:
        codes.update({plain(name): code for code, name in _names_of_languages(reader).items()})
    return codes
