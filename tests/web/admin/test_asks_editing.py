"""Writing asks: in each language, with everything that can be said of one, and by two at a time."""

import httpx
import pytest

from mailer.asks import composing, demands
from mailer.asks import store as asks
from mailer.asks.model import Ask, AskState, Evidence, Turn
from mailer.bootstrap import House
from mailer.kit.work import Door
from tests.cast import Cast
from tests.support.asking import drafted, opened, raised
from tests.support.campaigning import editor
from tests.support.forms import form_on
from tests.support.signing_in import post, signed_in

NEW = "/admin/asks/new"


async def newest(house: House) -> Ask:
    async with house.work(reading=True) as work:
        return (await asks.all_asks(work))[0]


async def how_many(house: House) -> int:
    async with house.work(reading=True) as work:
        return len(await asks.all_asks(work))


def whole(cast: Cast, demand_no: int) -> dict[str, str | list[str]]:
    """Everything that the form asks."""
    return {
        "title-en": "Recruit five people",
        "title-fr": "Faites adhérer cinq personnes",
        "why-en": "Together we are heard.",
        "text-en": "Make a list.\nTalk to one a day.",
        "demand_no": str(demand_no),
        "minutes": "90",
        "deadline": "2031-06-28",
        "audience": ["rep", "ally"],
        "minimum_tier_no": str(cast.supporter.no),
        "suggested_tier_no": str(cast.activist.no),
        "capacity": "300",
        "turn": "repeat",
        "repeat_days": "30",
        "target": "500",
        "unit-en": "people recruited",
        "evidence": "verified",
        "needs_support": "yes",
        "risk-en": "Your manager may hear of it.",
        "rights-en": "You may talk in your breaks.",
        "support_contact": "Rosa, 0151 496 0000",
    }


