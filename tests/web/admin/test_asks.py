"""The pages of the asks: all of them, the report of one, opening and closing, confirming."""

import re
from datetime import timedelta

import httpx
import pytest

from mailer.accounts.model import Account
from mailer.asks import composing, pledging, reporting
from mailer.asks import store as asks
from mailer.asks.model import Ask, AskState, Evidence, Pledge, PledgeState
from mailer.bootstrap import House
from mailer.kit.work import Door
from mailer.segments import saving
from mailer.subscribers.model import Subscriber
from tests import makers as make
from tests.cast import Cast
from tests.support.asking import closed, drafted, opened, pledged, raised
from tests.support.campaigning import editor
from tests.support.forms import form_on
from tests.support.looking import viewer
from tests.support.signing_in import post, signed_in

PAGE = "/admin/asks"
NOBODY = f"{PAGE}/00000000-0000-7000-8000-000000000000"
TAG = re.compile(r"<[^>]+>")


def at(ask: Ask, more: str = "") -> str:
    return f"{PAGE}/{ask.uid}{more}"


def words(html: str) -> str:
    """Read the main part of a page as plain words."""
    return " ".join(TAG.sub(" ", html.partition("<main")[2].partition("</main")[0]).split())


async def as_it_is(house: House, ask: Ask) -> Ask:
    async with house.work(reading=True) as work:
        found = await asks.by_no(work, ask.no)
    assert found is not None
    return found


async def answer_of(house: House, who: Subscriber, ask: Ask) -> Pledge:
    async with house.work(reading=True) as work:
        found = await asks.pledge_of(work, who.no, ask.no)
    assert found is not None
    return found


async def did(
    house: House, who: Subscriber, ask: Ask, *, amount: int | None = None, note: str = ""
) -> None:
    async with house.work(door=Door.PAGE) as work:
        await reporting.report_done(work, who, ask, amount=amount, note=note)


# --- all of them ----------------------------------------------------------------------------------


async def test_before_the_first_one_the_page_says_what_an_ask_is(admin: httpx.AsyncClient) -> None:
    shown = (await admin.get(PAGE)).text

    assert "Nothing is asked of anybody yet" in shown
    assert 'href="/admin/asks/new"' in shown
    assert 'href="/admin/asks/library"' in shown
    for show, said in (("drafts", "No drafts"), ("closed", "Nothing is closed yet")):
        assert said in (await admin.get(f"{PAGE}?show={show}")).text


