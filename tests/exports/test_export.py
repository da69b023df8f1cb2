"""Letting people leave in a file: who is in it, what stands in it, and what is kept of it."""

import csv
import io
import json
from array import array
from collections.abc import Sequence

import pytest
from sqlalchemy import select

from mailer.audit.model import AuditLine
from mailer.bootstrap import House
from mailer.consent import actions as consent
from mailer.exports import columns, exporting
from mailer.exports.columns import ColumnsNeeded, ColumnUnknown
from mailer.exports.exporting import NobodyToExport, ReasonNeeded
from mailer.exports.files import Format
from mailer.fields import actions as fields
from mailer.fields import describing
from mailer.fields.describing import Choice
from mailer.fields.model import FieldKind
from mailer.groups import actions as groups
from mailer.kit.texts import TextTooLong
from mailer.kit.work import Door, Work
from mailer.phones import actions as phones
from mailer.segments import asking
from mailer.subscribers import store as people
from mailer.subscribers.model import GroupRole
from mailer.tags import actions as tags
from tests import makers as make
from tests.cast import Cast

Row = dict[str, str]


async def exported(
    house: House,
    *,
    tree: asking.Tree = asking.EVERYBODY,
    names: Sequence[str] = ("email",),
    scope: frozenset[int] | None = None,
    kind: Format = Format.CSV,
) -> bytes:
    async with house.work(reading=True, scope=scope) as work:
        wanted = await columns.chosen(work, names)
        nos = await exporting.gather(work, tree)
    pieces = [piece async for piece in exporting.written(house, nos, wanted, kind, scope=scope)]
    return b"".join(pieces)


def read(written: bytes) -> list[Row]:
    return list(csv.DictReader(io.StringIO(written.decode("utf-8-sig"), newline="")))


async def test_everybody_is_in_it_with_what_is_known_of_them(house: House, cast: Cast) -> None:
    async with house.work(door=Door.CLI) as work:
        driver, night = [await tags.make(work, name=name) for name in ("Driver", "=Night")]
        await tags.tag_many(work, [cast.bo.no], driver)
        await tags.tag_many(work, [cast.bo.no], night)
        await groups.join(work, cast.bo, cast.harbour)
        await groups.change_role(work, cast.bo, cast.harbour, GroupRole.REP)

    written = await exported(
        house,
        names=["email", "first_name", "level", "groups", "group_roles", "tags", "opt_out", "lists"],
    )

    bo, chidi, gil, dana = read(written)
    assert bo == {
        "email": "bo@example.org",
        "first_name": "Bo",
        "level": "supporter",
        "groups": "Harbour Workers’ Centre; Northgate Transport Branch",
        "group_roles": "rep: Harbour Workers’ Centre",
        "tags": "'=Night; Driver",
        "opt_out": "",
        "lists": "bulletin",
    }
    assert (chidi["email"], chidi["opt_out"], chidi["lists"]) == ("chidi@example.org", "yes", "")
    assert gil["first_name"] == "Gil"
    assert (dana["email"], dana["opt_out"], dana["lists"]) == ("dana@example.org", "", "")


async def test_states_and_moments_are_written_so_that_programs_read_them(
    house: House, cast: Cast
) -> None:
    async with house.work(door=Door.CLI) as work:
        await consent.take_off(work, cast.gil)
        await make.person(work, "pat@example.org", confirmed=False)
        standing = await people.by_no(work, cast.bo.no)
        assert standing

    found = read(await exported(house, names=["mail_state", "agreed_at", "joined_at"]))

    assert [row["mail_state"] for row in found] == [
        "active",
        "unsubscribed",
        "suppressed",
        "pending",
        "pending",
    ]
    joined = standing.joined_at.isoformat().replace("+00:00", "Z")
    assert found[0]["joined_at"] == joined
    assert found[0]["agreed_at"].endswith("Z")
    assert found[1]["agreed_at"] == ""


async def test_fields_are_in_it_and_what_is_specially_protected_never_is(
    house: House, cast: Cast
) -> None:
    kinds = {
        "Workplace": (FieldKind.TEXT, "=Depot"),
        "Age": (FieldKind.NUMBER, "41,50"),
        "Born": (FieldKind.DATE, "1985-03-09"),
        "Shift": (FieldKind.CHOICE, "night"),
        "Skills": (FieldKind.CHOICES, "first aid; driving"),
        "Steward": (FieldKind.YES_NO, "no"),
    }
    choices = {
        "Shift": [Choice(name={"en": "Day"}), Choice(name={"en": "Night"})],
        "Skills": [Choice(name={"en": "Driving"}), Choice(name={"en": "First aid"})],
    }
    async with house.work(door=Door.CLI) as work:
        for name, (kind, typed) in kinds.items():
            field = await describing.make(
                work, name={"en": name}, kind=kind, choices=choices.get(name, [])
            )
            await fields.set_value(work, cast.bo, field, typed)
        await describing.make(
            work,
            name={"en": "Belief"},
            kind=FieldKind.YES_NO,
            is_public=True,
            is_special=True,
            consent_text={"en": "Yes, you may keep what I believe in."},
        )
    async with house.work(reading=True) as work:
        every = await columns.columns(work)
        names = [one.name for one in every if one.name.startswith("field:")]
    assert names == [
        "field:workplace",
        "field:age",
        "field:born",
        "field:shift",
        "field:skills",
        "field:steward",
    ]

    [bo, chidi, *_] = read(await exported(house, names=names))
    assert list(bo.values()) == [
        "'=Depot",
        "41.5",
        "1985-03-09",
        "night",
        "driving; first-aid",
        "no",
    ]
    assert set(chidi.values()) == {""}

    line, *_ = (await exported(house, names=names, kind=Format.JSONL)).splitlines()
    assert json.loads(line) == {
        "field:workplace": "=Depot",
        "field:age": 41.5,
        "field:born": "1985-03-09",
        "field:shift": "night",
        "field:skills": ["driving", "first-aid"],
        "field:steward": False,
    }


