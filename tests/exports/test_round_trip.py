"""What was exported is read in somewhere else, exported again, and is the same, octet by octet."""

import json
import re
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import anyio.to_thread
import pytest

from mailer.bootstrap import House, furnish
from mailer.consent import actions as consent
from mailer.consent import store as lists
from mailer.exports import columns, exporting
from mailer.exports.files import Format
from mailer.fields import actions as fields
from mailer.fields import describing
from mailer.fields import store as field_store
from mailer.fields.describing import Choice
from mailer.fields.model import FieldKind
from mailer.groups import actions as groups
from mailer.groups import store as group_store
from mailer.groups.model import name_key
from mailer.imports import actions as imports
from mailer.imports import receiving
from mailer.imports import store as import_store
from mailer.imports.model import Basis, Fate
from mailer.kit.db import make_engine
from mailer.kit.secrets import Keys
from mailer.kit.texts import one_line
from mailer.kit.work import Door, Work
from mailer.phones import actions as phones
from mailer.segments import asking
from mailer.settings import Settings
from mailer.subscribers import store as people
from mailer.subscribers.model import GroupRole, Subscriber
from mailer.tags import actions as tags
from tests import makers as make
from tests.cast import Cast

BLNS = Path(__file__).parents[3] / "shared" / "corpora" / "strings" / "blns.json"
NASTY = [
    '=HYPERLINK("https://evil.example.org","click")',
    "+44 20 7946 0000",
    "'=1",
    "''",
    "a;b",
    '"quoted"',
    '"a;b"',
    '\'"=a;b"; c',
    "O’Brien, née “Zoë”",
    "\u06a9\u0631\u06cc\u0645\u200c\u0632\u0627\u062f\u0647",  # a joiner inside a name
    "@SUM(A1:A9)",
    "-1",
    "_x0041_",
    "<script>alert(1)</script>",
    "NULL",
    "0",
    "\U0001d4af\U0001d4f1\U0001d4ee",
    "\ufffe",
]
_ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bq]\?", re.IGNORECASE)
TEXTS = {"first_name": 120, "last_name": 120, "city": 120, "postcode": 20, "region": 80}


def blns() -> list[str]:
    """Read the big list of naughty strings, where it is."""
    found: list[str] = json.loads(BLNS.read_text()) if BLNS.exists() else []
    return found


def naughty(found: Sequence[str]) -> list[str]:
    """Give strings that have broken programs, as the roll keeps them."""
    kept = (
        one_line(text, longest=100_000, field="")[:60].strip()
        for text in found
        if not _ENCODED_WORD.search(text) and "\ufffd" not in text
    )
    return [text for text in dict.fromkeys(kept) if text]


@pytest.fixture
async def elsewhere(
    request: pytest.FixtureRequest, database: str, settings: Settings, keys: Keys
) -> AsyncGenerator[House]:
    """Give another house, with nobody in it, on the same kind of database."""
    kind = "postgres" if database.startswith("postgres") else "sqlite"
    with request.getfixturevalue(f"{kind}_copies").one(altered=True) as url:
        engine = make_engine(url)
        house = House(settings=settings, engine=engine, keys=keys)
        await furnish(house)
        yield house
        await engine.dispose()


async def with_fields(work: Work) -> None:
    """Make a field of each kind, the same in both houses."""
    for name, kind in {
        "Workplace": FieldKind.TEXT,
        "Zip": FieldKind.TEXT,  # what a heading of another column may be called
        "Age": FieldKind.NUMBER,
        "Born": FieldKind.DATE,
        "Shift": FieldKind.CHOICE,
        "Skills": FieldKind.CHOICES,
        "Steward": FieldKind.YES_NO,
    }.items():
        choices = (
            [Choice(name={"en": "First aid"}), Choice(name={"en": "Driving"})]
            if kind in {FieldKind.CHOICE, FieldKind.CHOICES}
            else []
        )
        await describing.make(work, name={"en": name}, kind=kind, choices=choices)


async def exported(house: House, names: Sequence[str], kind: Format) -> bytes:
    async with house.work(reading=True) as work:
        wanted = await columns.chosen(work, names)
        nos = await exporting.gather(work, asking.EVERYBODY)
    return b"".join([piece async for piece in exporting.written(house, nos, wanted, kind)])


