"""The pages of the sign-up forms: making one, how it looks, and what is pasted elsewhere."""

import html

import html5lib
import httpx
import pytest

from mailer.bootstrap import House
from mailer.fields import actions as fields
from mailer.fields.model import FieldKind
from mailer.forms import store
from mailer.forms.model import SignUpForm
from mailer.tags import actions as tags
from tests.cast import Cast
from tests.support.forms import form_on
from tests.support.looking import viewer
from tests.support.signing_in import post, signed_in

DRIVERS: dict[str, str | list[str]] = {
    "title-en": "Stand with the drivers",
    "title-fr": "Avec les chauffeurs",
    "intro-en": "We write when it matters.",
    "list": "bulletin",
    "asks_for": ["first_name", "group"],
    "needed": ["first_name"],
    "may_be_embedded": "yes",
    "sites": "https://union.example\nhttps://www.union.example",
}


async def by_slug(house: House, slug: str = "stand-with-the-drivers") -> SignUpForm:
    async with house.work(reading=True) as work:
        found = await store.by_slug(work, slug)
    assert found is not None
    return found


def boxes(text: str, name: str) -> set[str]:
    """Give the values of the boxes of one name that are ticked."""
    page = html5lib.parse(text, namespaceHTMLElements=False)
    return {
        one.get("value")
        for one in page.iter("input")
        if one.get("name") == name and one.get("checked") is not None
    }


def pasted_on(text: str) -> dict[str, str]:
    """Give what is there to be pasted elsewhere."""
    page = html5lib.parse(text, namespaceHTMLElements=False)
    return {one.get("name"): one.text for one in page.iter("textarea") if "readonly" in one.attrib}