async def test_everything_that_is_typed_is_kept_as_a_draft(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    demand = await raised(house, "The right to work")

    answer = await post(admin, NEW, {**whole(cast, demand.no), "do": "save"})

    ask = await newest(house)
    assert answer.headers["location"] == f"/admin/asks/{ask.uid}"
    assert ask.state is AskState.DRAFT
    assert ask.title == {"en": "Recruit five people", "fr": "Faites adhérer cinq personnes"}
    assert (ask.text["en"], ask.demand_no) == ("Make a list.\nTalk to one a day.", demand.no)
    assert (ask.minutes, ask.target, ask.capacity) == (90, 500, 300)
    assert ask.deadline is not None
    assert ask.deadline.isoformat() == "2031-06-28T23:59:59+00:00"
    assert ask.audience == ["rep", "ally"]
    assert (ask.minimum_tier_no, ask.suggested_tier_no) == (cast.supporter.no, cast.activist.no)
    assert (ask.turn, ask.repeat_days) == (Turn.REPEAT, 30)
    assert (ask.evidence, ask.needs_support) == (Evidence.VERIFIED, True)
    assert ask.support_contact == "Rosa, 0151 496 0000"


async def test_the_form_shows_what_is_kept_so_that_saving_it_changes_nothing(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    demand = await raised(house, "The right to work")
    await post(admin, NEW, {**whole(cast, demand.no), "do": "save"})
    ask = await newest(house)
    page = f"/admin/asks/{ask.uid}/edit"

    kept = form_on((await admin.get(page)).text, holding="title-en")
    await post(admin, page, {**kept, "audience": ["rep", "ally"], "do": "save"})

    assert {name: kept[name] for name in ("minutes", "deadline", "turn", "demand_no")} == {
        "minutes": "90",
        "deadline": "2031-06-28",
        "turn": "repeat",
        "demand_no": str(demand.no),
    }
    assert (await newest(house)).version == ask.version


async def test_it_is_opened_with_the_same_button_that_saves(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    answer = await post(admin, NEW, {"title-en": "Write to your representative", "do": "open"})

    assert (await newest(house)).state is AskState.OPEN
    shown = (await admin.get(answer.headers["location"])).text
    assert "The ask is saved, and open." in shown


async def test_what_cannot_be_opened_yet_is_shown_again_and_nothing_of_it_is_kept(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    answer = await post(admin, NEW, {"title-en": "Sit down", "risk-en": "A fine.", "do": "open"})

    assert answer.status_code == 422
    assert '<a href="#support_contact">' in answer.text
    assert 'value="Sit down"' in answer.text
    assert await how_many(house) == 0


@pytest.mark.parametrize(
    ("typed", "at", "said"),
    [
        ({"title-en": ""}, "title-en", "Please fill this in."),
        ({"title-fr": "x" * 161}, "title-fr", "This is too long: 160 characters at most."),
        ({"minutes": "soon"}, "minutes", "This must be a whole number."),
        ({"minutes": "0"}, "minutes", "Say in 1 to 10,000 minutes how long it takes"),
        ({"deadline": "in June"}, "deadline", "This is no day."),
        ({"audience": "anybody"}, "audience", "Choose among those whom an ask can be for."),
        ({"minimum_tier_no": "999"}, "minimum_tier_no", "Choose among the levels of the ladder."),
        ({"demand_no": "999"}, "demand_no", "Choose one of the demands."),
        ({"turn": "repeat"}, "repeat_days", "Say after how many days it is asked again"),
        ({"target": "-5"}, "target", "A target is a whole number above 0."),
        ({"capacity": "0"}, "capacity", "Say for how many people there is room"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_is_kept(
    admin: httpx.AsyncClient,
    house: House,
    cast: Cast,
    typed: dict[str, str],
    at: str,
    said: str,
) -> None:
    ask = await drafted(house)

    for page in (NEW, f"/admin/asks/{ask.uid}/edit"):
        sent = {"title-en": "Recruit five people", "why-fr": "Ensemble.", "version": "1", **typed}
        answer = await post(admin, page, {**sent, "do": "save"})

        assert answer.status_code == 422, page
        assert f'<a href="#{at}">' in answer.text
        assert said in answer.text
        kept = form_on(answer.text, holding="title-en")
        assert kept["why-fr"] == "Ensemble."
        assert {name: kept.get(name) for name in typed if name in {"minutes", "deadline"}} == {
            name: value for name, value in typed.items() if name in {"minutes", "deadline"}
        }
    assert await how_many(house) == 1


async def test_of_two_who_write_at_a_time_the_second_is_told_and_keeps_their_words(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await opened(house)
    page = f"/admin/asks/{ask.uid}/edit"
    mine = form_on((await admin.get(page)).text, holding="title-en")
    async with house.work(account=cast.esra.no, door=Door.ADMIN) as work:
        await composing.revise(work, ask, version=1, title={"en": "Hers"})

    wrong = await post(admin, page, {**mine, "minutes": "0", "do": "save"})
    mended = form_on(wrong.text, holding="title-en")
    answer = await post(admin, page, {**mended, "title-en": "Mine", "minutes": "", "do": "save"})

    assert (wrong.status_code, answer.status_code) == (422, 409)
    assert "Somebody changed this after you opened it." in answer.text
    assert f'href="/admin/asks/{ask.uid}" target="_blank"' in answer.text
    assert (await newest(house)).title == {"en": "Hers"}
    again = form_on(answer.text, holding="title-en")
    assert again["title-en"] == "Mine"
    await post(admin, page, {**again, "do": "save"})
    assert (await newest(house)).title["en"] == "Mine"


async def test_a_demand_that_is_over_stays_with_the_ask_that_serves_it(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    won = await raised(house, "A living wage")
    ask = await drafted(house, demand_no=won.no)
    async with house.work(door=Door.ADMIN) as work:
        await demands.win(work, won)

    kept = form_on((await admin.get(f"/admin/asks/{ask.uid}/edit")).text, holding="title-en")
    new = (await admin.get(NEW)).text

    assert kept["demand_no"] == str(won.no)
    assert "A living wage" not in new


async def test_a_new_ask_of_a_demand_begins_under_it(
    admin: httpx.AsyncClient, house: House
) -> None:
    demand = await raised(house, "A living wage")

    kept = form_on((await admin.get(f"{NEW}?demand={demand.uid}")).text, holding="title-en")

    assert kept["demand_no"] == str(demand.no)


async def test_an_editor_saves_a_draft_and_cannot_open_it(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await signed_in(web, house, await editor(house))

    form = (await web.get(NEW)).text
    await post(web, NEW, {"title-en": "Write to your representative", "do": "open"})

    assert "Save and open" not in form
    assert "Somebody who may send newsletters opens it." in form
    assert (await newest(house)).state is AskState.DRAFT


# --- the library ----------------------------------------------------------------------------------


async def test_an_ask_of_the_library_becomes_a_draft_in_all_its_languages(
    admin: httpx.AsyncClient, house: House
) -> None:
    shown = (await admin.get("/admin/asks/library")).text
    key = form_on_first(shown)

    answer = await post(admin, "/admin/asks/library", {"key": key})

    taken = await newest(house)
    assert answer.headers["location"] == f"/admin/asks/{taken.uid}/edit"
    assert (taken.state, taken.library_key) == (AskState.DRAFT, key)
    assert set(taken.title) == {"en", "fr"}
    assert taken.title["en"] in shown
    assert "Taken as a draft." in (await admin.get(answer.headers["location"])).text


def form_on_first(shown: str) -> str:
    """Give the key of the first ask on the page of the library."""
    return shown.partition('name="key" value="')[2].partition('"')[0]


async def test_what_the_library_does_not_have_is_not_found(
    admin: httpx.AsyncClient, house: House
) -> None:
    answer = await post(admin, "/admin/asks/library", {"key": "no-such-ask"})

    assert answer.status_code == 404
    assert await how_many(house) == 0