async def test_each_stands_under_its_demand_with_how_far_it_has_come(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    demand = await raised(house, "The right to work")
    ask = await opened(house, demand_no=demand.no, minutes=15, audience=["rep", "ally"], target=40)
    await opened(house, "Write to your representative")
    await pledged(house, cast.gil, ask)
    await pledged(house, cast.bo, ask)
    await did(house, cast.bo, ask)

    shown = (await admin.get(PAGE)).text
    said = words(shown)

    assert f'<a href="/admin/demands/{demand.uid}">The right to work</a>' in shown
    assert "15 minutes" in said
    assert "Workplace reps, Allies" in said
    assert "1 done, 2 said yes, goal 40" in said
    assert "2 open asks. 2 said yes. 1 done." in said
    assert said.index("The right to work") < said.index("Other asks")
    assert said.index("Other asks") < said.index("Write to your representative")


async def test_the_list_withholds_small_numbers_where_it_is_shared(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await opened(house, target=40)
    async with house.work(door=Door.PAGE) as work:
        for person in await make.people(work, 7, tier=cast.supporter):
            await pledging.pledge(work, person, ask)
        await reporting.need_help(work, cast.bo, ask, words="My chair refused.")

    said = words((await admin.get(f"{PAGE}?shared=yes")).text)

    assert "One open ask. – said yes. 0 done." in said
    assert "0 done, – said yes, goal 40" in said
    assert "under 5 waits" in said
    assert "asked for help" not in said


async def test_an_ask_that_fits_no_level_says_so(admin: httpx.AsyncClient, house: House) -> None:
    long, short = await opened(house, minutes=6000), await opened(house, minutes=10)

    for page in (at(long), at(long, "/edit")):
        assert "No level gives 100 hours a month" in (await admin.get(page)).text
    assert "No level gives" not in (await admin.get(at(short))).text


async def test_drafts_and_closed_ones_stand_apart(admin: httpx.AsyncClient, house: House) -> None:
    await drafted(house, "Not yet asked")
    await closed(house, "Asked before")

    tabs = words((await admin.get(PAGE)).text)
    drafts = words((await admin.get(f"{PAGE}?show=drafts")).text)
    over = words((await admin.get(f"{PAGE}?show=closed")).text)

    assert "Open 0 Drafts 1 Closed 1" in tabs
    assert "Not yet asked" not in tabs
    assert ("Not yet asked" in drafts, "Asked before" in drafts) == (True, False)
    assert ("Not yet asked" in over, "Asked before" in over) == (False, True)
    assert words((await admin.get(f"{PAGE}?show=other")).text) == tabs


async def test_who_needs_help_is_told_before_all_else(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await opened(house)
    async with house.work(door=Door.PAGE) as work:
        await reporting.need_help(work, cast.bo, ask, words="My chair refused.")

    said = words((await admin.get(PAGE)).text)

    assert "One person asked for help." in said
    assert "1 waits" in said
    assert "My chair" not in said


async def test_farid_sees_the_numbers_of_his_own_people_and_no_goal(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await opened(house, target=40)
    for who in (cast.bo, cast.gil):
        await pledged(house, who, ask)
    await did(house, cast.bo, ask)
    await signed_in(web, house, cast.farid)

    listed = words((await web.get(PAGE)).text)
    report = words((await web.get(at(ask))).text)

    for said in (listed, report):
        assert "goal 40" not in said
        assert "Bo" not in said.split()
    assert "0 done, 1 said yes" in listed
    assert "Gil" in report
    assert "Counted are the people you look after." in report


# --- one of them ----------------------------------------------------------------------------------


async def test_a_report_says_what_people_answered_and_what_they_read(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await opened(
        house,
        why={"en": "So that nobody has to be brave each time."},
        text={"en": "Find the date.\nAsk a workmate to second it."},
        unit={"en": "people recruited"},
        target=500,
        risk={"en": "Your manager may hear of it."},
        rights={"en": "You need not say how you voted."},
        support_contact="Rosa, 0151 496 0000",
        minimum_tier_no=cast.follower.no,
        needs_support=True,
    )
    await pledged(house, cast.gil, ask)
    await did(house, cast.bo, ask, amount=12)

    said = words((await admin.get(at(ask))).text)

    for part in (
        "Put a standing item on the agenda",
        "So that nobody has to be brave each time.",
        "Find the date.",
        "Your manager may hear of it.",
        "You need not say how you voted.",
        "Rosa, 0151 496 0000",
        "12 people recruited, 1 done, 2 said yes, goal 500 people recruited",
        "hears from one of us",
        "Said yes 2",
        "Yes, not done yet 1",
        "Done 1",
    ):
        assert part in said, part


async def test_the_people_stand_under_their_answer_those_who_need_help_first(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await opened(house)
    await pledged(house, cast.gil, ask)
    async with house.work(door=Door.PAGE) as work:
        await reporting.need_help(work, cast.bo, ask, words="My chair refused.")

    first = (await admin.get(at(ask))).text
    yes = (await admin.get(at(ask, "?answer=pledged"))).text

    assert f'href="/admin/people/{cast.bo.uid}/asks/{ask.uid}"' in first
    assert "has written something" in first
    assert "Gil" not in words(first)
    assert f'href="/admin/people/{cast.gil.uid}/asks/{ask.uid}"' in yes
    assert "Bo" not in words(yes).split()


async def test_many_people_come_a_page_at_a_time(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await opened(house)
    async with house.work(door=Door.PAGE) as work:
        for person in await make.people(work, 51, tier=cast.supporter):
            await pledging.decline(work, person, ask)
    first = (await admin.get(at(ask, "?answer=declined"))).text
    found = re.search(r'rel="next" href="([^"]+)"', first)
    assert found

    second = (await admin.get(found[1].replace("&amp;", "&"))).text

    assert (first.count('<tr role="row"><th role="rowheader" scope="row"><a'), "Next" in first) == (
        50,
        True,
    )
    assert second.count('<tr role="row"><th role="rowheader" scope="row"><a') == 1
    assert 'rel="prev"' in second


async def test_a_shared_report_names_nobody_and_withholds_small_numbers(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await opened(house, target=40)
    async with house.work(door=Door.PAGE) as work:
        for person in await make.people(work, 7, tier=cast.supporter):
            await pledging.pledge(work, person, ask)
    await did(house, cast.bo, ask)

    shown = (await admin.get(at(ask, "?shared=yes"))).text
    said = words(shown)

    assert "Who said what" not in said
    assert 'href="/admin/people/' not in shown.partition("<main")[2]
    assert "Done 1" not in said
    assert "under 5" in said
    assert "1 done" not in said
    assert "Said yes –" in said
    assert "goal 40" not in said


async def test_what_is_not_there_is_not_found(admin: httpx.AsyncClient) -> None:
    answer = await admin.get(NOBODY)

    assert answer.status_code == 404
    assert "There is no such ask" in answer.text


async def test_segments_that_ask_for_it_are_named(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await opened(house)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        await saving.save(
            work,
            name="Who said yes to it",
            tree={"is": "ask", "how": "pledged", "ask": str(ask.no)},
        )

    assert "Who said yes to it" in (await admin.get(at(ask))).text


# --- opening, closing, confirming -----------------------------------------------------------------


async def test_an_ask_is_opened_closed_and_opened_again(
    admin: httpx.AsyncClient, house: House
) -> None:
    ask = await drafted(house)
    states, notices = [], []
    for do in ("open", "close", "reopen"):
        answer = await post(admin, at(ask, "/state"), {"do": do}, page=at(ask))
        notices.append(words((await admin.get(answer.headers["location"])).text))
        states.append((await as_it_is(house, ask)).state)

    assert states == [AskState.OPEN, AskState.CLOSED, AskState.OPEN]
    assert "It is open. Put it into a newsletter" in notices[0]
    assert "Nobody new can say yes." in notices[1]
    assert "It is open again." in notices[2]


async def test_without_a_named_button_nothing_changes(
    admin: httpx.AsyncClient, house: House
) -> None:
    ask = await drafted(house)

    answer = await post(admin, at(ask, "/state"), {}, page=at(ask))

    assert "Nothing has changed." in (await admin.get(answer.headers["location"])).text
    assert (await as_it_is(house, ask)).state is AskState.DRAFT


async def test_what_cannot_be_opened_yet_says_why(admin: httpx.AsyncClient, house: House) -> None:
    ask = await drafted(house, risk={"en": "You may be fined."})

    answer = await post(admin, at(ask, "/state"), {"do": "open"}, page=at(ask))

    said = (await admin.get(answer.headers["location"])).text
    assert "Where there is a risk, people need somebody to turn to." in said
    assert (await as_it_is(house, ask)).state is AskState.DRAFT


async def test_what_was_reported_is_confirmed_once(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await opened(house, evidence=Evidence.VERIFIED)
    await did(house, cast.bo, ask, note="It passed.")
    page = at(ask, "?answer=done")
    asked = (await admin.get(page)).text
    pledge = await answer_of(house, cast.bo, ask)

    for _again in range(2):
        answer = await post(admin, at(ask, "/verification"), {"pledge": str(pledge.no)}, page=page)
        assert "Confirmed." in (await admin.get(answer.headers["location"])).text

    assert "has written something" in asked
    assert "It passed." not in asked  # it is read on their page, where the look is noted
    stands = await answer_of(house, cast.bo, ask)
    assert (stands.state, stands.verified_by) == (PledgeState.VERIFIED, cast.amina.no)


async def test_nobody_elses_answer_is_confirmed_through_an_ask(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask, other = await opened(house), await opened(house, "Another")
    await did(house, cast.bo, other)
    pledge = await answer_of(house, cast.bo, other)

    answer = await post(admin, at(ask, "/verification"), {"pledge": str(pledge.no)}, page=at(ask))

    assert answer.status_code == 404
    assert (await answer_of(house, cast.bo, other)).state is PledgeState.DONE


async def test_farid_confirms_for_his_own_people_alone(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await opened(house, evidence=Evidence.VERIFIED)
    for who in (cast.bo, cast.gil):
        await did(house, who, ask)
    await signed_in(web, house, cast.farid)

    for who in (cast.bo, cast.gil):
        pledge = await answer_of(house, who, ask)
        await post(web, at(ask, "/verification"), {"pledge": str(pledge.no)}, page=at(ask))

    assert (await answer_of(house, cast.bo, ask)).state is PledgeState.DONE
    assert (await answer_of(house, cast.gil, ask)).state is PledgeState.VERIFIED


async def test_whose_answer_is_out_of_sight_is_as_if_there_were_none(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await opened(house, evidence=Evidence.VERIFIED)
    await did(house, cast.bo, ask)
    theirs = (await answer_of(house, cast.bo, ask)).no
    await signed_in(web, house, cast.farid)

    answers = [
        await post(web, at(ask, "/verification"), {"pledge": str(no)}, page=at(ask))
        for no in (theirs, theirs + 1000)
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert {"There is no such answer" in answer.text for answer in answers} == {True}


async def test_what_was_confirmed_is_taken_back_beside_it(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await opened(house, evidence=Evidence.VERIFIED)
    await did(house, cast.bo, ask)
    sent = {"pledge": str((await answer_of(house, cast.bo, ask)).no)}

    answer = await post(admin, at(ask, "/verification"), sent, page=at(ask))
    shown = (await admin.get(answer.headers["location"])).text
    listed = (await admin.get(at(ask, "?answer=verified"))).text
    back = await post(admin, at(ask, "/verification"), {**sent, "do": "undo"}, page=at(ask))

    assert "Bo: confirmed." in shown
    assert "Take it back" in shown
    assert "Take it back" in listed
    assert "No longer confirmed." in (await admin.get(back.headers["location"])).text
    assert (await answer_of(house, cast.bo, ask)).state is PledgeState.DONE
    again = await post(admin, at(ask, "/verification"), {**sent, "do": "undo"}, page=at(ask))
    assert "There is no such answer" in (await admin.get(again.headers["location"])).text


async def test_a_draft_is_thrown_away_after_a_second_look_and_nothing_else_is(
    admin: httpx.AsyncClient, house: House
) -> None:
    draft, ask = await drafted(house, "Not yet asked"), await opened(house)
    page = at(draft, "/throwing-away")

    asked = await admin.get(page)
    await post(admin, page, {"do": "keep"})
    kept = await as_it_is(house, draft)
    answer = await post(admin, page, {"do": "throw"})

    assert "Nobody has seen this ask." in asked.text
    assert kept.state is AskState.DRAFT
    assert "The draft is thrown away." in (await admin.get(answer.headers["location"])).text
    assert (await admin.get(at(draft))).status_code == 404
    refused = await post(admin, at(ask, "/throwing-away"), {"do": "throw"}, page=at(ask))
    assert refused.status_code == 409
    assert (await admin.get(at(ask, "/throwing-away"))).status_code == 409
    assert (await as_it_is(house, ask)).state is AskState.OPEN


async def test_an_ask_whose_deadline_has_gone_by_is_opened_again_with_a_new_one(
    admin: httpx.AsyncClient, house: House
) -> None:
    ask = await closed(house)
    async with house.work(door=Door.ADMIN) as work:
        await composing.revise(
            work, ask, version=1, title=ask.title, deadline=work.now - timedelta(days=1)
        )

    answer = await post(admin, at(ask, "/state"), {"do": "reopen"}, page=at(ask))
    form = (await admin.get(answer.headers["location"])).text
    kept = form_on(form, holding="title-en")
    later = {**kept, "deadline": "2031-06-28", "do": "open"}
    await post(admin, at(ask, "/edit"), later)

    assert answer.headers["location"] == at(ask, "/edit#deadline")
    assert "This deadline has gone by." in form
    assert "Save and open again" in form
    assert (await as_it_is(house, ask)).state is AskState.OPEN


async def test_sums_that_would_tell_a_small_number_are_withheld_in_the_report(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await opened(house, evidence=Evidence.VERIFIED)
    async with house.work(door=Door.PAGE) as work:
        for place, person in enumerate(await make.people(work, 10, tier=cast.supporter)):
            pledge = await reporting.report_done(work, person, ask)
            if place < 3:
                await reporting.verify(work, pledge)

    said = words((await admin.get(at(ask, "?shared=yes"))).text)

    assert "Done –" in said
    assert "Done 7" in said  # the bar of those whom nobody confirmed
    assert "Done and confirmed under 5" in said


# --- who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["viewer", "farid"])
async def test_who_does_not_write_sees_and_changes_nothing(
    web: httpx.AsyncClient, house: House, cast: Cast, who: str
) -> None:
    ask, draft = await opened(house), await drafted(house, "Not yet asked")
    account: Account = cast.farid if who == "farid" else await viewer(house)
    await signed_in(web, house, account)

    shown = (await web.get(f"{PAGE}?show=drafts")).text
    unseen = await web.get(at(draft))
    answers = [
        await web.get(f"{PAGE}/new"),
        await web.get(f"{PAGE}/library"),
        await web.get(at(ask, "/edit")),
        await post(web, f"{PAGE}/new", {"title-en": "Mine"}, page=PAGE),
        await post(web, at(ask, "/edit"), {"title-en": "Mine"}, page=PAGE),
        await post(web, at(draft, "/state"), {"do": "open"}, page=PAGE),
    ]

    assert "Put a standing item on the agenda" in shown
    assert "Not yet asked" not in shown
    assert unseen.status_code == 404
    assert 'href="/admin/asks/new"' not in shown
    assert {answer.status_code for answer in answers} == {403}
    assert (await as_it_is(house, draft)).state is AskState.DRAFT


async def test_an_editor_writes_asks_sees_nobody_and_opens_none(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await drafted(house)
    async with house.work(door=Door.ADMIN) as work:
        await composing.open_ask(work, running := await composing.draft(work, title={"en": "Runs"}))
    await pledged(house, cast.bo, running)
    await signed_in(web, house, await editor(house))

    report = words((await web.get(at(running))).text)
    answer = await post(web, at(ask, "/state"), {"do": "open"}, page=PAGE)

    assert "Said yes 1" in report
    assert "Who said what" not in report
    assert (await web.get(at(ask, "/edit"))).status_code == 200
    assert answer.status_code == 403


async def test_what_people_have_seen_is_changed_only_by_those_who_may_send(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    out = [await opened(house, "Out there"), await closed(house, "Was out there")]
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        tree = {"is": "ask", "how": "pledged", "ask": str(out[0].no)}
        await saving.save(work, name="Who is sans papiers", tree=tree)
    await signed_in(web, house, await editor(house))

    for ask in out:
        report = (await web.get(at(ask))).text
        sent = {"title-en": "Mine", "deadline": "2031-06-28", "version": "1", "do": "save"}
        answer = await post(web, at(ask, "/edit"), sent, page=PAGE)

        assert at(ask, "/edit") not in report
        assert "sans papiers" not in report  # names of segments are for those who see people
        assert (await web.get(at(ask, "/edit"))).status_code == 403
        assert answer.status_code == 403
        assert (await as_it_is(house, ask)).version == 1