async def test_a_form_is_made_and_its_address_is_told(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    assert "There is no form yet" in (await admin.get("/admin/forms")).text
    async with house.work() as work:
        tag = await tags.make(work, name="Picket line")

    answer = await post(admin, "/admin/forms/new", {**DRIVERS, "tag": tag.uid})
    shown = (await admin.get(answer.headers["location"])).text

    form = await by_slug(house)
    assert (form.asks_for, form.needed, form.tag_no) == (
        ["first_name", "group"],
        ["first_name"],
        tag.no,
    )
    assert form.made_by == cast.amina.no
    assert "The form “Stand with the drivers” is open." in shown
    assert 'href="http://127.0.0.1:8000/f/stand-with-the-drivers"' in shown
    kept = form_on(shown)
    assert (kept["title-fr"], kept["list"], kept["tag"]) == (
        "Avec les chauffeurs",
        "bulletin",
        tag.uid,
    )
    assert boxes(shown, "asks_for") == {"first_name", "group"}
    assert boxes(shown, "needed") == {"first_name"}
    assert "Stand with the drivers" in (await admin.get("/admin/forms")).text
    assert "Stand with the drivers" in (await admin.get("/admin/lists/bulletin")).text


async def test_what_is_pasted_elsewhere_is_html_without_script_that_works(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    async with house.work() as work:
        field = await fields.make(
            work,
            name={"en": 'Shift <b>"early"</b>'},
            kind=FieldKind.CHOICES,
            choices=[fields.Choice(name={"en": "Early"}), fields.Choice(name={"en": "Late"})],
            is_public=True,
        )
    shift = f"field:{field.slug}"
    asked = ["first_name", "language", "level", shift]
    await post(admin, "/admin/forms/new", {**DRIVERS, "asks_for": asked})

    kept = pasted_on((await admin.get("/admin/forms/stand-with-the-drivers")).text)

    pasted = kept["plain-en"]
    assert "<script" not in pasted
    assert "style=" not in pasted
    [form] = html5lib.parse(pasted, namespaceHTMLElements=False).findall(".//form")
    assert form.get("action") == "http://127.0.0.1:8000/f/stand-with-the-drivers"
    names = {one.get("name") for one in form.iter() if one.get("name")}
    assert names == {"address", "in", "more", *asked}
    assert html.escape('Shift <b>"early"</b>', quote=False) in pasted.replace("&#34;", '"')
    assert kept["plain-fr"] != pasted
    assert kept["framed-en"].startswith(
        '<iframe src="http://127.0.0.1:8000/f/stand-with-the-drivers/frame?in=en"'
    )
    sent = {"address": "new@example.org", "first_name": "Noor", shift: "early"}
    page = await admin.post("/f/stand-with-the-drivers", data=sent)
    assert "Look over what you typed" in page.text


async def test_without_sites_there_is_no_frame_to_paste(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await post(admin, "/admin/forms/new", {**DRIVERS, "sites": ""})
    kept = pasted_on((await admin.get("/admin/forms/stand-with-the-drivers")).text)
    assert "plain-en" in kept
    assert "framed-en" not in kept


@pytest.mark.parametrize(
    ("changed", "at", "said"),
    [
        ({"title-en": "", "title-fr": " "}, "title-en", "Please fill this in."),
        ({"intro-fr": "x" * 1001}, "intro-fr", "1000 characters at most"),
        ({"list": "nothing"}, "list", "Please choose the list"),
        ({"tag": "nothing"}, "tag", "There is no such tag."),
        ({"sites": "https://union.example/page"}, "sites", "is no site"),
        ({"asks_for": ["field:gone"]}, "asks_for", "cannot be asked any more"),
    ],
)
async def test_a_mistake_is_shown_at_its_field_and_nothing_typed_is_lost(
    admin: httpx.AsyncClient, cast: Cast, changed: dict[str, str], at: str, said: str
) -> None:
    answer = await post(admin, "/admin/forms/new", {**DRIVERS, **changed})

    assert answer.status_code == 422
    assert f'<a href="#{at}">' in answer.text
    assert f'id="{at}-error"' in answer.text
    assert said in html.unescape(answer.text)
    kept = form_on(answer.text)
    assert kept["intro-en"] == DRIVERS["intro-en"]
    assert kept["sites"] == {**DRIVERS, **changed}["sites"]
    if at != "asks_for":
        assert boxes(answer.text, "asks_for") == {"first_name", "group"}


async def test_a_form_is_looked_at_before_it_is_saved(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    page = "/admin/forms/new"

    shown = await post(admin, "/admin/forms/preview", {**DRIVERS, "shown_in": "fr"}, page=page)
    wrong = await post(admin, "/admin/forms/preview", {**DRIVERS, "list": ""}, page=page)

    assert "Avec les chauffeurs" in shown.text
    policy = shown.headers["content-security-policy"]
    assert "frame-ancestors 'self'" in policy
    assert "form-action 'none'" in policy
    assert "x-frame-options" not in shown.headers
    assert "Please choose the list that people join." in wrong.text
    async with house.work(reading=True) as work:
        assert await store.all_forms(work) == []
    await post(admin, page, DRIVERS)
    saved = await admin.get("/admin/forms/stand-with-the-drivers/preview")
    assert "We write when it matters." in saved.text


async def test_a_form_is_changed_closed_and_opened_again(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await post(admin, "/admin/forms/new", DRIVERS)
    page = "/admin/forms/stand-with-the-drivers"

    await post(admin, page, {**DRIVERS, "title-en": "With the drivers"})
    closed = await post(admin, f"{page}/closing", page=page)

    shown = (await admin.get(closed.headers["location"])).text
    assert "The form “With the drivers” is closed." in shown
    assert "Nobody can sign up by it." in shown
    assert "is closed" in (await admin.get(f"{page}/preview")).text
    opened = await post(admin, f"{page}/closing", {"open": "yes"}, page=page)
    assert "is open again" in (await admin.get(opened.headers["location"])).text
    assert (await by_slug(house)).closed_at is None
    assert (await admin.get("/admin/forms/nothing")).status_code == 404


async def test_who_only_looks_and_who_looks_after_some_groups_change_no_forms(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    for account in (await viewer(house), cast.farid):
        web.cookies.clear()
        await signed_in(web, house, account)
        shown = await web.get("/admin/forms")
        assert shown.status_code == 200
        assert "Make a form" not in shown.text
        assert (await web.get("/admin/forms/new")).status_code == 403
        answer = await post(web, "/admin/forms/new", DRIVERS, page="/admin/forms")
        assert answer.status_code == 403