async def test_a_telephone_leaves_only_when_it_is_asked_for(house: House, cast: Cast) -> None:
    async with house.work(door=Door.CLI) as work:
        await phones.note(
            work, cast.bo, "+442079460000", wording="Yes, you may call me.", language="en"
        )
        usual = [one.name for one in await columns.columns(work) if one.is_usual]
    assert "phone" not in usual
    bo, *others = read(await exported(house, names=["phone"]))
    assert bo["phone"] == "'+442079460000"
    assert {one["phone"] for one in others} == {""}


async def test_an_account_with_a_scope_takes_out_its_own_people_and_names_its_own_groups(
    house: House, cast: Cast
) -> None:
    async with house.work(door=Door.CLI) as work:
        await groups.join(work, cast.gil, cast.northgate)
    scope = frozenset({cast.harbour.no})

    [gil] = read(await exported(house, names=["email", "groups", "group_roles"], scope=scope))

    assert gil == {
        "email": "gil@example.org",
        "groups": "Harbour Workers’ Centre",
        "group_roles": "",
    }


async def test_a_question_says_who_is_in_it(house: House, cast: Cast) -> None:
    tree = {"is": "list", "list": str(cast.bulletin.no), "state": "confirmed"}
    found = read(await exported(house, tree=tree))
    assert [row["email"] for row in found] == ["bo@example.org", "gil@example.org"]


@pytest.mark.any_database
async def test_nobody_is_no_file(work: Work, cast: Cast) -> None:
    with pytest.raises(NobodyToExport):
        await exporting.gather(work, asking.NOBODY)
    with pytest.raises(NobodyToExport):
        await exporting.gather(make.seen_by(work), asking.EVERYBODY)


async def test_a_file_is_written_page_by_page(
    house: House, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "AT_ONCE", 3)
    async with house.work(door=Door.CLI) as work:
        await make.people(work, 7, tier=cast.follower, group=cast.harbour)
        wanted = await columns.chosen(work, ["email", "level", "groups"])
        nos = await exporting.gather(work, asking.EVERYBODY)
    told: list[int] = []
    pieces = [
        piece
        async for piece in exporting.written(house, nos, wanted, Format.CSV, progress=told.append)
    ]
    assert told == [3, 6, 9, 11]
    assert len(pieces) == 6  # headings, four pages, an end of nothing
    assert len(read(b"".join(pieces))) == 11


async def test_who_stand_far_apart_are_found_too(house: House, cast: Cast) -> None:
    async with house.work(door=Door.CLI) as work:
        driver = await tags.make(work, name="Driver")
        crowd = await make.people(work, 40, tier=cast.follower)
        far = [crowd[0].no, crowd[-1].no]
        await tags.tag_many(work, far, driver)
        tree = {"is": "tag", "tag": str(driver.no)}
        assert (await exporting.gather(work, tree)).tolist() == far
    found = read(await exported(house, tree=tree, names=["email", "level", "tags"]))
    assert [(row["level"], row["tags"]) for row in found] == [("follower", "Driver")] * 2


async def test_who_was_erased_since_is_not_in_it(house: House, cast: Cast) -> None:
    async with house.work(reading=True) as work:
        wanted = await columns.chosen(work, ["email", "mail_state"])
        nos = await exporting.gather(work, asking.EVERYBODY)
    async with house.work(door=Door.CLI) as work:
        for person in (cast.bo, cast.chidi):
            await people.change(work, person, {"erased_at": work.now})
    pieces = [piece async for piece in exporting.written(house, nos, wanted, Format.CSV)]
    assert [row["email"] for row in read(b"".join(pieces))] == [
        "gil@example.org",
        "dana@example.org",
    ]
    gone = array("q", [cast.bo.no])
    pieces = [piece async for piece in exporting.written(house, gone, wanted, Format.CSV)]
    assert read(b"".join(pieces)) == []


async def test_the_act_is_written_down_with_its_number_its_columns_and_its_reason(
    work: Work, cast: Cast
) -> None:
    wanted = await columns.chosen(work, ["phone", "email"])
    nos = await exporting.gather(work, asking.EVERYBODY)
    reason = exporting.read_reason("  For the phone bank of 12 May.  ")
    await exporting.note(make.by_account(work, cast.amina.no), nos, wanted, Format.XLSX, reason)
    await work.session.flush()
    line = (
        await work.session.scalars(select(AuditLine).where(AuditLine.act == "people_exported"))
    ).one()
    assert line.account_no == cast.amina.no
    assert line.facts == {
        "count": 4,
        "columns": ["email", "phone"],
        "format": "xlsx",
        "why": "For the phone bank of 12 May.",
    }


@pytest.mark.any_database
async def test_a_reason_is_needed_and_columns_that_are_there(work: Work, cast: Cast) -> None:
    for typed in ("", "   ", "because"):
        with pytest.raises(ReasonNeeded):
            exporting.read_reason(typed)
    with pytest.raises(TextTooLong):
        exporting.read_reason("x" * 301)
    with pytest.raises(ColumnsNeeded):
        await columns.chosen(work, [])
    with pytest.raises(ColumnUnknown) as refused:
        await columns.chosen(work, ["email", "password"])
    assert refused.value.facts["column"] == "password"


async def test_a_question_that_takes_too_long_is_ended_in_words(
    work: Work, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "SECONDS", 0.0)
    await make.people(work, 300)
    with pytest.raises(asking.AskedTooLong):
        for _ in range(200):  # a look at the clock comes every so many steps
            await exporting.gather(work, asking.EVERYBODY)
