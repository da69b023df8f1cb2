"""Answers that an organiser writes down, for people who phone: each kind, with an undo."""

import httpx
import pytest
from sqlalchemy import select

from mailer.asks import store as asks
from mailer.asks.model import Ask, Evidence, Pledge, PledgeState
from mailer.asks.reporting import note_of
from mailer.bootstrap import House
from mailer.kit.work import Door
from mailer.outbox.model import Letter
from mailer.subscribers import actions as subscribers
from mailer.subscribers.model import Subscriber
from tests.cast import Cast
from tests.support.asking import closed, drafted, opened, pledged
from tests.support.forms import form_on
from tests.support.looking import viewer
from tests.support.signing_in import post, signed_in


def person_at(who: Subscriber) -> str:
    return f"/admin/people/{who.uid}"


def at(who: Subscriber, ask: Ask) -> str:
    return f"{person_at(who)}/asks/{ask.uid}"


async def answer_of(house: House, who: Subscriber, ask: Ask) -> Pledge | None:
    async with house.work(reading=True) as work:
        return await asks.pledge_of(work, who.no, ask.no)


async def state_of(house: House, who: Subscriber, ask: Ask) -> PledgeState | None:
    found = await answer_of(house, who, ask)
    return found.state if found else None


# --- on their page --------------------------------------------------------------------------------


