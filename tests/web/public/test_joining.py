"""Joining: nothing is chosen beforehand, nobody finds out who is on the roll, the owner decides."""

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from mailer.bootstrap import House
from mailer.consent import actions as consent
from mailer.consent import store as consents
from mailer.consent.limiting import SIGN_UPS_AN_HOUR
from mailer.consent.model import Confirmation, ConsentRecord, SignUpTally
from mailer.kit.tokens import Purpose
from mailer.organisation import actions as organisation
from mailer.organisation import store as organisations
from mailer.subscribers import store as people
from mailer.tiers import store as ladder
from tests.cast import Cast
from tests.support.asking import opened
from tests.support.standing import level_of
from tests.web.public.conftest import Facts
from tests.web.public.situations import state_of

pytestmark = pytest.mark.any_database

NEW = "gita@example.net"


async def form_of(web: httpx.AsyncClient, **typed: str) -> dict[str, str]:
    """Fill in the form as somebody would who has read it."""
    page = (await web.get("/join")).text
    shown = re.search(r'name="shown" value="(\w+)"', page)
    assert shown
    filled = {"tier": "supporter", "address": NEW, "first_name": "Gita", "language": "en"}
    return {**filled, "agreed": "yes", "shown": shown[1], **typed}


async def sign_up(web: httpx.AsyncClient, **typed: str) -> str:
    """Join, and give the page that waits for the mail."""
    answer = await web.post("/join", data=await form_of(web, **typed))
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def newest_code(house: House) -> str:
    async with house.work(reading=True) as work:
        newest = await work.session.scalar(
            select(Confirmation).order_by(Confirmation.no.desc()).limit(1)
        )
        assert newest
        return consent.code_of(work, newest)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


# --- the form ------------------------------------------------------------------------------------


async def test_the_front_door_leads_to_joining(web: httpx.AsyncClient, cast: Cast) -> None:
    answer = await web.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/join")


async def test_nothing_is_chosen_beforehand(web: httpx.AsyncClient, cast: Cast) -> None:
    page = (await web.get("/join")).text
    assert " checked" not in page
    assert 'value="follower"' in page
    assert 'value="organiser"' in page


