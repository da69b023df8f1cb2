"""Exporting from the browser: who, which columns, why, and a fresh code."""

import csv
import io
import json
import re

import httpx
import pyotp
import pytest
from sqlalchemy import select

from mailer.accounts import actions as accounts
from mailer.accounts.model import Account
from mailer.audit.model import AuditLine
from mailer.bootstrap import House
from mailer.kit.work import Door
from mailer.segments import saving
from tests.cast import Cast
from tests.support.signing_in import post, rested, signed_in

pytestmark = pytest.mark.any_database

PAGE = "/admin/export"
REASON = "For the phone bank of 12 May."


async def code_of(house: House, account: Account) -> str:
    return pyotp.TOTP(await rested(house, account)).now()


async def sent(
    client: httpx.AsyncClient, house: House, account: Account, **typed: str | list[str]
) -> httpx.Response:
    """Fill the form in and send it: everybody, two columns, CSV, unless said."""
    form = {
        "whom": "everybody",
        "columns": ["email", "first_name"],
        "format": "csv",
        "reason": REASON,
        "code": await code_of(house, account),
        **typed,
    }
    return await post(client, PAGE, form, page=f"{PAGE}?whom=everybody")


def rows(answer: httpx.Response) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


async def lines_of(house: House) -> list[AuditLine]:
    async with house.work(reading=True) as work:
        found = await work.session.scalars(
            select(AuditLine).where(AuditLine.act == "people_exported")
        )
        return list(found)


async def test_the_page_asks_whom_first_and_counts_them(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    first = await admin.get(PAGE)
    assert first.status_code == 200
    assert "Everybody on the roll" in first.text
    assert "On the list “" in first.text
    assert 'name="code"' not in first.text

    counted = await admin.get(f"{PAGE}?whom=everybody")
    assert "Export 4 people" in counted.text
    assert re.search(r'value="email" checked', counted.text)
    assert not re.search(r'value="phone" checked', counted.text)
    assert await lines_of(house) == []


async def test_a_file_leaves_and_the_record_says_so(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    answer = await sent(admin, house, cast.amina)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(
        r'attachment; filename="people-\d{4}-\d\d-\d\d\.csv"', answer.headers["content-disposition"]
    )
    assert answer.headers["cache-control"] == "no-store"
    assert rows(answer) == [
        ["email", "first_name"],
        ["bo@example.org", "Bo"],
        ["chidi@example.org", "Chidi"],
        ["gil@example.org", "Gil"],
        ["dana@example.org", "Dana"],
    ]
    [line] = await lines_of(house)
    assert (line.account_no, line.facts["count"]) == (cast.amina.no, 4)
    shown = await admin.get("/admin/record")
    assert f"Took 4 people out in a file: “{REASON}”" in shown.text


@pytest.mark.parametrize(
    ("kind", "media"),
    [("xlsx", "application/vnd.openxmlformats"), ("jsonl", "application/jsonl")],
)
async def test_other_formats_leave_too(
    admin: httpx.AsyncClient, cast: Cast, house: House, kind: str, media: str
) -> None:
    answer = await sent(admin, house, cast.amina, format=kind)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(media)
    assert answer.headers["content-disposition"].endswith(f'.{kind}"')


async def test_a_list_a_segment_and_a_question_say_who_is_in_it(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    tree = {"is": "language", "languages": ["fr"]}
    async with house.work(door=Door.CLI) as work:
        found = {"is": "list", "list": str(cast.bulletin.no), "state": "confirmed"}
        segment = await saving.save(work, name="Readers", tree=found)
    on_the_list = await sent(admin, house, cast.amina, whom="list.bulletin")
    assert [row[1] for row in rows(on_the_list)[1:]] == ["Bo", "Gil"]
    of_the_segment = await sent(admin, house, cast.amina, whom=f"segment.{segment.uid}")
    assert rows(of_the_segment) == rows(on_the_list)
    these = await sent(admin, house, cast.amina, whom="these", tree=json.dumps(found))
    assert rows(these) == rows(on_the_list)

    shown = await admin.get(PAGE, params={"tree": json.dumps(found)})
    assert "Those you were looking at" in shown.text
    assert "Export 2 people" in shown.text
    wrong = await admin.get(PAGE, params={"tree": json.dumps({**tree, "is": "nonsense"})})
    assert wrong.status_code == 200
    assert 'name="code"' not in wrong.text


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"columns": []}, "columns", "Please choose at least one column."),
        ({"columns": ["password"]}, "columns", "There is no column “password”."),
        ({"reason": "x"}, "reason", "Please say in a few words"),
        ({"reason": "x" * 400}, "reason", "This is too long"),
        ({"code": "000000"}, "code", "This is not the code"),
        ({"code": ""}, "code", "This is not the code"),
        ({"whom": ""}, "whom", "Please choose who"),
        ({"whom": "segment.nowhere"}, "whom", "Please choose who"),
        ({"whom": "these", "tree": "[" * 5000}, "whom", "We could not read this question."),
    ],
)
async def test_what_is_missing_is_said_at_its_field_and_nothing_typed_is_lost(
    admin: httpx.AsyncClient,
    cast: Cast,
    house: House,
    typed: dict[str, str | list[str]],
    field: str,
    said: str,
) -> None:
    answer = await sent(admin, house, cast.amina, **typed)
    assert answer.status_code == 422
    assert said in answer.text
    assert f'href="#{field}"' in answer.text
    if "columns" not in typed and field != "whom":
        assert re.search(r'value="first_name" checked', answer.text)
        assert not re.search(r'value="last_name" checked', answer.text)
    if field == "code":
        assert REASON in answer.text
    assert await lines_of(house) == []


