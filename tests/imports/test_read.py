"""Reading a file: what its lines are, whoever wrote it."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.imports import reading
from mailer.imports.model import Why
from mailer.imports.reading import Row, decode, find_columns, language_code, read, records
from mailer.kit.errors import Refusal

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"


def rows(text: str) -> list[Row]:
    return read(text.encode()).rows


def one(text: str) -> Row:
    [row] = rows(text)
    return row


# --- lines and cells ----------------------------------------------------------------------------

SPECTRUM = {  # of the kinds that csv-spectrum has, for where it is not at hand
    "comma_in_quotes": (
        'first,last,address\nJohn,Doe,"120 any st., Anytown"\n',
        [{"first": "John", "last": "Doe", "address": "120 any st., Anytown"}],
    ),
    "escaped_quotes": ('a,b\n1,"ha ""ha"" ha"\n', [{"a": "1", "b": 'ha "ha" ha'}]),
    "newlines_crlf": (
        'a,b\r\n"Once upon \r\na time",5\r\n7,8\r\n',
        [{"a": "Once upon \r\na time", "b": "5"}, {"a": "7", "b": "8"}],
    ),
    "empty": (
        'a,b,c\n1,"",""\n2,3,4\n',
        [dict(zip("abc", row, strict=True)) for row in (("1", "", ""), "234")],
    ),
    "utf8": ("a,b\n1,ʤ", [{"a": "1", "b": "ʤ"}]),
}


def spectrum() -> dict[str, tuple[str, list[dict[str, str]]]]:
    folder = CORPORA / "csv"
    if not folder.is_dir():
        return SPECTRUM
    return SPECTRUM | {
        f"corpus-{path.stem}": (
            path.read_bytes().decode(),
            json.loads((folder / "json" / f"{path.stem}.json").read_text()),
        )
        for path in sorted((folder / "csvs").glob("*.csv"))
    }


@pytest.mark.parametrize("name", spectrum())
def test_cells_are_cut_as_the_standard_says(name: str) -> None:
    text, wanted = spectrum()[name]
    cut = [cells for _, cells, _ in records(reading._LINES.findall(text), ",") if any(cells)]
    headings, *lines = cut
    found = [dict(zip(headings, map(_settled, cells), strict=False)) for cells in lines]
    assert found == [
        # Blanks around a cell are nobody's name; the corpus has none that matter.
        {heading: _settled(words) for heading, words in row.items()}
        for row in wanted
    ]


def _settled(words: str) -> str:
    """Some copies of the corpus have lost the carriage returns of its files."""
    return words.strip().replace("\r\n", "\n")


def test_a_line_has_the_number_that_an_editor_shows() -> None:
    found = rows(
        'email,note\n\n"a@example.org","one\ntwo\n\nfive"\r\nb@example.org,\rc@example.org,'
    )
    assert [(row.line, row.address) for row in found] == [
        (3, "a@example.org"),
        (7, "b@example.org"),
        (8, "c@example.org"),
    ]


def test_a_quote_that_is_never_closed_costs_its_own_line_only() -> None:
    found = rows('email,name\na@example.org,"Ana\nb@example.org,Bo\nc@example.org,Chidi\n')
    assert [(row.line, row.why) for row in found] == [(2, Why.OPEN_QUOTE), (3, ""), (4, "")]


def test_nor_does_it_take_the_quotes_of_other_lines() -> None:
    found = rows('email,name\na@example.org,"Ana\n"b@example.org","Bo, Bo"\nc@example.org,Chidi\n')
    assert [(row.line, row.why) for row in found] == [(2, Why.OPEN_QUOTE), (3, ""), (4, "")]
    assert found[1].first_name == "Bo"


def test_a_stray_quote_in_a_word_is_a_sign_like_any_other() -> None:
    assert one('email,city\na@example.org,The 5" pipe').city == 'The 5" pipe'
    assert one('email,city\na@example.org,"Le" Havre').city == "Le Havre"


def test_lines_of_nothing_but_delimiters_are_nobody() -> None:
    assert [row.line for row in rows("email,name\n,\na@example.org,Ana\n,\n  ,  \n")] == [3]


def test_a_line_that_is_far_too_long_is_refused_and_reading_goes_on() -> None:
    found = rows("email,name\na@example.org," + "x" * reading.LONGEST + "\nb@example.org,Bo")
    assert [(row.line, row.why) for row in found] == [(2, Why.TOO_LONG), (3, "")]
    assert len(found[0].cells[0]) == reading.KEPT


def test_a_quote_that_stays_open_for_long_was_never_closed() -> None:
    found = rows('email,note\na@example.org,"' + "b@example.org\n" * 99 + '"\nc@example.org,x')
    assert found[0].why == Why.OPEN_QUOTE
    assert found[1].address == "b@example.org"
    assert found[-1].address == "c@example.org"


@given(st.lists(st.lists(st.text(), min_size=1, max_size=4), max_size=8), st.sampled_from(",;\t|"))
def test_any_text_is_cut_into_something(cells: list[list[str]], delimiter: str) -> None:
    text = "\n".join(delimiter.join(line) for line in cells)
    lines = reading._LINES.findall(text)
    numbers = [number for number, _, _ in records(lines, delimiter)]
    assert numbers == sorted(set(numbers))


@given(st.binary(max_size=400))
def test_any_octets_are_read_or_refused(content: bytes) -> None:
    for candidate in (content, b"email,name\n" + content):
        with contextlib.suppress(Refusal):
            read(candidate)


# --- encodings and delimiters -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("cp1252", "Windows-1252"),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_encoding_and_the_delimiter_are_found_out(
    encoding: str, said: str, delimiter: str
) -> None:
    lines = (("Prénom", "E-mail", "Ville"), ("Zoë", "zoe@example.org", "Bezannes"))
    table = read("\r\n".join(delimiter.join(line) for line in lines).encode(encoding))
    assert (table.encoding, table.delimiter) == (said, delimiter)
    assert (table.rows[0].first_name, table.rows[0].city) == ("Zoë", "Bezannes")


def test_a_spreadsheet_may_say_its_delimiter_in_a_line_of_its_own() -> None:
    row = one("sep=;\nemail;name\na@example.org;Ana, the first")
    assert (row.line, row.last_name) == (3, "Ana")  # a comma in a whole name parts it
    assert row.first_name == "the first"


def test_commas_in_headings_do_not_hide_the_semicolons() -> None:
    table = read(b'"City, or town";Email\nLille;a@example.org')
    assert (table.delimiter, table.rows[0].address) == (";", "a@example.org")


def test_letters_that_the_encoding_lacks_are_named_and_not_guessed() -> None:
    row = read(b"email,name\na@example.org,Zo\x81").rows[0]
    assert (row.why, row.facts) == (Why.UNREADABLE, {"field": "first_name"})


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", "file_empty"),
        (b"\n \r\n", "file_empty"),
        (b"\xef\xbb\xbf", "file_empty"),
        (b"PK\x03\x04 a workbook", "file_is_spreadsheet"),
        (b"\xd0\xcf\x11\xe0 an old one", "file_is_spreadsheet"),
        (bytes(range(1, 32)) * 9, "file_not_text"),
        (b"a,b,c\n1,2,3\n", "no_address_column"),
        (b"a@example.org,Ana\nb@example.org,Bo\n", "headings_missing"),
        (b"email,name\n", "nobody_in_file"),
        (b"email,name\n,\n", "nobody_in_file"),
    ],
)
def test_a_file_that_is_no_list_of_people_is_refused(content: bytes, refusal: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(content)
    assert refused.value.code == refusal
    assert refused.value.facts["field"] == "file"
    assert decode(b"x")[1] == "UTF-8"


def test_a_file_without_addresses_is_told_its_own_headings() -> None:
    with pytest.raises(reading.NoAddressColumn) as refused:
        read(b"Nom;T\xe9l\xe9phone\nAna;1")
    assert "Nom · Téléphone" in refused.value.said()


# --- columns ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headings", "columns"),
    [
        ("Email Address|First Name|Last Name", "address first_name last_name"),
        ("E-MAIL|prénom|NOM", "address first_name last_name"),
        (
            "courriel|Nom complet|niveau|langue|section|ville",
            "address name tier language group city",
        ),
        ("Address|E-mail", "- address"),
        ("adresse|groupe", "address group"),
        ("email|email|name", "address - name"),
        ("Name|Level of engagement|Email", "name tier address"),
        ("shoe size|Adresse e-mail|nom", "- address name"),
    ],
)
def test_columns_are_known_by_their_headings(headings: str, columns: str) -> None:
    wanted = {field: at for at, field in enumerate(columns.split()) if field != "-"}
    assert find_columns(headings.split("|")) == wanted


@pytest.mark.parametrize(
    ("whole", "first", "last"),
    [
        ("Ana Nguyen", "Ana", "Nguyen"),
        ("Nguyen, Ana", "Ana", "Nguyen"),
        ("Ana", "Ana", ""),
        ("Maria José da Silva", "Maria", "José da Silva"),
        ("", "", ""),
    ],
)
def test_a_whole_name_is_parted(whole: str, first: str, last: str) -> None:
    row = one(f'email,name\na@example.org,"{whole}"')
    assert (row.first_name, row.last_name) == (first, last)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("en", "en"),
        ("FR", "fr"),
        ("en-GB", "en"),
        ("pt_BR", "pt"),
        ("Français", "fr"),
        ("french", "fr"),
        ("anglais", "en"),
        ("Polski", "pl"),
        ("বাংলা", "bn"),
        ("Klingonese", None),
        ("xx", None),
        ("en us", None),
    ],
)
def test_a_language_is_known_by_code_or_name(said: str, code: str | None) -> None:
    assert language_code(said) == code


# --- people -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ("a@example.org,=1+1", ""),  # a formula is a name until a spreadsheet reads it
        ("a@example.org,O’Brien", ""),
        (",Ana", Why.NO_ADDRESS),
        ("a.example.org,Ana", "address_incomplete"),
        ("a..b@example.org,Ana", "address_unwritable"),
        ("björk@example.org,Ana", "address_needs_utf8"),
        ("a@example.org,Ana,,", ""),
        ("a@example.org,Ana,Nguyen", Why.TOO_MANY_FIELDS),
        ('a@example.org,"Ana\r\nBcc: b@example.org"', Why.NOT_PLAIN),
        ("a@example.org,Ana\x00", Why.NOT_PLAIN),
        ("a@example.org,Ana\u2028", ""),  # at the end of a cell it is only a blank
        ("a@example.org,A\u2028na", Why.NOT_PLAIN),
        ("a@example.org,=?utf-8?q?x=0D=0ABcc:_b?=", Why.ENCODED_WORD),
        ("a@example.org," + "x" * 121, Why.TOO_LONG),
    ],
)
def test_what_a_line_is_refused_for(cells: str, why: str) -> None:
    assert one(f"email,first name\n{cells}").why == why


ADDRESSES = {  # where the isemail corpus is not at hand
    "first.last@iana.org": True,
    "test@": False,
    "test@-iana.org": False,
    '"test"test@iana.org': False,
}


def addresses() -> dict[str, bool]:
    path = CORPORA / "addresses" / "isemail-tests.xml"
    if not path.is_file():
        return ADDRESSES
    from xml.etree import ElementTree as ET  # noqa: PLC0415

    found = dict(ADDRESSES)
    for test in ET.parse(path).getroot().iter("test"):
        address = "".join(
            # The corpus writes control characters as their pictures.
            chr(ord(letter) - 0x2400) if 0x2400 <= ord(letter) <= 0x2420 else letter
            for letter in test.findtext("address") or ""
        )
        if test.findtext("category") == "ISEMAIL_ERR":
            found[address] = False
    return found


def test_no_address_breaks_the_reading_and_no_wrong_one_is_taken() -> None:
    for address, right in addresses().items():
        quoted = '"' + address.replace('"', '""') + '"'
        found = rows(f"email,name\n{quoted},Ana\nz@example.org,Zoë")
        # What stands around an address (angle brackets, blanks) is taken off before it is read.
        if not right and address == address.strip("<> \t\r\n"):
            assert found[0].why, address
        assert found[-1].address == "z@example.org"


def naughty() -> list[str]:
    path = CORPORA / "strings" / "blns.json"
    if not path.is_file():
        return [
            "",
            "<script>alert(1)</script>",
            "=1+1",
            "\u202etest\u202e",
            "Ω≈ç√",
            "`ls`",
            "\ufeff",
        ]
    strings: list[str] = json.loads(path.read_text())
    return strings


def test_strange_names_are_kept_as_they_are_or_refused() -> None:
    for name in naughty():
        quoted = '"' + name.replace('"', '""') + '"'
        row = one(f"email,first name\na@example.org,{quoted}")
        if not row.why:
            assert row.first_name == name.strip()
