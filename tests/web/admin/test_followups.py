"""Follow-ups in the pages: the queue, one case, what is done about it, and who may."""

import re
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx
import pytest

from mailer.asks import reporting
from mailer.asks.model import Ask
from mailer.bootstrap import House
from mailer.campaigns.model import Campaign, CampaignState, Kind
from mailer.deliveries.model import FIRST_RUN, Delivery
from mailer.followups import caring, store
from mailer.followups.model import CaseKind, FollowUp, Outcome
from mailer.followups.rounds import digest
from mailer.kit.work import Door
from mailer.outbox.model import DeliveryState
from mailer.phones import actions as phones
from mailer.phones import store as phone_store
from mailer.records import record as looks
from mailer.subscribers import actions as subscribers
from tests.cast import Cast
from tests.support.asking import opened
from tests.support.following import WORDS, blocked, called, followed, now, open_cases, remembered
from tests.support.forms import form_on
from tests.support.sending import letters
from tests.support.signing_in import post, signed_in

pytestmark = pytest.mark.any_database

HERE = "/admin/followups"
PHONE = "+44 20 7946 0991"


@pytest.fixture
async def ask(house: House, cast: Cast) -> Ask:
    return await opened(house, "Pass the model motion", support_contact="Leila, 020 7946 0001")


@pytest.fixture
async def case(house: House, cast: Cast, ask: Ask) -> FollowUp:
    """Bo has asked for help, and can be called in the evening."""
    async with house.work(door=Door.PAGE) as work:
        await phones.note(
            work,
            cast.bo,
            PHONE,
            wording="Yes, call me.",
            language="en",
            best_time="After 18:00, not Fridays",
        )
    return await blocked(house, cast.bo, ask)


def at(case: FollowUp, more: str = "") -> str:
    return f"{HERE}/{case.uid}{more}"


async def noticed(client: httpx.AsyncClient, answer: httpx.Response) -> str:
    """Go on to where an answer leads, and give the page, which says the notice."""
    assert answer.status_code == 303, answer.text
    return (await client.get(answer.headers["location"])).text


async def do(
    client: httpx.AsyncClient, case: FollowUp, path: str, data: dict[str, str]
) -> httpx.Response:
    return await post(client, at(case, path), data, page=at(case))


# --- the queue ------------------------------------------------------------------------------------


async def test_the_first_is_shown_whole_and_the_others_after(
    admin: httpx.AsyncClient, house: House, cast: Cast, case: FollowUp
) -> None:
    await remembered(house, cast.gil, cast.amina)
    shown = (await admin.get(HERE)).text
    for words in (
        "2 people wait. 2 were promised help or a call.",
        "Now: Bo",
        "Asked for help",
        f"“{WORDS}”",
        "Pass the model motion",
        "Leila, 020 7946 0001",
        "Supporter",
        "Northgate Transport Branch",
        "After 18:00, not Fridays",
        "None yet",
        "Gil",
        "To be remembered",
    ):
        assert words in shown, words
    assert shown.index("Now: Bo") < shown.rindex("To be remembered")
    assert "7946 0991" not in shown


async def test_an_empty_queue_says_what_will_come(admin: httpx.AsyncClient) -> None:
    shown = (await admin.get(HERE)).text
    assert "Nobody waits" in shown
    assert "An email in the morning" in shown


async def test_mine_alone_everybodys_and_of_one_group(
    admin: httpx.AsyncClient, house: House, cast: Cast, case: FollowUp
) -> None:
    await remembered(house, cast.gil, cast.esra)
    assert "Gil" not in (await admin.get(f"{HERE}?show=mine")).text
    assert "Gil" in (await admin.get(f"{HERE}?show=all")).text
    only = (await admin.get(f"{HERE}?show=all&group={cast.harbour.uid}")).text
    assert "Now: Gil" in only
    assert (
        await admin.get(f"{HERE}?show=nonsense&group=nonsense&after=nonsense")
    ).status_code == 200