async def test_their_page_says_what_they_said_yes_to_and_offers_the_rest(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask, other = await opened(house), await opened(house, "Write to your representative")
    await drafted(house, "Not yet asked")
    await pledged(house, cast.bo, ask)

    shown = (await admin.get(person_at(cast.bo))).text

    assert f'href="{at(cast.bo, ask)}"' in shown
    offered = shown.partition('<select id="ask"')[2].partition("</select>")[0]
    assert other.uid in offered
    assert ask.uid not in offered
    assert "Not yet asked" not in offered


async def test_a_yes_is_written_down_and_says_who_wrote_it(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await opened(house)

    answer = await post(
        admin, f"{person_at(cast.bo)}/asks", {"ask": ask.uid}, page=person_at(cast.bo)
    )
    shown = (await admin.get(answer.headers["location"])).text

    pledge = await answer_of(house, cast.bo, ask)
    assert pledge is not None
    assert (pledge.state, pledge.door) == (PledgeState.PLEDGED, Door.ADMIN)
    assert "Noted: they say yes to “Put a standing item on the agenda”." in shown
    assert "By Amina." in shown


async def test_who_has_no_address_says_yes_all_the_same_and_gets_no_letter(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await opened(house)
    async with house.work(door=Door.CLI) as work:
        rosa = await subscribers.add(work, address=None, first_name="Rosa")

    await post(admin, f"{person_at(rosa)}/asks", {"ask": ask.uid}, page=person_at(rosa))

    assert await state_of(house, rosa, ask) is PledgeState.PLEDGED
    async with house.work(reading=True) as work:
        letters = await work.session.scalars(select(Letter).where(Letter.subscriber_no == rosa.no))
        assert letters.all() == []


@pytest.mark.parametrize(
    ("room", "refused"),
    [
        (None, "This is for people on the level Activist and above."),
        (1, "Enough people have said yes to this one."),
    ],
)
async def test_a_yes_that_does_not_count_is_refused_at_its_field(
    admin: httpx.AsyncClient, house: House, cast: Cast, room: int | None, refused: str
) -> None:
    if room:
        ask = await opened(house, capacity=room)
        await pledged(house, cast.gil, ask)
    else:
        ask = await opened(house, minimum_tier_no=cast.activist.no)

    answer = await post(
        admin, f"{person_at(cast.bo)}/asks", {"ask": ask.uid}, page=person_at(cast.bo)
    )

    assert answer.status_code in {403, 409}
    assert '<a href="#ask">' in answer.text
    assert refused in answer.text
    assert await state_of(house, cast.bo, ask) is None


async def test_what_is_no_ask_is_asked_for_again(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await opened(house)

    answer = await post(
        admin, f"{person_at(cast.bo)}/asks", {"ask": "none"}, page=person_at(cast.bo)
    )

    assert answer.status_code == 422
    assert "Please choose what they said yes to." in answer.text


async def test_a_viewer_reads_what_they_answered_and_writes_nothing_down(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await opened(house)
    await pledged(house, cast.bo, ask)
    await signed_in(web, house, await viewer(house))

    shown = (await web.get(person_at(cast.bo))).text
    answers = [
        await web.get(at(cast.bo, ask)),
        await post(web, at(cast.bo, ask), {"answer": "done"}, page="/admin"),
        await post(web, f"{person_at(cast.bo)}/asks", {"ask": ask.uid}, page="/admin"),
    ]

    assert "Put a standing item on the agenda" in shown
    assert at(cast.bo, ask) not in shown
    assert {answer.status_code for answer in answers} == {403}


# --- what they say of it --------------------------------------------------------------------------


async def test_the_risk_and_their_rights_are_there_to_be_read_out(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await opened(
        house,
        risk={"en": "Your manager may hear of it."},
        rights={"en": "You need not say how you voted."},
        support_contact="Rosa, 0151 496 0000",
    )

    shown = (await admin.get(at(cast.bo, ask))).text

    for part in (
        "Tell them the risk and their rights first",
        "Your manager may hear of it.",
        "You need not say how you voted.",
        "Rosa, 0151 496 0000",
    ):
        assert part in shown


@pytest.mark.parametrize(
    ("sent", "state", "said"),
    [
        ({"answer": "done"}, PledgeState.DONE, "Noted: it is done."),
        ({"answer": "later", "until": ""}, PledgeState.IN_PROGRESS, "Noted: not yet."),
        ({"answer": "help", "words": "A colleague to go with"}, PledgeState.BLOCKED, "need help"),
        ({"answer": "decline"}, PledgeState.DECLINED, "Noted: it is not for them."),
        ({"answer": "withdraw"}, PledgeState.WITHDRAWN, "Noted: they take their yes back."),
        ({}, PledgeState.PLEDGED, "Nothing has changed."),
    ],
)
async def test_each_answer_is_noted_and_twice_is_once(
    admin: httpx.AsyncClient,
    house: House,
    cast: Cast,
    sent: dict[str, str],
    state: PledgeState,
    said: str,
) -> None:
    ask = await opened(house)
    await pledged(house, cast.bo, ask)
    page = at(cast.bo, ask)

    for _again in range(2):
        answer = await post(admin, page, sent)
        assert answer.headers["location"] == page
        assert said in (await admin.get(page)).text

    assert await state_of(house, cast.bo, ask) is state
    async with house.work(reading=True) as work:
        changes = await asks.changes_of(work, cast.bo.no)
    assert len(changes) == (2 if sent else 1)


async def test_how_many_they_did_and_how_it_went_is_kept_sealed(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await opened(house, unit={"en": "people recruited"}, evidence=Evidence.NOTE)
    await pledged(house, cast.bo, ask)
    page = at(cast.bo, ask)

    await post(admin, page, {"answer": "done", "amount": "5", "note": "All on the night shift."})
    shown = (await admin.get(page)).text

    pledge = await answer_of(house, cast.bo, ask)
    assert pledge is not None
    assert pledge.amount == 5
    assert b"night shift" not in (pledge.note or b"")
    async with house.work(reading=True) as work:
        assert note_of(work, pledge) == "All on the night shift."
    assert "5 people recruited" in shown
    assert "All on the night shift." in shown


@pytest.mark.parametrize(
    ("sent", "at_field", "said"),
    [
        ({"answer": "done", "amount": "0"}, "amount", "Give a whole number from 1 to 1,000,000"),
        ({"answer": "done", "amount": "many"}, "amount", "This must be a whole number."),
        ({"answer": "done", "link": "my photo"}, "link", "Give the whole address of a page"),
        ({"answer": "later", "until": "1999-01-01"}, "until", "Choose a day from today on"),
        ({"answer": "later", "until": "soon"}, "until", "This is no day."),
        ({"answer": "help", "words": "x" * 2001}, "words", "This is too long: 2000 characters"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_is_kept(
    admin: httpx.AsyncClient,
    house: House,
    cast: Cast,
    sent: dict[str, str],
    at_field: str,
    said: str,
) -> None:
    ask = await opened(house, unit={"en": "people recruited"}, evidence=Evidence.LINK)
    await pledged(house, cast.bo, ask)

    answer = await post(admin, at(cast.bo, ask), sent)

    assert answer.status_code == 422
    assert f'<a href="#{at_field}">' in answer.text
    assert said in answer.text
    assert form_on(answer.text, holding=at_field)[at_field] == sent[at_field]
    assert await state_of(house, cast.bo, ask) is PledgeState.PLEDGED


async def test_the_last_answer_is_taken_back(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await opened(house)
    await pledged(house, cast.bo, ask)
    page = at(cast.bo, ask)
    await post(admin, page, {"answer": "decline"})
    undo = form_on((await admin.get(page)).text, holding="change")

    answer = await post(admin, page, {**undo, "answer": "undo"})

    assert "Undone." in (await admin.get(answer.headers["location"])).text
    assert await state_of(house, cast.bo, ask) is PledgeState.PLEDGED


async def test_an_answer_that_no_longer_goes_is_refused_in_words(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await opened(house)
    await pledged(house, cast.bo, ask)
    page = at(cast.bo, ask)
    await post(admin, page, {"answer": "done"})

    answer = await post(admin, page, {"answer": "withdraw"})

    assert answer.status_code == 409
    assert "This was reported as done." in answer.text
    assert await state_of(house, cast.bo, ask) is PledgeState.DONE


async def test_after_it_is_closed_only_who_said_yes_is_asked_what_became_of_it(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await closed(house)

    assert (await admin.get(at(cast.bo, ask))).status_code == 404


async def test_farid_writes_down_for_his_own_people_alone(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await opened(house)
    await signed_in(web, house, cast.farid)

    for who in (cast.bo, cast.gil):
        await post(web, at(who, ask), {"answer": "pledge"}, page="/admin")

    assert (await web.get(at(cast.bo, ask))).status_code == 404
    assert await state_of(house, cast.bo, ask) is None
    assert await state_of(house, cast.gil, ask) is PledgeState.PLEDGED
