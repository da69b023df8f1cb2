"""The pages of the demands: raising one, its words, what was reached, and how it ends."""

import re

import httpx

from mailer.asks import demands, pledging, reporting
from mailer.asks import store as asks
from mailer.asks.model import Demand, DemandState
from mailer.bootstrap import House
from mailer.kit.work import Door
from tests import makers as make
from tests.cast import Cast
from tests.support.asking import drafted, opened, pledged, raised
from tests.support.campaigning import editor
from tests.support.forms import form_on
from tests.support.signing_in import post, signed_in

PAGE = "/admin/demands"
TITLE = "The right to work for people seeking asylum"


async def newest(house: House) -> Demand:
    async with house.work(reading=True) as work:
        return (await asks.demands(work))[0]


async def test_before_the_first_one_the_page_says_what_a_demand_is(
    admin: httpx.AsyncClient,
) -> None:
    shown = (await admin.get(PAGE)).text

    assert "No demand yet" in shown
    assert "Raise it" in shown


async def test_a_demand_is_raised_in_each_language_as_a_draft(
    admin: httpx.AsyncClient, house: House
) -> None:
    answer = await post(
        admin, PAGE, {"title-en": TITLE, "title-fr": "Le droit au travail", "text-en": "Now."}
    )

    demand = await newest(house)
    assert answer.headers["location"] == f"{PAGE}/{demand.uid}"
    assert demand.state is DemandState.DRAFT
    assert demand.title == {"en": TITLE, "fr": "Le droit au travail"}
    shown = (await admin.get(answer.headers["location"])).text
    assert "The demand is raised." in shown
    assert "Nobody sees it until it is opened." in shown


async def test_without_a_title_it_is_asked_for_and_what_was_typed_is_kept(
    admin: httpx.AsyncClient, house: House
) -> None:
    demand = await raised(house, TITLE)
    for page, holding in ((PAGE, "title-en"), (f"{PAGE}/{demand.uid}", "title-en")):
        answer = await post(
            admin, page, {"title-en": "", "text-fr": "Tout de suite.", "version": "1"}
        )

        assert answer.status_code == 422
        assert '<a href="#title-en">' in answer.text
        assert form_on(answer.text, holding=holding)["text-fr"] == "Tout de suite."
    assert (await newest(house)).title == {"en": TITLE}