async def test_a_code_lets_one_file_leave(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    code = await code_of(house, cast.amina)
    form: dict[str, str | list[str]] = {
        "whom": "everybody",
        "columns": ["email"],
        "reason": REASON,
        "code": code,
    }
    first = await post(admin, PAGE, form, page=f"{PAGE}?whom=everybody")
    second = await post(admin, PAGE, form, page=f"{PAGE}?whom=everybody")
    assert (first.status_code, second.status_code) == (200, 422)
    assert "This code has been used." in second.text
    assert len(await lines_of(house)) == 1


async def test_wrong_codes_are_counted_as_at_sign_in(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    for _ in range(5):
        assert (await sent(admin, house, cast.amina, code="000000")).status_code == 422
    answer = await sent(admin, house, cast.amina)
    assert answer.status_code == 409
    assert "Too many tries." in answer.text
    assert await lines_of(house) == []


async def test_nobody_is_no_file(admin: httpx.AsyncClient, cast: Cast, house: House) -> None:
    tree = {"all": [{"everybody": True}, {"none": [{"everybody": True}]}]}
    answer = await sent(admin, house, cast.amina, whom="these", tree=json.dumps(tree))
    assert answer.status_code == 409
    assert "Nobody answers to this" in answer.text


async def test_an_organiser_with_a_scope_takes_out_their_own_people_and_is_told_so(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    async with house.work(door=Door.CLI) as work:
        esra = await work.session.get_one(Account, cast.esra.no)
        await accounts.limit_to(work, esra, [cast.harbour.no])
    await signed_in(web, house, cast.esra)
    shown = await web.get(f"{PAGE}?whom=everybody")
    assert "Only the people of your groups are in it:" in shown.text
    assert "Harbour Workers’ Centre" in shown.text
    assert "Export 1 person" in shown.text
    answer = await sent(web, house, cast.esra)
    assert rows(answer) == [["email", "first_name"], ["gil@example.org", "Gil"]]


async def test_others_have_no_such_page(web: httpx.AsyncClient, cast: Cast, house: House) -> None:
    await signed_in(web, house, cast.farid)
    assert (await web.get(PAGE)).status_code == 403
