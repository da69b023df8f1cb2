"""Reading forms, and trying verbs on them."""

from collections.abc import Iterator

import pytest
from litestar.datastructures import FormMultiDict, UploadFile
from sqlalchemy import func, select

from mailer.accounts.model import SignInTry
from mailer.accounts.signing_in import CodeWrong
from mailer.kit.addresses import AddressIncomplete
from mailer.kit.errors import Conflict, Refusal
from mailer.kit.work import Work
from mailer.organisation import store as organisation
from mailer.organisation.actions import furnish
from web.kit.forms import Form, NotANumber, TooLong, attempt


class Taken(Conflict):
    """Somebody was faster."""


def refuse(refusal: Refusal) -> None:
    raise refusal


@pytest.fixture
def form() -> Iterator[Form]:
    chosen = UploadFile(content_type="text/csv", filename="a.csv", file_data=b"a,b")
    empty = UploadFile(content_type="text/csv", filename="", file_data=b"")
    yield Form(
        FormMultiDict(
            [
                ("name", "  Zoë\x00 Ü\r\n "),
                ("lines", "a\r\nb\tc"),
                ("list", "bulletin"),
                ("list", " urgent "),
                ("number", " 12 "),
                ("wrong", "1.5"),
                ("wide", "１２"),  # noqa: RUF001
                ("box", "yes"),
                ("file", chosen),
                ("none", empty),
                ("password", " not\x01 touched "),
            ],
        ),
    )
    chosen.file.close()
    empty.file.close()


def test_text_is_without_blanks_and_controls(form: Form) -> None:
    assert form.text("name") == "Zoë Ü"
    assert form.text("lines") == "a\nb\tc"
    assert form.text("missing") == ""
    assert form.text("file") == ""
    assert form.raw("password") == " not\x01 touched "


def test_text_that_is_too_long_is_refused_with_its_field(form: Form) -> None:
    with pytest.raises(TooLong) as refused:
        form.text("lines", limit=3)

    assert refused.value.facts["field"] == "lines"
    assert refused.value.said() == "This is too long: at most 3 characters."


def test_the_other_kinds(form: Form) -> None:
    assert form.many("list") == ["bulletin", "urgent"]
    assert form.many("missing") == []
    assert form.flag("box")
    assert not form.flag("missing")
    assert form.whole("number") == 12
    assert form.whole("missing") is None
    for field in ("wrong", "wide"):
        with pytest.raises(NotANumber):
            form.whole(field)
    assert form.file("none") is form.file("missing") is form.file("name") is None
    chosen = form.file("file")
    assert chosen
    assert chosen.filename == "a.csv"


def test_values_fill_the_form_in_again(form: Form) -> None:
    assert form.values["name"] == "  Zoë Ü\n "
    assert form.values["file"] == ""


async def test_what_a_refused_verb_did_is_undone_and_the_page_goes_on(work: Work) -> None:
    known = await furnish(work, "Before")

    async with attempt(work) as tried:
        known.name = "After"
        await work.session.flush()
        refuse(AddressIncomplete(field="address"))

    assert isinstance(tried.refusal, AddressIncomplete)
    assert tried.errors == {"address": tried.words}
    assert "name@example.org" in tried.words
    assert known.name == "Before"  # read again, so a page can show it
    assert (await organisation.the_one(work)).name == "Before"


async def test_what_is_about_no_field_stands_under_none(work: Work) -> None:
    async with attempt(work) as tried:
        refuse(Taken())

    assert tried.errors == {"": "Somebody was faster."}


async def test_what_went_well_stays(work: Work) -> None:
    known = await furnish(work, "Before")
    async with attempt(work) as tried:
        known.name = "After"

    assert (tried.refusal, tried.words, tried.errors) == (None, "", {})
    assert (await organisation.the_one(work)).name == "After"


async def test_a_wrong_code_stays_noted(work: Work) -> None:
    async with attempt(work) as tried:
        refuse(CodeWrong(7))

    assert isinstance(tried.refusal, CodeWrong)
    assert await work.session.scalar(select(func.count(SignInTry.no))) == 1


async def test_a_fault_is_no_refusal(work: Work) -> None:
    with pytest.raises(ZeroDivisionError):
        async with attempt(work):
            _ = 1 / 0