async def test_the_poster_says_what_the_organisation_says(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    async with house.work() as work:
        it = await organisations.the_one(work)
        it.headline, it.lede = {"en": "We organise.", "fr": "On s’organise."}, {"en": "Join us."}
    page = (await web.get("/join")).text
    assert "We organise." in page
    assert "Join us." in page
    french = await web.get("/join", headers={"accept-language": "fr"})
    assert "On s’organise." in french.text


async def test_few_people_are_not_counted_in_public(web: httpx.AsyncClient, cast: Cast) -> None:
    assert "on the roll</span>" not in (await web.get("/join")).text


async def test_many_people_are_counted_as_they_are(
    web: httpx.AsyncClient, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def counts(_work: Any) -> dict[int, int]:
        return {1: 12_000, 2: 480}

    monkeypatch.setattr(ladder, "counts", counts)
    assert "12,480 people on the roll" in (await web.get("/join")).text


async def test_the_box_shows_the_words_that_are_kept(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    page = (await web.get("/join")).text
    await sign_up(web)
    async with house.work(reading=True) as work:
        kept = await work.session.scalar(
            select(Confirmation.wording).order_by(Confirmation.no.desc()).limit(1)
        )
        it = await organisations.the_one(work)
    assert kept
    assert it.name in kept
    assert kept in page


async def test_words_that_changed_meanwhile_must_be_read_again(
    web: httpx.AsyncClient, house: House, cast: Cast, facts: Facts
) -> None:
    form = await form_of(web)
    async with house.work() as work:
        it = await organisations.the_one(work)
        await organisation.describe(
            work,
            name="Another Network",
            postal_address=it.postal_address,
            sender_name=it.sender_name,
            sender_address=it.sender_address,
            reply_to=it.reply_to,
            colour=it.colour,
            language=it.language,
            headline=it.headline,
            lede=it.lede,
        )
    before = await facts()
    page = await web.post("/join", data=form)
    assert page.status_code == 422
    assert "These words have changed since you opened the page." in page.text
    assert 'name="agreed" type="checkbox" value="yes" checked' not in page.text
    assert await facts() == before


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ({"tier": ""}, "Choose a level."),
        ({"tier": "emperor"}, "Choose a level."),
        ({"address": ""}, "An email address has two parts"),
        ({"address": "gita"}, "An email address has two parts"),
        ({"address": "gita@example"}, "No mail can go to this address"),
        ({"address": "gita@exa mple.net"}, "No mail can go to this address"),
        ({"agreed": ""}, "Tick the box if you want our emails."),
        ({"first_name": "G" * 121}, "This is too long"),
        ({"group": "G" * 161}, "This is too long"),
        ({"shown": "forged"}, "These words have changed"),
    ],
)
async def test_a_mistake_is_named_and_everything_typed_is_kept(
    web: httpx.AsyncClient,
    cast: Cast,
    facts: Facts,
    mistake: dict[str, str],
    said: str,
) -> None:
    form = await form_of(web, group="Harbour Workers <Centre>")
    before = await facts()
    page = await web.post("/join", data={**form, **mistake})
    assert page.status_code == 422
    assert 'id="errors-title"' in page.text
    assert page.text.count(said) == 2  # in the summary, and at the field
    assert "autofocus" in page.text
    assert "<title>Something to mend" in page.text
    kept = {**form, **mistake}
    for name in ("address", "first_name"):
        assert not kept[name] or f'value="{kept[name]}"' in page.text
    assert len(kept["group"]) > 160 or "Harbour Workers &lt;Centre&gt;" in page.text
    chosen = re.findall(r'value="(\w+)"[^>]* checked', page.text)
    assert ("supporter" in chosen) == (kept["tier"] == "supporter")
    assert ("yes" in chosen) == bool(kept["agreed"] and kept["shown"] == form["shown"])
    assert await facts() == before


async def test_several_mistakes_are_named_at_once(web: httpx.AsyncClient, cast: Cast) -> None:
    page = await web.post("/join", data={"address": "gita"})
    assert "3 things to mend" in page.text


async def test_groups_are_offered_and_any_may_be_typed(web: httpx.AsyncClient, cast: Cast) -> None:
    assert '<option value="Harbour Workers’ Centre">' in (await web.get("/join")).text
    await sign_up(web, group="Another branch")


async def test_lists_are_offered_where_there_are_several(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    async with house.work() as work:
        alerts = await consent.open_list(
            work,
            name={"en": "Action alerts"},
            about={},
            consent_text={"en": "Yes, %(organisation)s may alert me, 100% of the time."},
            is_public=True,
        )
    page = (await web.get("/join")).text
    assert 'type="radio" value="action-alerts"' in page
    assert "may alert me, 100% of the time." in page
    assert " checked" not in page

    undecided = await web.post("/join", data=await form_of(web))
    assert "Choose what you want to hear about." in undecided.text

    await sign_up(web, list="action-alerts")
    async with house.work(reading=True) as work:
        asked = await work.session.scalar(
            select(Confirmation).order_by(Confirmation.no.desc()).limit(1)
        )
        assert asked
        assert (asked.list_no, "may alert me" in asked.wording) == (alerts.no, True)


async def test_without_an_open_list_nobody_can_join(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    async with house.work() as work:
        for one in await consents.lists(work):
            one.is_public = False
    assert "Nobody can join here just now" in (await web.get("/join")).text


async def test_the_form_speaks_french(web: httpx.AsyncClient, cast: Cast) -> None:
    page = (await web.get("/join", headers={"accept-language": "fr-CA, en;q=0.5"})).text
    assert '<html lang="fr"' in page
    assert "How far do you want to go?" not in page
    assert '<option value="fr" selected' in page


# --- the answer ----------------------------------------------------------------------------------


@pytest.mark.parametrize("known", ["bo", "chidi", "dana"])
async def test_an_address_that_is_on_the_roll_is_answered_like_one_that_is_not(
    web: httpx.AsyncClient, cast: Cast, known: str
) -> None:
    pages = []
    for address in (NEW, getattr(cast, known).address):
        answer = await web.post("/join", data=await form_of(web, address=address))
        page = await web.get(answer.headers["location"])
        uid = answer.headers["location"].removeprefix("/join/")
        wrong_code = await web.post(f"/join/{uid}/code", data={"code": "no digits"})
        pages.append(
            [
                (one.status_code, one.text.replace(uid, ""), sorted(one.headers))
                for one in (answer, page, wrong_code)
            ]
            + [len(uid)]
        )
    assert pages[0] == pages[1]


async def test_a_known_address_is_left_as_it_is(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    before = await level_of(house, cast.bo)
    address = cast.bo.address
    assert address
    await sign_up(web, address=address.upper(), first_name="Mallory", tier="follower")
    async with house.work(reading=True) as work:
        bo = await people.by_no(work, cast.bo.no)
        assert bo
        assert (bo.first_name, bo.address) == (cast.bo.first_name, address)
    assert await level_of(house, cast.bo) == before


async def test_the_page_that_waits_knows_only_real_sign_ups(
    web: httpx.AsyncClient, cast: Cast
) -> None:
    assert (await web.get("/join/019a0000-0000-7000-8000-000000000000")).status_code == 404
    assert (await web.post("/join/nonsense/code", data={"code": "123456"})).status_code == 404


# --- the six digits ------------------------------------------------------------------------------


async def test_the_digits_put_somebody_on_the_roll(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    waiting = await sign_up(web)
    code = await newest_code(house)
    done = await web.post(f"{waiting}/code", data={"code": f" {code[:3]} {code[3:]} "})
    assert done.status_code == 303
    page = await web.get(done.headers["location"])
    assert "<title>Done. · You are on the roll" in page.text
    assert "Your level is Supporter." in page.text
    assert NEW not in page.text
    assert "Gita" not in page.text
    async with house.work(reading=True) as work:
        gita = await people.by_address(work, NEW)
        assert gita
        records = await consents.records_of(work, gita.no)
        assert [record.given for record in records] == [True]
    assert await state_of(house, gita) == "active"
    again = await web.get(done.headers["location"])
    assert (
        "<title>You are on the roll" in again.text
    )  # what was done is said once, what is so always


async def test_whoever_has_just_joined_is_shown_a_first_thing_to_do(
    web: httpx.AsyncClient, house: House, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(house, "Bring a chair")
    waiting = await sign_up(web)
    done = await web.post(f"{waiting}/code", data={"code": await newest_code(house)})

    page = (await web.get(done.headers["location"])).text
    monkeypatch.setattr("web.public.opening.JUST_NOW", timedelta(0))
    later = (await web.get(done.headers["location"])).text

    box = page.partition('id="first"')[2].partition("</section>")[0]
    assert "Bring a chair" in box
    to_ask = re.search(r'href="(/l/[^"]+)"', box)
    assert to_ask
    assert "Bring a chair" in (await web.get(to_ask[1])).text
    assert "Bring a chair" not in later, "whoever the mail was passed on to learns nothing by it"


async def test_a_wrong_code_is_named_at_the_field_and_five_are_enough(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    waiting = await sign_up(web)
    code = await newest_code(house)
    for _ in range(5):
        page = await web.post(f"{waiting}/code", data={"code": wrong(code)})
        assert page.status_code == 422
        assert page.text.count("That is not the code from our email.") == 2
        assert 'aria-invalid="true"' in page.text
    page = await web.post(f"{waiting}/code", data={"code": code})
    assert page.status_code == 409
    assert "This code can no longer be typed" in page.text
    assert 'href="/join"' in page.text


async def test_the_code_of_a_known_address_is_refused_like_a_wrong_one(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    address = cast.bo.address
    assert address
    waiting = await sign_up(web, address=address)
    code = await newest_code(house)
    statuses = [
        (await web.post(f"{waiting}/code", data={"code": code})).status_code for _ in range(6)
    ]
    assert statuses == [422, 422, 422, 422, 422, 409]


async def test_whoever_filled_in_the_form_is_not_told_that_the_owner_said_yes(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    waiting = await sign_up(web)
    before = (await web.get(waiting)).text
    code = await newest_code(house)
    async with house.work() as work:
        uid = waiting.removeprefix("/join/")
        asked = await consents.confirmation_by_uid(work, uid)
        assert asked
        await consent.confirm(work, asked.no)
    assert (await web.get(waiting)).text == before
    guess = await web.post(f"{waiting}/code", data={"code": wrong(code)})
    assert guess.status_code == 422


async def test_a_level_that_needs_approval_begins_below_and_says_so(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    waiting = await sign_up(web, tier="organiser")
    code = await newest_code(house)
    page = await web.post(f"{waiting}/code", data={"code": code}, follow_redirects=True)
    assert "Your level is Supporter." in page.text
    assert "Organiser. An organiser answers; you stay where you are until then." in page.text


async def test_who_left_since_is_not_told_that_they_are_on_the_roll(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    waiting = await sign_up(web)
    done = await web.post(f"{waiting}/code", data={"code": await newest_code(house)})
    async with house.work() as work:
        gita = await people.by_address(work, NEW)
        assert gita
        await consent.unsubscribe(work, gita, list_no=None)
    page = await web.get(done.headers["location"])
    assert page.status_code == 409
    assert "You have left since this email was sent." in page.text


async def test_what_was_agreed_to_is_evidence(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    waiting = await sign_up(web)
    await web.post(f"{waiting}/code", data={"code": await newest_code(house)})
    async with house.work(reading=True) as work:
        record = await work.session.scalar(
            select(ConsentRecord).order_by(ConsentRecord.no.desc()).limit(1)
        )
        it = await organisations.the_one(work)
        assert record
        assert (record.given, record.controller) == (True, it.name)
        assert it.name in record.wording


async def test_the_page_of_a_second_sign_up_does_not_show_that_the_first_was_confirmed(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    waiting = await sign_up(web)
    code = await newest_code(house)
    before = (await web.get(waiting)).text
    await web.post(f"{waiting}/code", data={"code": code})

    again = await sign_up(web)

    assert again == waiting
    assert (await web.get(again)).text == before


async def test_who_owns_the_address_can_spare_themselves_the_reminder(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    path = await confirm_link(web, house)
    assert "We remind you once" in (await web.get(path)).text

    said = await web.post(path, data={"answer": "decline"}, follow_redirects=True)

    assert "We send no reminder" in said.text
    assert "Nothing has changed yet." in said.text
    assert 'value="decline"' not in said.text
    done = await web.post(path, data={"answer": "yes"}, follow_redirects=True)
    assert "You are on the roll." in done.text


async def confirm_link(web: httpx.AsyncClient, house: House) -> str:
    """Sign up, and give the path of the link in the letter."""
    await sign_up(web)
    async with house.work(reading=True) as work:
        new = await people.by_address(work, NEW)
        assert new
        [waiting] = (await consents.asked(work, [str(new.mark)]))[str(new.mark)]
        token = work.signer.token(Purpose.CONFIRM, new.no, now=work.now, subject=waiting.no)
    return f"/l/{token}"


async def test_what_the_list_says_to_who_has_joined_stands_on_the_page(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    async with house.work() as work:
        await consent.greet(
            work,
            cast.bulletin,
            welcome_subject={},
            welcome={},
            landing={"en": "Bring <a friend>.\n\nSee you."},
        )
    path = await confirm_link(web, house)
    assert "See you." not in (await web.get(path)).text

    done = await web.post(path, data={"answer": "yes"}, follow_redirects=True)

    assert "Bring &lt;a friend&gt;." in done.text
    assert "See you." in done.text


async def test_very_many_from_one_network_wait_and_lose_nothing(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await sign_up(web)
    async with house.work() as work:
        [tally] = await work.session.scalars(select(SignUpTally))
        tally.number = SIGN_UPS_AN_HOUR
    form = await form_of(web, address="next@example.org")

    page = await web.post("/join", data=form)

    assert page.status_code == 429
    assert "Very many people sign up from your network just now." in page.text
    assert 'value="next@example.org"' in page.text
    async with house.work(reading=True) as work:
        assert await people.by_address(work, "next@example.org") is None