async def imported(house: House, content: bytes, name: str) -> dict[str, int]:
    """Import a file by the columns that are proposed; give what became of its lines."""
    async with house.work(door=Door.CLI) as work:
        [mailing_list] = await columns_of_lists(work)
        file = await receiving.receive(work, file_name=name, list_no=mailing_list)
        for part, at in enumerate(range(0, len(content), receiving.LARGEST_PART)):
            piece = content[at : at + receiving.LARGEST_PART]
            await receiving.keep_part(work, file, part, piece)
        await receiving.received(work, file)
        await receiving.understand(work, file, columns=file.columns)
    await imports.drive(house, file.uid)
    async with house.work(door=Door.CLI) as work:
        read = await import_store.by_uid(work, file.uid)
        assert read
        refused = await import_store.lines(work, read, fate=Fate.REFUSED)
        assert [(line.line, line.why, line.facts, line.cells) for line in refused.rows] == []
        await imports.choose_basis(work, read, basis=Basis.AGREED, evidence="They agreed there.")
    await imports.drive(house, file.uid)
    return dict(read.counts)


async def columns_of_lists(work: Work) -> list[int]:
    return [one.no for one in await lists.lists(work)]


async def called(work: Work, cast: Cast, texts: Sequence[str]) -> None:
    """Put people on the roll of whom nothing but words is known, all of them naughty."""
    crowd = await make.people(work, len(texts), tier=cast.follower)
    for person, text in zip(crowd, texts, strict=True):
        cut = {name: text[:longest].strip() for name, longest in TEXTS.items()}
        keys = Subscriber.keys_of(cut["first_name"], cut["last_name"])
        await people.change(work, person, {**cut, **keys, "source": text})
    workplace = await field_store.by_slug(work, "workplace")
    assert workplace
    said = {person.no: text for person, text in zip(crowd, texts, strict=True)}
    await fields.set_many(work, workplace, said)


async def filled(work: Work, cast: Cast, text: str, number: int) -> Subscriber:
    """Put somebody on the roll of whom everything that can be said is naughty."""
    person = await make.person(work, f"naughty{number}@example.org", tier=cast.activist)
    cut = {name: text[:longest].strip() for name, longest in TEXTS.items()}
    values = {
        **cut,
        **Subscriber.keys_of(cut["first_name"], cut["last_name"]),
        "source": text,
        "country": "GB",
        "time_zone": "Europe/London",
        "language": "fr",
    }
    person = await people.change(work, person, values)
    for name in (text, f"{text} 2"):
        group = (await group_store.by_names(work, [name])).get(name_key(name))
        group = group or await groups.found(work, name=name)
        role = GroupRole.REP if name == text else GroupRole.MEMBER
        await groups.join(work, person, group, role=role)
    if not set(text) & set(",;"):
        await tags.tag_many(work, [person.no], await tags.make(work, name=text))
        await tags.tag_many(work, [person.no], await tags.make(work, name="Driver"))
    said = {
        "workplace": text,
        "zip": text,
        "age": str(number),
        "born": "1985-03-09",
        "shift": "driving",
        "skills": "driving; first-aid",
        "steward": "no" if number % 2 else "yes",
    }
    for slug, typed in said.items():
        field = await field_store.by_slug(work, slug)
        assert field
        await fields.set_value(work, person, field, typed)
    if number % 5 == 0:
        await phones.note(
            work, person, f"+4420794600{number % 90 + 10}", wording="Yes, call me.", language="en"
        )
    return person


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", [Format.CSV, Format.XLSX])
async def test_a_roll_goes_out_and_comes_in_again_without_loss(
    house: House, elsewhere: House, cast: Cast, kind: Format
) -> None:
    async with house.work(door=Door.CLI) as work:
        await with_fields(work)
        worst, others = naughty(NASTY), naughty(await anyio.to_thread.run_sync(blns))
        others = others if kind is Format.CSV else others[:40]
        for number, text in enumerate(worst):
            await filled(work, cast, text, number)
        await called(work, cast, others)
        # Who has said no comes along as somebody to keep off, and not as a person.
        for person in (cast.chidi, cast.dana):
            await people.change(work, person, {"erased_at": work.now})
        every = [one.name for one in await columns.columns(work)]
    async with elsewhere.work(door=Door.CLI) as work:
        await with_fields(work)
    names = [one for one in every if one != "joined_at"]

    out = await exported(house, names, kind)
    counts = await imported(elsewhere, out, f"people.{kind.value}")
    again = await exported(elsewhere, names, Format.CSV)

    assert counts["new"] == len(worst) + len(others) + 2
    assert (
        again.decode().splitlines()
        == (await exported(house, names, Format.CSV)).decode().splitlines()
    )
    if kind is Format.CSV:
        assert again == out


async def test_who_has_left_stays_off_wherever_the_file_goes(
    house: House, elsewhere: House, cast: Cast
) -> None:
    async with house.work(door=Door.CLI) as work:
        await consent.take_off(work, cast.gil)
    out = await exported(house, ["email", "opt_out"], Format.CSV)
    counts = await imported(elsewhere, out, "people.csv")
    assert (counts["opts_out"], counts["new"]) == (2, 2)
    again = await exported(elsewhere, ["email", "opt_out"], Format.CSV)
    assert b"chidi@example.org,," not in again
    assert b"gil@example.org,," not in again
