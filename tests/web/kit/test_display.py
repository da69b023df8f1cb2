"""How pages look is a choice that a cookie remembers; the organisation's colour is a style."""

import httpx
import pytest

from mailer.bootstrap import House
from mailer.organisation import store as organisation
from tests.cast import Cast
from web.kit.sessions import Display
from web.public.display import ink_on, quoted

pytestmark = pytest.mark.any_database


async def test_contrast_and_theme_are_remembered_apart(web: httpx.AsyncClient, cast: Cast) -> None:
    plain = (await web.get("/admin/sign-in")).text
    assert "data-contrast" not in plain
    assert "data-theme" not in plain

    answer = await web.post("/display", data={"contrast": "more", "back": "/admin/sign-in?next=/a"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/sign-in?next=/a")
    await web.post("/display", data={"theme": "dark"})

    shown = (await web.get("/admin/sign-in")).text
    assert 'data-contrast="more"' in shown
    assert 'data-theme="dark"' in shown
    await web.post("/display", data={"contrast": "standard"})
    shown = (await web.get("/admin/sign-in")).text
    assert 'data-contrast="standard"' in shown
    assert 'data-theme="dark"' in shown


async def test_what_is_no_choice_changes_nothing(web: httpx.AsyncClient, cast: Cast) -> None:
    answer = await web.post("/display", data={"contrast": '"><script>', "theme": "pink"})
    assert answer.headers["location"] == "/"
    web.cookies.set("display", '"><script>.dark')
    shown = (await web.get("/admin/sign-in")).text
    assert "<script>." not in shown
    assert 'data-theme="dark"' in shown


@pytest.mark.parametrize("cookie", ["", ".", "more", "x.y", "more.dark.more", "." * 999])
def test_a_cookie_is_read_with_care(cookie: str) -> None:
    display = Display.read(cookie)

    assert display.contrast in {"", "more"}
    assert display.theme in {"", "dark"}


async def test_a_language_is_chosen_by_its_name(web: httpx.AsyncClient, cast: Cast) -> None:
    answer = await web.post("/language", data={"language": "fr", "back": "/admin/sign-in"})
    assert answer.headers["location"] == "/admin/sign-in"
    assert '<html lang="fr"' in (await web.get("/admin/sign-in")).text

    await web.post("/language", data={"language": "xx"})
    assert '<html lang="fr"' in (await web.get("/admin/sign-in")).text


@pytest.mark.parametrize("path", ["/display", "/language"])
@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "", "javascript:x"])
async def test_the_way_back_is_to_a_page_of_ours(
    web: httpx.AsyncClient, cast: Cast, path: str, back: str
) -> None:
    answer = await web.post(path, data={"back": back, "theme": "dark", "language": "fr"})

    assert answer.headers["location"] == "/"


async def test_the_organisation_s_colour_and_name_are_a_style(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    answer = await web.get("/brand.css")
    assert answer.headers["content-type"].startswith("text/css")
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert "--org-colour: #ffc233;" in answer.text
    assert "--org-ink: #000000;" in answer.text
    assert '--org-name: "Workers Against Racism";' in answer.text

    mark = {"if-none-match": answer.headers["etag"]}
    again = await web.get("/brand.css", headers=mark)
    assert (again.status_code, again.content) == (304, b"")

    async with house.work() as work:
        known = await organisation.the_one(work)
        known.colour, known.name = "#1a2b3c", 'A"; } body { display: none } /* \\'
    changed = await web.get("/brand.css", headers=mark)
    assert changed.status_code == 200
    assert "--org-ink: #ffffff;" in changed.text
    assert changed.text.count("{") == changed.text.count("}") == 1
    assert changed.text.count('"') == 4


async def test_a_colour_that_is_none_is_not_written(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    async with house.work() as work:
        (await organisation.the_one(work)).colour = "red;}"

    assert "--org-colour: #ffc233;" in (await web.get("/brand.css")).text


@pytest.mark.parametrize(
    ("colour", "ink"),
    [
        ("#ffffff", "#000000"),
        ("#000000", "#ffffff"),
        ("#767676", "#000000"),
        ("#c1121f", "#ffffff"),
    ],
)
def test_ink_is_what_reads_better(colour: str, ink: str) -> None:
    assert ink_on(colour) == ink


def test_words_in_a_style_cannot_end_it() -> None:
    assert quoted("Zoë & Co. 1") == "Zoë & Co. 1"
    assert quoted('"\\\n</') == "\\22 \\5c \\a \\3c \\2f "


async def test_we_are_well_when_the_database_answers(web: httpx.AsyncClient, cast: Cast) -> None:
    answer = await web.get("/health")

    assert (answer.status_code, answer.text) == (200, "ok\n")
