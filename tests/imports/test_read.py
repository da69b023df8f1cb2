"""Reading a file: what its lines are, whoever wrote it."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from mailer.fields.model import Field, FieldKind
from mailer.imports import actions as imports
from mailer.imports import columns, cutting, receiving, store
from mailer.imports.cutting import LINES, Record, cut, records
from mailer.imports.decoding import Finder, decode, encoded_length, whole_lines
from mailer.imports.fast_addresses import Addresses
from mailer.imports.languages import country_code, language_code
from mailer.imports.model import Fate, ImportLine, Why
from mailer.kit.addresses import key_of, read_address
from mailer.kit.errors import Invalid, Refusal
from mailer.kit.tables import unguarded
from mailer.kit.texts import one_line
from mailer.kit.work import Work
from tests.cast import Cast

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"


async def rows(work: Work, cast: Cast, text: str | bytes) -> list[ImportLine]:
    content = text if isinstance(text, bytes) else text.encode()
    import_ = await imports.rehearse(
        work, file_name="x.csv", content=content, list_no=cast.bulletin.no
    )
    return list((await store.lines(work, import_, limit=1000)).rows)


async def one(work: Work, cast: Cast, text: str) -> ImportLine:
    [row] = await rows(work, cast, text)
    return row


def cells(text: str) -> list[tuple[int, list[str], str]]:
    return [
        (record.line, [cell.strip() for cell in record.cells], record.why)
        for record in records(LINES.findall(text), ",")
        if any(record.cells)
    ]


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


def test_the_spectrum_is_whole_where_it_is_at_hand() -> None:
    names = [name for name in spectrum() if name.startswith("corpus-")]
    assert len(names) == (11 if (CORPORA / "csv").is_dir() else 0)


@pytest.mark.parametrize("name", spectrum())
def test_cells_are_cut_as_the_standard_says(name: str) -> None:
    text, wanted = spectrum()[name]
    headings, *lines = [found for _, found, _ in cells(text)]
    found = [dict(zip(headings, map(_settled, line), strict=False)) for line in lines]
    assert found == [
        # Blanks around a cell are nobody's name; the corpus has none that matter.
        {heading: _settled(words) for heading, words in row.items()}
        for row in wanted
    ]


def _settled(words: str) -> str:
    """Some copies of the corpus have lost the carriage returns of its files."""
    return words.strip().replace("\r\n", "\n")


def test_a_line_has_the_number_that_an_editor_shows() -> None:
    text = 'email,note\n\n"a@example.org","one\ntwo\n\nfive"\r\nb@example.org,\rc@example.org,'
    assert [(line, found[0]) for line, found, _ in cells(text)] == [
        (1, "email"),
        (3, "a@example.org"),
        (7, "b@example.org"),
        (8, "c@example.org"),
    ]


@pytest.mark.parametrize(
    ("text", "whys"),
    [
        ('email,name\na,"Ana\nb,Bo\nc,Chidi\n', {2: Why.OPEN_QUOTE, 3: "", 4: ""}),
        ('email,name\na,"Ana\n"b","Bo, Bo"\nc,Chidi\n', {2: Why.OPEN_QUOTE, 3: "", 4: ""}),
        ("email,name\na," + "x" * cutting.LONGEST + "\nb,Bo", {2: Why.TOO_LONG, 3: ""}),
    ],
)
def test_a_line_that_cannot_be_cut_costs_itself_and_no_other(
    text: str, whys: dict[int, str]
) -> None:
    assert {line: why for line, _, why in cells(text)[1:]} == whys


def test_a_quote_that_stays_open_for_long_was_never_closed() -> None:
    found = cells('email,note\na,"' + "b@example.org\n" * 99 + '"\nc,x')[1:]
    assert found[0][2] == Why.OPEN_QUOTE
    assert found[1][1] == ["b@example.org"]
    assert found[-1][1] == ["c", "x"]


def test_a_stray_quote_in_a_word_is_a_sign_like_any_other() -> None:
    assert cells('a,The 5" pipe')[0][1] == ["a", 'The 5" pipe']
    assert cells('a,"Le" Havre')[0][1] == ["a", "Le Havre"]


@given(st.lists(st.lists(st.text(), min_size=1, max_size=4), max_size=8), st.sampled_from(",;\t|"))
def test_any_text_is_cut_into_something(table: list[list[str]], delimiter: str) -> None:
    text = "\n".join(delimiter.join(line) for line in table)
    numbers = [record.line for record in records(LINES.findall(text), delimiter)]
    assert numbers == sorted(set(numbers))


WORDS = st.text(st.sampled_from('ab",\n\r é'), max_size=6)


@given(st.lists(WORDS, max_size=30), st.integers(1, 40))
def test_pieces_make_the_same_records_as_the_whole(words: list[str], size: int) -> None:
    text = "".join(words)
    whole, _, _ = cut(text, ",", first=1, is_end=True)
    found: list[Record] = []
    waiting, line = "", 1
    for at in range(0, len(text), size):
        some, waiting, line = cut(waiting + text[at : at + size], ",", first=line, is_end=False)
        found += some
    some, _, _ = cut(waiting, ",", first=line, is_end=True)
    assert found + some == whole


@given(st.binary(max_size=300), st.sampled_from(["utf-8", "cp1252", "utf-16-le", "shift-jis"]))
def test_octets_are_counted_back_from_what_was_decoded(octets: bytes, encoding: str) -> None:
    whole = octets[: len(octets) // 2 * 2]
    text = decode(whole, encoding)
    if encoding == "shift-jis":  # has two ways to write some letters
        return
    assert encoded_length(text, encoding) == len(whole)
    assert whole_lines(whole, encoding) <= len(whole)


async def test_any_octets_are_read_or_refused(cast: Cast, work: Work) -> None:
    for octets in (b"\xff\xfe", b"\0a\0b", b"a\0b,\x81\n", b'"', bytes(range(256))):
        for content in (octets, b"email,name\n" + octets):
            with contextlib.suppress(Refusal):
                await rows(work, cast, content)


# --- encodings and delimiters -------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16-le"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1252", "cp1252"),
    ],
)
async def test_the_encoding_and_the_delimiter_are_found_out(
    cast: Cast, work: Work, encoding: str, found: str, delimiter: str
) -> None:
    lines = (("Prénom", "E-mail", "Ville"), ("Zoë", "zoe@example.org", "Bezannes"))
    content = "\r\n".join(delimiter.join(line) for line in lines).encode(encoding)
    import_ = await imports.rehearse(work, file_name="x", content=content, list_no=cast.bulletin.no)
    assert (import_.format["encoding"], import_.format["delimiter"]) == (found, delimiter)
    [row] = (await store.lines(work, import_)).rows
    assert (row.first_name, row.city) == ("Zoë", "Bezannes")


@pytest.mark.parametrize(
    ("words", "encoding"),
    [
        ("Привет, товарищи: собрание членов профсоюза состоится завтра", "cp1251"),
        ("Καλημέρα σύντροφοι, η συνέλευση του σωματείου είναι αύριο", "cp1253"),
        ("明日、労働組合の総会があります。皆さん来てください。", "shift-jis"),
        ("Réunion demain à l’école, élèves, première, Noël, garçon", "cp1252"),
    ],
)
def test_an_alphabet_that_is_not_latin_is_known(words: str, encoding: str) -> None:
    content = "\n".join([words] * 5).encode(encoding)
    finder = Finder(content)
    finder.look(content)
    assert finder.found() == encoding


async def test_what_was_found_out_wrongly_can_be_said(cast: Cast, work: Work) -> None:
    import_ = await receiving.receive(work, file_name="x", list_no=cast.bulletin.no)
    await receiving.keep_part(work, import_, 0, "email;name\na@example.org;Łódź".encode("cp1250"))
    await receiving.received(work, import_)
    await receiving.look_again(work, import_, format={"encoding": "cp1250", "delimiter": ";"})
    assert import_.found["first_rows"] == [["a@example.org", "Łódź"]]
    with pytest.raises(Invalid) as refused:
        await receiving.look_again(work, import_, format={"encoding": "rot13"})
    assert refused.value.facts["field"] == "encoding"


async def test_a_spreadsheet_may_say_its_delimiter_in_a_line_of_its_own(
    cast: Cast, work: Work
) -> None:
    row = await one(work, cast, "sep=;\nemail;name\na@example.org;Ana, the first")
    assert (row.line, row.last_name) == (3, "Ana")  # a comma in a whole name parts it
    assert row.first_name == "the first"


async def test_letters_that_the_encoding_lacks_are_named_and_not_guessed(
    cast: Cast, work: Work
) -> None:
    [row] = await rows(work, cast, b"email,name\na@example.org,Zo\x81")
    assert (row.why, row.facts) == (Why.UNREADABLE, {"field": "name"})


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", "file_empty"),
        (b"\n \r\n", "file_empty"),
        (b"\xef\xbb\xbf", "file_empty"),
        (b"PK\x03\x04 a workbook", "workbook_broken"),
        (b"\xd0\xcf\x11\xe0 an old one", "file_is_old_spreadsheet"),
        (bytes(range(1, 32)) * 9, "file_not_text"),
        (b"a,b,c\n1,2,3\n", "no_address_column"),
        (b"email,name\n", "nobody_in_file"),
        (b"email,name\n,\n", "nobody_in_file"),
    ],
)
async def test_a_file_that_is_no_list_of_people_is_refused(
    cast: Cast, work: Work, content: bytes, refusal: str
) -> None:
    with pytest.raises(Refusal) as refused:
        await rows(work, cast, content)
    assert refused.value.code == refusal
    assert refused.value.facts["field"] == "file"


async def test_a_file_without_addresses_is_told_its_own_headings(cast: Cast, work: Work) -> None:
    with pytest.raises(receiving.NoAddressColumn) as refused:
        await rows(work, cast, b"Nom;T\xe9l\xe9phone\nAna;1")
    assert "Nom · Téléphone" in refused.value.said()


async def test_a_plain_list_of_addresses_needs_no_headings(cast: Cast, work: Work) -> None:
    found = await rows(work, cast, "a@example.org\nAna Nguyen <b@example.org>\n\nc@example.org\n")
    assert [(row.line, row.address, row.last_name) for row in found] == [
        (1, "a@example.org", ""),
        (2, "b@example.org", "Nguyen"),
        (4, "c@example.org", ""),
    ]


async def test_a_line_without_end_is_refused_and_reading_goes_on(cast: Cast, work: Work) -> None:
    found = await rows(
        work, cast, "email,name\na@example.org," + "x" * 700_000 + "\nb@example.org,Bo\n"
    )
    assert [(row.line, row.why) for row in found] == [(2, Why.TOO_LONG), (3, "")]


# --- columns ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headings", "wanted"),
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
        ("email|tags|labels|group", "address tags tags group"),
    ],
)
def test_columns_are_known_by_their_headings(headings: str, wanted: str) -> None:
    found = columns.guess(headings.split("|"), {})
    assert [one or "-" for one in found] == wanted.split()


async def test_our_own_fields_are_known_by_their_names(cast: Cast, work: Work) -> None:
    row = {
        "slug": "shoe-size",
        "kind": FieldKind.NUMBER,
        "name": {"en": "Shoe size", "fr": "Pointure"},
        "made_at": work.now,
    }
    await work.session.execute(insert(Field), [row])
    found = columns.guess(["email", "POINTURE"], {"shoe-size": {"Shoe size", "Pointure"}})
    assert found == ["address", "field:shoe-size"]
    good, wrong = await rows(
        work, cast, 'email,pointure\na@example.org,"38,5"\nb@example.org,big\n'
    )
    assert (good.fate, wrong.why) == (Fate.NEW, Why.FIELD_WRONG)
    assert "must be a number" in imports.why(wrong)


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
async def test_a_whole_name_is_parted(
    cast: Cast, work: Work, whole: str, first: str, last: str
) -> None:
    row = await one(work, cast, f'email,name\na@example.org,"{whole}"')
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


def test_a_country_is_known_by_code_or_name() -> None:
    said = ("FR", "france", "Allemagne", "UK", "Narnia", "")
    assert [country_code(one) for one in said] == ["FR", "FR", "DE", "GB", None, None]


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
async def test_what_a_line_is_refused_for(cast: Cast, work: Work, cells: str, why: str) -> None:
    assert (await one(work, cast, f"email,first name\n{cells}")).why == why


ADDRESSES = {  # where the isemail corpus is not at hand
    "first.last@iana.org": True,
    "test@": False,
    "test@-iana.org": False,
    '"test"test@iana.org': False,
}


REFUSED_ALTHOUGH_RIGHT = {
    # No domain of one label takes mail (RFC 7085), and who types one has left something out.
    "test@io",
    # Mail programs decode what looks like an encoded word, also where RFC 2047 5 forbids it.
    "!#$%&`*+/=?^`{|}~@iana.org",
}
# Refused too, and by their kind: quoted local parts, address literals and comments. RFC 5321 4.1.2
# asks senders to avoid the first, and the others are no mailbox that a person has.


def standard() -> dict[str, bool]:
    """Give the cases of the corpus that the standard decides, without the folds around them."""
    path = CORPORA / "addresses" / "isemail-tests.xml"
    if not path.is_file():
        return ADDRESSES
    decided = {"ISEMAIL_ERR": False, "ISEMAIL_VALID_CATEGORY": True, "ISEMAIL_DNSWARN": True}
    found = dict(ADDRESSES)
    for test in ET.parse(path).getroot().iter("test"):
        address = "".join(map(_sign, test.findtext("address") or ""))
        right = decided.get(test.findtext("category") or "")
        # What stands around an address (angle brackets, blanks) is taken off before it is read.
        if right is not None and address == address.strip("<> \t\r\n"):
            found[address] = right
    return found


def _sign(letter: str) -> str:
    """The corpus writes control characters as their pictures."""
    return chr(ord(letter) - 0x2400) if 0x2400 <= ord(letter) <= 0x2420 else letter


async def test_addresses_are_taken_and_refused_as_the_standard_says(cast: Cast, work: Work) -> None:
    cases = list(standard().items())
    lines = ['"' + address.replace('"', '""') + '"' for address, _ in cases]
    for (address, right), line in zip(cases, lines, strict=True):
        found = await rows(work, cast, f"email,name\n{line},Ana\nz@example.org,Zoë")
        taken = len(found) == 2 and not found[0].why
        assert taken == (right and address not in REFUSED_ALTHOUGH_RIGHT), address
        assert found[-1].address == "z@example.org"


LOCALS = st.text(st.sampled_from("abcXYZ019_+-.!#'é"), min_size=1, max_size=70)
DOMAINS = st.sampled_from(
    "example.org EXAMPLE.org bücher.example.org a.b.c.de x.test localhost 1.2.3.4 [1.2.3.4] -a.org"
    " a_b.org xn--bcher-kva.org xn--zz--.org a..org .org org. example.org. =?x?q?.org"
    " a.org>".split()
)


@given(LOCALS, DOMAINS | st.text(st.sampled_from("abz09-.ü_ "), max_size=70))
def test_the_fast_way_and_the_careful_one_agree(local: str, domain: str) -> None:
    fast = Addresses()
    for typed in (f"{local}@{domain}", f"other@{domain}", f"{local}@{domain}"):
        _agree(fast, typed)


def test_they_agree_on_the_corpus_too() -> None:
    fast = Addresses()
    for typed in standard():
        _agree(fast, typed)


def _agree(fast: Addresses, typed: str) -> None:
    assert _outcome(lambda: tuple(fast.read(typed))) == _outcome(lambda: _careful(typed))


def _careful(typed: str) -> tuple[str, str]:
    address = read_address(typed)
    return address, key_of(address)


def _outcome(read: Callable[[], tuple[str, ...]]) -> object:
    try:
        return read()
    except Invalid as refusal:
        return refusal.code, str(refusal.facts.get("why"))


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


async def test_strange_names_are_kept_as_they_are_or_refused(cast: Cast, work: Work) -> None:
    lines = []
    names = naughty()
    for number, name in enumerate(names):
        quoted = '"' + name.replace('"', '""') + '"'
        lines.append(f"a{number}@example.org,{quoted}")
    import_ = await imports.rehearse(
        work,
        file_name="x",
        content=("email,first name\n" + "\n".join(lines)).encode("utf-8", errors="replace"),
        list_no=cast.bulletin.no,
    )
    kept = {
        row.address: row.first_name
        for row in (await store.lines(work, import_, fate=Fate.NEW, limit=1000)).rows
    }
    assert len(kept) > len(names) // 2
    for number, name in enumerate(names):
        found = kept.get(f"a{number}@example.org")
        if found is not None:
            assert found == one_line(unguarded(name.strip()), longest=500, field="x")