async def test_pages_of_a_long_queue(
    admin: httpx.AsyncClient, house: House, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.admin.followups.AT_ONCE", 2)
    for who in (cast.bo, cast.gil, cast.dana):
        await remembered(house, who, cast.amina)
    first = (await admin.get(HERE)).text
    found = re.search(rf'rel="next" href="({HERE}\?[^"]+)"', first)
    assert found
    assert "Dana" not in first
    assert "Now: Dana" in (await admin.get(found[1].replace("&amp;", "&"))).text


async def test_it_is_among_what_needs_somebody_on_the_first_page(
    admin: httpx.AsyncClient, case: FollowUp
) -> None:
    shown = (await admin.get("/admin")).text
    assert "One person waits to hear from us" in shown
    assert "One was promised help or a call." in shown


async def test_a_sheet_to_print_has_no_numbers(
    admin: httpx.AsyncClient, case: FollowUp, cast: Cast
) -> None:
    await with_number(admin, case)
    shown = (await admin.get(f"{HERE}/sheet?show=all")).text
    assert "Bo" in shown
    assert "Pass the model motion" in shown
    assert "7946" not in shown
    assert "my chair" not in shown.lower(), "what they wrote is not printed"
    assert "Amina," in shown
    assert "Everybody’s." in shown
    assert "data-print" in shown


async def test_a_sheet_says_where_it_ends_and_each_person_who_saw_them(
    admin: httpx.AsyncClient,
    house: House,
    cast: Cast,
    case: FollowUp,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for who in (cast.gil, cast.dana):
        await remembered(house, who, cast.amina)
    monkeypatch.setattr("web.admin.followups.ON_A_SHEET", 2)
    shown = (await admin.get(f"{HERE}/sheet")).text
    assert "The first 2 of 3 who wait." in shown
    async with house.work(reading=True) as work:
        looked = [
            len(part.rows)
            for who in (cast.bo, cast.gil, cast.dana)
            for part in await looks.known(work, who.no)
            if part.name == "looks"
        ]
    assert looked == [1, 1, 0]


async def with_number(client: httpx.AsyncClient, case: FollowUp) -> None:
    await do(client, case, "/hold", {"hold": "take"})


# --- who looked -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["queue", "case"])
async def test_the_person_is_told_who_looked(
    admin: httpx.AsyncClient, house: House, cast: Cast, case: FollowUp, path: str
) -> None:
    await admin.get(HERE if path == "queue" else at(case))
    async with house.work(reading=True) as work:
        [part] = [one for one in await looks.known(work, cast.bo.no) if one.name == "looks"]
    assert len(part.rows) == 1


# --- calling --------------------------------------------------------------------------------------


async def test_the_number_is_shown_for_an_hour_to_who_takes_it(
    admin: httpx.AsyncClient, house: House, cast: Cast, case: FollowUp
) -> None:
    before = (await admin.get(at(case))).text
    assert "Show Bo’s number" in before
    assert "tel:" not in before

    after = await noticed(admin, await do(admin, case, "/hold", {"hold": "take"}))

    assert "With you for an hour." in after
    assert "tel:+442079460991" in after
    await noticed(admin, await do(admin, case, "/hold", {"hold": "go"}))
    assert "tel:" not in (await admin.get(at(case))).text


async def test_of_two_organisers_the_second_is_told_who_is_at_it(
    admin: httpx.AsyncClient, house: House, cast: Cast, case: FollowUp
) -> None:
    shown = await admin.get(at(case))
    csrf = form_on(shown.text, holding="outcome")["csrf"]
    async with house.work(account=cast.esra.no, door=Door.ADMIN) as work:
        await caring.take(work, case)

    answer = await admin.post(at(case, "/hold"), data={"csrf": csrf, "hold": "take"})

    page = await noticed(admin, answer)
    assert "Esra is at it just now. Nobody is called by two people." in page
    assert "tel:" not in page
    assert "How did it go?" not in page
    settled = await admin.post(at(case, "/calls"), data={"csrf": csrf, "outcome": "reached"})
    assert "Esra is at it just now." in await noticed(admin, settled)
    assert (await now(house, case)).is_open


@pytest.mark.parametrize("outcome", [one for one in Outcome if one is not Outcome.CALL_BACK])
async def test_an_outcome_with_a_note(
    admin: httpx.AsyncClient, house: House, case: FollowUp, outcome: Outcome
) -> None:
    data = {"outcome": outcome.value, "words": "They work nights."}
    page = await noticed(admin, await do(admin, case, "/calls", data))
    assert "Noted." in page
    assert "Take it back" in page
    assert (await now(house, case)).last_outcome is outcome
    assert "They work nights." in (await admin.get(at(case))).text


async def test_a_wrong_number_is_told_to_whoever_calls_next(
    admin: httpx.AsyncClient, house: House, cast: Cast, case: FollowUp
) -> None:
    other = await remembered(house, cast.bo, cast.esra)
    before = (await admin.get(at(other))).text

    await do(admin, case, "/calls", {"outcome": "wrong_number", "words": ""})

    assert "This number was found wrong on" not in before
    assert "This number was found wrong on" in (await admin.get(at(other))).text
    assert (
        "This number was found wrong on" in (await admin.get(f"/admin/people/{cast.bo.uid}")).text
    )


async def test_after_a_call_one_is_back_where_one_was_and_can_take_it_back(
    admin: httpx.AsyncClient, house: House, cast: Cast, case: FollowUp
) -> None:
    await remembered(house, cast.gil, cast.esra)
    queue = (await admin.get(f"{HERE}?show=all&why=blocked")).text
    assert "Now: Bo" in queue
    assert "Gil" not in queue
    form = form_on(queue, holding="day")
    assert (form["show"], form["why"]) == ("all", "blocked")

    answer = await admin.post(at(case, "/calls"), data={**form, "outcome": "reached"})

    assert answer.headers["location"] == f"{HERE}?show=all&why=blocked&done={case.uid}"
    page = await noticed(admin, answer)
    assert "Bo: We spoke, and it is settled" in page
    back = form_on(page, holding="step")
    taken = await admin.post(at(case, "/undo"), data=back)
    assert taken.headers["location"] == f"{at(case)}?show=all&why=blocked"
    assert (await now(house, case)).is_open
    assert "Take it back" not in (await admin.get(f"{HERE}?done={case.uid}")).text


async def test_from_a_case_one_goes_on_to_the_next(
    admin: httpx.AsyncClient, house: House, cast: Cast, case: FollowUp
) -> None:
    gils = await remembered(house, cast.gil, cast.amina)
    shown = (await admin.get(f"{at(case)}?show=all")).text
    assert f'href="{at(gils)}?show=all"' in shown
    assert f"{at(case)}?" not in (await admin.get(f"{at(gils)}?show=mine")).text


async def test_what_was_answered_otherwise_by_a_link_is_shown_and_ended_by_an_organiser(
    admin: httpx.AsyncClient, house: House, cast: Cast, ask: Ask, case: FollowUp
) -> None:
    async with house.work(door=Door.EMAIL) as work:
        await reporting.report_done(work, cast.bo, ask)
    await followed(house)
    shown = (await admin.get(at(case))).text
    assert "They answered otherwise since:" in shown
    assert f"“{WORDS}”" in shown
    assert "Nothing has changed." in await noticed(admin, await do(admin, case, "/end", {}))
    page = await noticed(admin, await do(admin, case, "/end", {"end": "yes"}))
    assert "Ended. They are out of the queue." in page
    assert "Take it back" in page
    assert not (await now(house, case)).is_open


async def test_another_day_is_set(
    admin: httpx.AsyncClient, house: House, cast: Cast, case: FollowUp
) -> None:
    day = date.today() + timedelta(days=6)  # noqa: DTZ011  # as a browser's calendar says it
    page = await noticed(admin, await do(admin, case, "/due", {"due": day.isoformat()}))
    assert "The day is set." in page
    assert (await now(house, case)).due_at > case.due_at
    wrong = await do(admin, case, "/due", {"due": "2020-01-01"})
    assert (wrong.status_code, "Choose a day from today on" in wrong.text) == (422, True)


async def test_call_again_at_an_hour_where_they_live(
    admin: httpx.AsyncClient, house: House, cast: Cast, case: FollowUp
) -> None:
    async with house.work() as work:
        await subscribers.change_details(work, cast.bo, time_zone="America/Lima")
    assert "By their clocks: America/Lima." in (await admin.get(at(case))).text
    day = date.today() + timedelta(days=3)  # noqa: DTZ011  # as a browser's calendar says it
    data = {"outcome": "call_back", "day": day.isoformat(), "hour": "18:30"}
    await do(admin, case, "/calls", data)
    there = (await now(house, case)).next_at.astimezone(ZoneInfo("America/Lima"))
    assert (there.date(), there.hour, there.minute) == (day, 18, 30)
    assert "where they live" in (await admin.get(at(case))).text


async def test_call_again_at_an_hour_by_the_organisations_clocks(
    admin: httpx.AsyncClient, house: House, case: FollowUp
) -> None:
    day = date.today() + timedelta(days=3)  # noqa: DTZ011  # as a browser's calendar says it
    data = {"outcome": "call_back", "day": day.isoformat(), "hour": "18:30"}
    page = await noticed(admin, await do(admin, case, "/calls", data))
    assert "They come back to the queue at that hour" in page
    assert (await now(house, case)).next_at == datetime.combine(
        day, datetime.min.time().replace(hour=18, minute=30), UTC
    )


@pytest.mark.parametrize(
    ("day", "hour", "wrong"),
    [
        ("", "", "Choose a day and an hour that are still to come"),
        ("2020-01-01", "10:00", "Choose a day and an hour that are still to come"),
        ("tomorrow", "10:00", "This is no day."),
        ("2026-12-01", "teatime", "This is no hour."),
        ("2026-12-01", "", "Choose the hour at which you call again."),
    ],
)
async def test_a_wrong_hour_is_said_beside_what_was_typed(
    admin: httpx.AsyncClient, house: House, case: FollowUp, day: str, hour: str, wrong: str
) -> None:
    data = {"outcome": "call_back", "day": day, "hour": hour, "words": "After the shift."}
    answer = await do(admin, case, "/calls", data)
    assert answer.status_code == 422
    assert wrong in answer.text
    assert "After the shift." in answer.text
    assert (await now(house, case)).tries == 0


async def test_without_a_named_outcome_nothing_changes(
    admin: httpx.AsyncClient, house: House, case: FollowUp
) -> None:
    for path in ("/calls", "/hold", "/undo"):
        await noticed(admin, await do(admin, case, path, {"words": "Hm."}))
    async with house.work(reading=True) as work:
        assert await store.steps_of(work, case.no) == []


async def test_it_is_taken_back_from_the_page(
    admin: httpx.AsyncClient, house: House, cast: Cast, case: FollowUp
) -> None:
    await called(house, case, cast.amina, Outcome.REACHED)
    shown = (await admin.get(at(case))).text
    assert "We spoke, and it is settled" in shown
    step = form_on(shown, holding="step")["step"]
    for _time in range(2):
        page = await noticed(admin, await do(admin, case, "/undo", {"step": step}))
        assert "Taken back." in page
    assert (await now(house, case)).is_open


async def test_never_call_takes_the_number_away_from_everybody(
    admin: httpx.AsyncClient, house: House, cast: Cast, case: FollowUp
) -> None:
    await with_number(admin, case)
    await do(admin, case, "/calls", {"outcome": "never_call"})
    shown = (await admin.get(at(case))).text
    assert "Never call" in shown
    assert "Show Bo’s number" not in shown
    async with house.work(reading=True) as work:
        phone = await phone_store.of(work, cast.bo.no)
        assert phone is not None
        assert phone.never_call


# --- looking after --------------------------------------------------------------------------------


async def test_it_is_passed_on_to_who_may_look_after_them(
    admin: httpx.AsyncClient, house: House, cast: Cast, case: FollowUp
) -> None:
    shown = (await admin.get(at(case))).text
    assert cast.esra.uid in shown
    assert cast.farid.uid not in shown, "Farid sees other people"
    page = await noticed(admin, await do(admin, case, "/owner", {"to": cast.esra.uid}))
    assert "Esra looks after it now." in page
    assert "Passed on to Esra" in page
    refused = await noticed(admin, await do(admin, case, "/owner", {"to": cast.farid.uid}))
    assert "Farid may not look after this person." in refused
    free = await noticed(admin, await do(admin, case, "/owner", {"to": ""}))
    assert "It waits for whoever comes to it." in free
    assert (await do(admin, case, "/owner", {"to": "nobody"})).status_code == 404


async def test_a_note_alone(admin: httpx.AsyncClient, case: FollowUp) -> None:
    page = await noticed(admin, await do(admin, case, "/notes", {"words": "Knows Leila."}))
    assert "The note is kept." in page
    assert "Knows Leila." in page
    empty = await do(admin, case, "/notes", {"words": ""})
    assert (empty.status_code, "Please fill this in." in empty.text) == (422, True)


async def test_an_email_in_their_own_words(
    admin: httpx.AsyncClient, house: House, case: FollowUp
) -> None:
    page = await noticed(admin, await do(admin, case, "/letters", {"letter": "Use rule 14."}))
    assert "Your email is on its way." in page
    again = await noticed(admin, await do(admin, case, "/letters", {"letter": "Use rule 14."}))
    assert "You wrote them just that already." in again
    assert [one.kind for one in await letters(house)].count("follow-up") == 1
    empty = await do(admin, case, "/letters", {"letter": " "})
    assert (empty.status_code, "Please fill this in." in empty.text) == (422, True)


# --- remembering ----------------------------------------------------------------------------------


async def test_somebody_is_remembered_from_their_page(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    person = f"/admin/people/{cast.bo.uid}"
    assert f'href="{person}/followups"' in (await admin.get(person)).text
    wrong = await post(admin, f"{person}/followups", {"do": "remember", "words": "", "day": "x"})
    assert wrong.status_code == 422
    nothing = await post(admin, f"{person}/followups", {"words": "Call."})
    assert "Nothing has changed." in await noticed(admin, nothing)

    answer = await post(
        admin, f"{person}/followups", {"do": "remember", "words": "Ask how it went.", "day": ""}
    )

    page = await noticed(admin, answer)
    assert "They are among your follow-ups." in page
    assert "Ask how it went." in page
    [case] = await open_cases(house, cast.bo, CaseKind.MANUAL)
    assert case.owner_no == cast.amina.no
    theirs = (await admin.get(person)).text
    assert "To be remembered" in theirs
    assert at(case) in theirs


async def test_a_call_or_a_note_is_written_down_on_their_page(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    person = f"/admin/people/{cast.bo.uid}"
    assert "They wait for nothing from us." in (await admin.get(person)).text
    for done, words in (("note", "The note is kept."), ("reached", "Noted: We spoke")):
        data = {"do": done, "words": f"By {done}."}
        page = await noticed(admin, await post(admin, f"{person}/followups", data, page=person))
        assert words in page
        assert f"By {done}." in page
    assert await open_cases(house, cast.bo) == []
    empty = await post(admin, f"{person}/followups", {"do": "note", "words": " "}, page=person)
    assert (empty.status_code, "Please fill this in." in empty.text) == (422, True)


# --- the letter of the day ------------------------------------------------------------------------


async def test_the_letter_of_the_day_is_chosen_beside_the_queue(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    for said, words in (("yes", "You get an email in the morning"), ("no", "You get no email")):
        answer = await post(admin, f"{HERE}/digest", {"digest": said}, page=HERE)
        assert words in await noticed(admin, answer)
        async with house.work(reading=True) as work:
            assert await digest.wants(work, cast.amina) is (said == "yes")
    unsaid = await post(admin, f"{HERE}/digest", {}, page=HERE)
    assert "Nothing has changed." in await noticed(admin, unsaid)


# --- an alert that was not read -------------------------------------------------------------------


@pytest.fixture
async def alert(house: House, cast: Cast) -> Campaign:
    """Sent two days ago; Bo got it."""
    async with house.work() as work:
        since = work.now - timedelta(days=2)
        campaign = Campaign(
            uid="a" * 36,
            slug="alert",
            kind=Kind.ALERT,
            name="The depot closes",
            state=CampaignState.SENT,
            list_no=cast.bulletin.no,
            made_at=since,
            started_at=since,
            ended_at=since,
            recipients=1,
        )
        work.session.add(campaign)
        await work.session.flush()
        work.session.add(
            Delivery(
                campaign_no=campaign.no,
                run=FIRST_RUN,
                subscriber_no=cast.bo.no,
                state=DeliveryState.SENT,
                at=since,
            )
        )
    return campaign


async def test_those_who_have_not_read_an_alert_are_put_into_the_queue_by_one_button(
    admin: httpx.AsyncClient, house: House, cast: Cast, alert: Campaign
) -> None:
    here = f"/admin/campaigns/{alert.uid}"
    assert f'href="{here}/unread"' in (await admin.get(here)).text
    assert "One person got it more than a day ago" in (await admin.get(f"{here}/unread")).text
    nothing = await post(admin, f"{here}/unread", {})
    assert "Nothing has changed." in await noticed(admin, nothing)
    assert await open_cases(house, cast.bo) == []

    home = (await admin.get("/admin")).text
    assert "Not everybody has read “The depot closes”" in home
    page = await noticed(admin, await post(admin, f"{here}/unread", {"do": "call", "seen": "0"}))

    assert "One person waits to be called." in page
    assert "Has not read an alert" in page
    assert "The depot closes" in page
    assert "Nobody is left to be called." in (await admin.get(f"{here}/unread")).text
    again = await post(admin, f"{here}/unread", {"do": "call", "seen": "0"})
    assert "since you opened this page" in await noticed(admin, again)
    assert "Not everybody has read" not in (await admin.get("/admin")).text


async def test_an_alert_of_which_nobody_of_theirs_got_one_is_not_there_for_a_group_organiser(
    web: httpx.AsyncClient, house: House, cast: Cast, alert: Campaign
) -> None:
    await signed_in(web, house, cast.farid)
    shown = await web.get(f"/admin/campaigns/{alert.uid}/unread")
    assert shown.status_code == 404
    assert "depot" not in shown.text


async def test_whoever_says_so_on_the_telephone_has_read_it(
    admin: httpx.AsyncClient, house: House, cast: Cast, alert: Campaign
) -> None:
    await post(admin, f"/admin/campaigns/{alert.uid}/unread", {"do": "call", "seen": "0"})
    [case] = await open_cases(house, cast.bo, CaseKind.ALERT)
    assert "They have read it" in (await admin.get(at(case))).text
    nothing = await noticed(admin, await do(admin, case, "/reading", {}))
    assert "Nothing has changed." in nothing
    page = await noticed(admin, await do(admin, case, "/reading", {"read": "yes"}))
    assert "Noted: they have read it." in page
    assert not (await now(house, case)).is_open


# --- who may --------------------------------------------------------------------------------------


async def test_a_case_out_of_sight_is_not_there(
    web: httpx.AsyncClient, house: House, cast: Cast, case: FollowUp
) -> None:
    await signed_in(web, house, cast.farid)
    assert (await web.get(at(case))).status_code == 404
    assert case.uid not in (await web.get(f"{HERE}?show=all")).text
    gils = await remembered(house, cast.gil, cast.farid)
    assert (await web.get(at(gils))).status_code == 200
    for path in ("hold", "calls", "end", "due", "owner", "notes", "letters", "undo"):
        answer = await post(web, at(case, f"/{path}"), {"hold": "take"}, page=at(gils))
        assert answer.status_code == 404, path


async def test_every_way_leads_to_a_page_of_ours(admin: httpx.AsyncClient, case: FollowUp) -> None:
    shown = (await admin.get(at(case))).text
    for href in re.findall(r"<main.*?</main>", shown, re.DOTALL)[0].split('href="')[1:]:
        path = urlsplit(href.split('"')[0]).path
        if path.startswith("/admin"):
            assert (await admin.get(path)).status_code in {200, 303}, path
