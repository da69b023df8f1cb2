"""My data: from a private link alone, to read, to take away, and to have erased."""

import datetime as dt
import json
import re

import httpx
import pytest

from mailer.bootstrap import House
from mailer.kit.tokens import Purpose
from mailer.subscribers import store as people
from tests.cast import Cast
from tests.records.a_life import lived
from tests.web.public.conftest import Facts, Link

pytestmark = pytest.mark.any_database


@pytest.fixture
def private(cast: Cast, link: Link) -> str:
    return link(Purpose.PRIVATE, cast.bo.no).replace("/l/", "/my/")


async def is_erased(house: House, no: int) -> bool:
    async with house.work(reading=True) as work:
        person = await people.by_no(work, no)
        return person is not None and person.erased_at is not None


async def test_the_private_page_leads_to_it(web: httpx.AsyncClient, private: str) -> None:
    page = (await web.get(private.replace("/my/", "/l/"))).text
    assert f'href="{private}/data"' in page
    assert f'href="{private}/erasure"' in page


async def test_all_is_shown_in_words_and_nothing_is_changed(
    web: httpx.AsyncClient, house: House, cast: Cast, private: str, facts: Facts
) -> None:
    await lived(house, cast)
    before = await facts()

    page = await web.get(f"{private}/data")

    assert page.status_code == 200
    for words in ("Canaryborough", "+442079460991", "Night shift", "Organiser", "canary answer"):
        assert words in page.text
    for other in ("Esra", "Amina", "gil@example.org"):
        assert other not in page.text
    assert await facts() == before


@pytest.mark.parametrize("kind", ["json", "csv"])
async def test_all_is_taken_away_as_a_file(
    web: httpx.AsyncClient, private: str, facts: Facts, kind: str
) -> None:
    before = await facts()
    file = await web.get(f"{private}/data.{kind}")

    assert file.headers["content-disposition"] == f'attachment; filename="my-data.{kind}"'
    assert file.headers["content-type"].startswith({"json": "application/json"}.get(kind, "text/"))
    assert file.headers["cache-control"] == "no-store"
    assert "bo@example.org" in file.text
    if kind == "json":
        assert json.loads(file.content)["organisation"] == "Workers Against Racism"
    assert await facts() == before


@pytest.mark.parametrize("what", ["data", "data.json", "data.csv", "erasure"])
async def test_no_other_link_opens_it(
    web: httpx.AsyncClient, cast: Cast, link: Link, what: str
) -> None:
    for token, status in (
        (link(Purpose.PREFERENCES, cast.bo.no), 404),
        (link(Purpose.UNSUBSCRIBE, cast.bo.no), 404),
        (link(Purpose.PRIVATE, cast.bo.no, ago=dt.timedelta(hours=1)), 410),
        ("/l/unknown", 404),
    ):
        page = await web.get(f"/my/{token.rpartition('/')[2]}/{what}")
        assert page.status_code == status
        assert "bo@example.org" not in page.text


async def test_a_list_may_be_heard_only_when_it_is_urgent(
    web: httpx.AsyncClient, private: str, facts: Facts
) -> None:
    page = private.replace("/my/", "/l/")
    assert "Only when urgent" in (await web.get(page)).text

    await web.post(f"{private}/lists", data={"list": "bulletin", "on": "urgent"})
    shown = (await web.get(page)).text
    assert "Everything again" in shown
    assert "Only when urgent" not in shown
    assert len((await facts())["only_urgent"]) == 1

    await web.post(f"{private}/lists", data={"list": "bulletin", "on": "all"})
    assert "Only when urgent" in (await web.get(page)).text
    assert (await facts())["only_urgent"] == []


async def test_how_and_how_often_we_write_is_chosen_and_chosen_back(
    web: httpx.AsyncClient, private: str, facts: Facts
) -> None:
    page = private.replace("/my/", "/l/")
    chosen = r'value="{}" checked'
    shown = (await web.get(page)).text
    assert all(re.search(chosen.format(one), shown) for one in ("level", "usual"))

    form = {"pace": "monthly", "mail_form": "large", "answer": "save"}
    said = await web.post(f"{private}/writing", data=form, follow_redirects=True)
    assert "Saved." in said.text
    assert all(re.search(chosen.format(one), said.text) for one in ("monthly", "large"))
    assert "Wants at most one newsletter a month" in said.text
    before = await facts()
    again = await web.post(f"{private}/writing", data=form, follow_redirects=True)
    assert "Nothing has changed." in again.text
    await web.post(f"{private}/writing", data={**form, "pace": "level", "answer": ""})
    assert await facts() == before, "without a button, or twice, it does nothing"

    back = {"pace": "level", "mail_form": "usual", "answer": "save"}
    said = await web.post(f"{private}/writing", data=back, follow_redirects=True)
    assert all(re.search(chosen.format(one), said.text) for one in ("level", "usual"))
    assert (await facts())["at_most"] == []


async def test_what_is_no_choice_is_refused_where_it_stands(
    web: httpx.AsyncClient, private: str, facts: Facts
) -> None:
    before = await facts()
    for wrong in ({"pace": "hourly", "mail_form": "large"}, {"pace": "weekly", "mail_form": "x"}):
        page = await web.post(f"{private}/writing", data={**wrong, "answer": "save"})
        assert page.status_code == 422
        assert "Please choose how" in page.text
    assert await facts() == before


# --- erasing --------------------------------------------------------------------------------------


async def test_erasing_asks_first_and_says_that_there_is_no_undo(
    web: httpx.AsyncClient, private: str, facts: Facts
) -> None:
    before = await facts()
    page = (await web.get(f"{private}/erasure")).text

    assert "It cannot be undone" in page
    assert page.index("No, change nothing") < page.index("Yes, erase everything")
    assert await facts() == before


@pytest.mark.parametrize("sent", [{}, {"answer": "no"}, {"remains": "nothing"}, {"answer": "x"}])
async def test_without_its_button_nothing_is_erased(
    web: httpx.AsyncClient, private: str, facts: Facts, sent: dict[str, str]
) -> None:
    before = await facts()
    page = await web.post(f"{private}/erasure", data=sent)

    assert page.status_code == 200
    assert "Nothing has changed" in page.text
    assert await facts() == before


async def test_what_remains_must_be_chosen(
    web: httpx.AsyncClient, private: str, facts: Facts
) -> None:
    before = await facts()
    page = await web.post(f"{private}/erasure", data={"answer": "yes", "remains": "all"})

    assert page.status_code == 422
    assert "Please choose what remains." in page.text
    assert await facts() == before


@pytest.mark.parametrize(("remains", "marks"), [("mark", 1), ("nothing", 0)])
async def test_yes_erases_and_the_link_leads_nowhere(
    web: httpx.AsyncClient,
    house: House,
    cast: Cast,
    private: str,
    facts: Facts,
    remains: str,
    marks: int,
) -> None:
    done = await web.post(f"{private}/erasure", data={"answer": "yes", "remains": remains})

    assert (done.status_code, done.headers["location"]) == (303, "/my/erased")
    assert "It is done." in (await web.get("/my/erased")).text
    assert await is_erased(house, cast.bo.no)
    assert not await is_erased(house, cast.gil.no)
    after = await facts()
    assert len(after["suppression"]) == marks
    again = await web.post(f"{private}/erasure", data={"answer": "yes", "remains": remains})
    assert again.status_code == 404
    assert (await web.get(f"{private}/data")).status_code == 404
    assert await facts() == after