async def test_its_asks_stand_with_it_and_what_was_done_is_counted(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    demand = await raised(house, TITLE)
    ask = await opened(house, "Write to your representative", demand_no=demand.no)
    await pledged(house, cast.bo, ask)
    async with house.work(door=Door.PAGE) as work:
        await reporting.report_done(work, cast.bo, ask)

    listed = (await admin.get(PAGE)).text
    shown = (await admin.get(f"{PAGE}/{demand.uid}")).text

    assert '<td role="cell" class="n " data-l="Open asks"><span>1</span></td>' in listed
    assert '<td role="cell" class="n " data-l="Done"><span>1</span></td>' in listed
    assert f'href="/admin/asks/{ask.uid}"' in shown
    assert "1 done, 1 said yes" in shown
    assert f'href="/admin/asks/new?demand={demand.uid}"' in shown


async def test_what_was_reached_is_told(admin: httpx.AsyncClient, house: House) -> None:
    demand = await raised(house, TITLE)
    page = f"{PAGE}/{demand.uid}"
    kept = form_on((await admin.get(page)).text, holding="progress-en")

    answer = await post(admin, page, {**kept, "progress-en": "Two councils have said yes."})

    assert "The demand is saved." in (await admin.get(answer.headers["location"])).text
    assert "Two councils have said yes." in (await admin.get(PAGE)).text


async def test_of_two_who_write_at_a_time_the_second_is_told_and_keeps_their_words(
    admin: httpx.AsyncClient, house: House
) -> None:
    demand = await raised(house, TITLE)
    page = f"{PAGE}/{demand.uid}"
    mine = form_on((await admin.get(page)).text, holding="title-en")
    async with house.work(door=Door.ADMIN) as work:
        await demands.describe(work, demand, version=1, title={"en": "Hers"}, text={}, progress={})

    wrong = await post(admin, page, {**mine, "title-en": ""})
    mended = form_on(wrong.text, holding="title-en")
    answer = await post(admin, page, {**mended, "title-en": "Mine"})

    assert (wrong.status_code, answer.status_code) == (422, 409)
    assert "Somebody changed this after you opened it." in answer.text
    assert (await newest(house)).title == {"en": "Hers"}
    again = form_on(answer.text, holding="title-en")
    assert again["title-en"] == "Mine"
    await post(admin, page, again)
    assert (await newest(house)).title == {"en": "Mine"}


async def test_it_is_opened_won_closed_and_taken_up_again(
    admin: httpx.AsyncClient, house: House
) -> None:
    await post(admin, PAGE, {"title-en": TITLE})
    page = f"{PAGE}/{(await newest(house)).uid}"
    states, said = [], []
    for do in ("win", "open", "win", "reopen", "close", "none"):
        answer = await post(admin, f"{page}/state", {"do": do}, page=page)
        said.append((await admin.get(answer.headers["location"])).text)
        states.append((await newest(house)).state)

    draft, is_open, won, closed = DemandState
    assert states == [draft, is_open, won, is_open, closed, closed]
    assert "This demand is a draft. Open it first." in said[0]
    assert "Say what was reached" in said[2]
    assert "Nothing has changed." in said[5]


async def test_one_that_is_not_there_is_not_found(admin: httpx.AsyncClient) -> None:
    answer = await admin.get(f"{PAGE}/00000000-0000-7000-8000-000000000000")

    assert answer.status_code == 404
    assert "There is no such demand" in answer.text


async def test_farid_reads_demands_and_changes_none(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    demand = await raised(house, TITLE, text="Now, and not after two years.")
    ask = await opened(house, demand_no=demand.no, target=40)
    await pledged(house, cast.bo, ask)
    await signed_in(web, house, cast.farid)
    page = f"{PAGE}/{demand.uid}"

    async with house.work(door=Door.ADMIN) as work:
        draft = await demands.raise_demand(work, title={"en": "Not said yet"}, text={})

    listed, shown = (await web.get(PAGE)).text, (await web.get(page)).text
    unseen = await web.get(f"{PAGE}/{draft.uid}")
    answers = [
        await post(web, PAGE, {"title-en": "Mine"}, page="/admin"),
        await post(web, page, {"title-en": "Mine"}, page="/admin"),
        await post(web, f"{page}/state", {"do": "win"}, page="/admin"),
    ]

    assert TITLE in listed
    assert "Not said yet" not in listed
    assert unseen.status_code == 404
    assert "Raise it" not in listed
    assert "Now, and not after two years." in shown
    assert "0 done, 0 said yes" in shown
    assert "goal 40" not in shown
    assert {answer.status_code for answer in answers} == {403}
    async with house.work(reading=True) as work:
        stands = await asks.demand_by_no(work, demand.no)
    assert stands is not None
    assert (stands.title, stands.state) == ({"en": TITLE}, DemandState.OPEN)


async def test_an_editor_writes_demands_and_opens_none(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await signed_in(web, house, await editor(house))

    await post(web, PAGE, {"title-en": TITLE})
    page = f"{PAGE}/{(await newest(house)).uid}"
    answer = await post(web, f"{page}/state", {"do": "open"}, page=page)

    assert answer.status_code == 403
    assert (await newest(house)).state is DemandState.DRAFT


async def test_what_became_of_its_asks_is_added_up(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    demand = await raised(house, TITLE)
    one, other = [await opened(house, name, demand_no=demand.no) for name in ("One", "Other")]
    for ask in (one, other):
        await pledged(house, cast.bo, ask)
    async with house.work(door=Door.PAGE) as work:
        await reporting.report_done(work, cast.bo, one)
        await reporting.need_help(work, cast.bo, other, words="My chair refused.")
        await pledging.decline(work, cast.gil, other)

    shown = (await admin.get(f"{PAGE}/{demand.uid}")).text

    assert figures(shown) == {
        "Offered": "0",
        "Said yes": "2",
        "Done": "1",
        "Not for them": "1",
        "Need help": "1",
    }
    assert shown.count('data-l="Need help"') == 2


async def test_sums_that_would_tell_a_small_number_are_withheld_where_it_is_shared(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    demand = await raised(house, TITLE)
    many, few = [await opened(house, name, demand_no=demand.no) for name in ("Many", "Few")]
    async with house.work(door=Door.PAGE) as work:
        for person in await make.people(work, 7, tier=cast.supporter):
            await pledging.pledge(work, person, many)
        await pledging.pledge(work, cast.bo, few)

    shown = (await admin.get(f"{PAGE}/{demand.uid}?shared=yes")).text
    listed = (await admin.get(f"{PAGE}?shared=yes")).text

    assert (figures(shown)["Said yes"], figures(shown)["Done"]) == ("–", "0")
    assert 'data-l="Said yes"><span>7<' in shown
    assert "Save the demand" not in shown
    assert "Raise it" not in listed


def figures(shown: str) -> dict[str, str]:
    """Give the numbers of the report by their words."""
    return dict(re.findall(r'<dt>([^<]+)</dt><dd class="n">([^<]+)</dd>', shown))


async def test_a_draft_is_thrown_away_unless_an_ask_serves_it(
    admin: httpx.AsyncClient, house: House
) -> None:
    async with house.work(door=Door.ADMIN) as work:
        served = await demands.raise_demand(work, title={"en": "Served"}, text={})
        alone = await demands.raise_demand(work, title={"en": "Alone"}, text={})
    await drafted(house, demand_no=served.no)
    out = await raised(house, "Open to all")

    asked = await admin.get(f"{PAGE}/{alone.uid}/throwing-away")
    notices = []
    for one in (served, alone, out):
        answer = await post(admin, f"{PAGE}/{one.uid}/throwing-away", {"do": "throw"}, page=PAGE)
        notices.append(words((await admin.get(answer.headers["location"])).text))

    assert "Nobody has seen this demand." in asked.text
    assert "Asks serve this demand." in notices[0]
    assert "The draft is thrown away." in notices[1]
    assert "This demand was open already." in notices[2]
    async with house.work(reading=True) as work:
        assert {one.no for one in await asks.demands(work)} == {served.no, out.no}


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())
