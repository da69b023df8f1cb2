"""Finding people, putting one on the roll, and one person's page."""

import html
import re

import httpx
import pytest

from mailer.accounts.model import Account, Role
from mailer.activity import store as activity
from mailer.bootstrap import House
from mailer.campaigns import composing
from mailer.consent import actions as consent
from mailer.consent import store as consents
from mailer.consent.model import SubscriberState, SubscriptionState
from mailer.groups import store as groups
from mailer.kit.work import Door, Work
from mailer.outbox import store as outbox
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import Subscriber, SuppressionReason
from mailer.tiers import actions as tiers
from mailer.tiers import store as ladder
from mailer.tiers.model import SignKind, Source
from tests import makers as make
from tests.cast import Cast
from tests.support.signing_in import post, signed_in

# What these pages ask of the database has its own tests (tests/records), on both.
pytestmark = pytest.mark.any_database


@pytest.fixture
async def farid(web: httpx.AsyncClient, cast: Cast, house: House) -> httpx.AsyncClient:
    """Give a client that Farid has signed in with, who sees nobody outside Harbour."""
    await signed_in(web, house, cast.farid)
    return web


def page_of(person: Subscriber, more: str = "") -> str:
    return f"/admin/people/{person.uid}{more}"


def names(shown: httpx.Response) -> set[str]:
    """Give who stands in the rows of a page of people."""
    found = re.findall(r'<a class="anywhere" href="/admin/people/[^"]+">([^<]+)</a>', shown.text)
    return set(found)


async def reread(work: Work, person: Subscriber) -> Subscriber:
    found = await subscribers.by_no(work, person.no)
    assert found
    return found


# --- finding ------------------------------------------------------------------------------------


async def test_everybody_is_listed_with_where_they_stand(
    admin: httpx.AsyncClient, cast: Cast
) -> None:
    shown = await admin.get("/admin/people")
    assert names(shown) == {"Bo", "Chidi", "Dana", "Gil"}
    for words in ("4 on the roll.", "<b>4</b>people match", "Has left", "Harbour Workers"):
        assert words in shown.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=bo", {"Bo"}),
        ("q=GIL@EXAMPLE.ORG", {"Gil"}),
        ("q=nobody", set()),
        ("tier=supporter", {"Bo", "Chidi"}),
        ("tier=supporter&q=chi", {"Chidi"}),
        ("list=bulletin", {"Bo", "Gil"}),
        ("tier=unheard-of", set()),
        ("group=unheard-of", set()),
        ("list=unheard-of", set()),
        ("after=99999", set()),
    ],
)
async def test_a_filter_that_names_nothing_shows_nobody(
    admin: httpx.AsyncClient, cast: Cast, query: str, found: set[str]
) -> None:
    assert names(await admin.get(f"/admin/people?{query}")) == found


async def test_a_group_shows_its_people(admin: httpx.AsyncClient, cast: Cast) -> None:
    shown = await admin.get(f"/admin/people?group={cast.harbour.uid}")
    assert names(shown) == {"Gil"}
    assert f'<option value="{cast.harbour.no}" selected>' in shown.text
    assert "People who belong to Harbour Workers’ Centre." in shown.text


async def test_what_was_typed_is_shown_again_and_harmless(
    admin: httpx.AsyncClient, cast: Cast
) -> None:
    shown = await admin.get("/admin/people", params={"q": '"><script>alert(1)</script>'})
    assert "Nobody matches" in shown.text
    assert "<script>alert" not in shown.text
    assert "&lt;script&gt;alert" in shown.text


async def test_htmx_gets_the_rows_alone(admin: httpx.AsyncClient, cast: Cast) -> None:
    shown = await admin.get("/admin/people?q=bo", headers={"hx-request": "true"})
    assert names(shown) == {"Bo"}
    assert "<html" not in shown.text


async def test_long_lists_have_pages(admin: httpx.AsyncClient, cast: Cast, house: House) -> None:
    async with house.work(door=Door.CLI) as work:
        await make.people(work, 30, tier=cast.activist)
    first = await admin.get("/admin/people?tier=activist")
    onward = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert onward
    second = await admin.get(html.unescape(onward[1]))
    assert (len(names(first)), len(names(second))) == (25, 5)
    assert not names(first) & names(second)
    assert 'rel="prev"' in second.text


async def test_a_group_organiser_sees_nobody_outside(farid: httpx.AsyncClient, cast: Cast) -> None:
    shown = await farid.get("/admin/people")
    assert names(shown) == {"Gil"}
    assert "One person on the roll." in shown.text
    assert "Northgate" not in shown.text
    for query in ("q=bo", f"group={cast.northgate.uid}", "list=bulletin", "tier=supporter"):
        assert names(await farid.get(f"/admin/people?{query}")) <= {"Gil"}


async def test_nor_their_pages_nor_their_forms(
    farid: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    assert (await farid.get(page_of(cast.bo))).status_code == 404
    assert (await farid.get(page_of(cast.bo, "/suppression"))).status_code == 404
    forms = ("details", "address", "tier", "groups", "lists", "pause", "pause/lifting", "stop")
    for form in (*forms, "stop/lifting", "suppression", "suppression/lifting", "undo"):
        answer = await post(
            farid,
            page_of(cast.bo, f"/{form}"),
            {"answer": "yes", "first_name": "Robert", "group": cast.harbour.uid},
            page=page_of(cast.gil),
        )
        assert answer.status_code == 404, form
    async with house.work(reading=True) as work:
        assert (await reread(work, cast.bo)).first_name == "Bo"


async def test_a_group_organiser_cannot_put_their_people_elsewhere(
    farid: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    answer = await post(
        farid,
        page_of(cast.gil, "/groups"),
        {"group": cast.northgate.uid},
        page=page_of(cast.gil),
    )
    assert answer.status_code == 403
    async with house.work(reading=True) as work:
        assert [one.no for one in await groups.of(work, cast.gil.no)] == [cast.harbour.no]


# --- somebody new -------------------------------------------------------------------------------

NEW = {
    "address": "Yasmin@Example.org",
    "first_name": "Yasmin",
    "last_name": "Haddad",
    "city": "Northgate",
    "language": "fr",
    "tier": "activist",
    "list": "bulletin",
}


async def new(client: httpx.AsyncClient, **more: str) -> httpx.Response:
    return await post(client, "/admin/people/new", {**NEW, **more})


async def test_somebody_new_is_asked_by_email(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    answer = await new(admin, basis="ask", group=cast.harbour.uid)
    assert answer.status_code == 303
    shown = await admin.get(answer.headers["location"])
    assert "Yasmin Haddad is on the roll." in shown.text
    async with house.work(reading=True) as work:
        yasmin = await subscribers.by_address(work, "yasmin@example.org")
        assert yasmin
        assert (yasmin.city, yasmin.language, yasmin.door) == ("Northgate", "fr", Door.ADMIN)
        assert await consent.state_of(work, yasmin) is SubscriberState.PENDING
        assert [letter.kind for letter in await outbox.letters_to(work, yasmin.no)] == ["confirm"]
        tier = await ladder.chosen(work, yasmin.no)
        assert tier
        assert tier.slug == "activist"
        assert [one.no for one in await groups.of(work, yasmin.no)] == [cast.harbour.no]


async def test_or_has_agreed_with_evidence(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    assert (await new(admin, basis="agreed", evidence="At the stall, 1 May.")).status_code == 303
    async with house.work(reading=True) as work:
        yasmin = await subscribers.by_address(work, "yasmin@example.org")
        assert yasmin
        assert await consent.state_of(work, yasmin) is SubscriberState.ACTIVE
        [record] = await consents.records_of(work, yasmin.no)
        assert (record.wording, record.account_no) == ("At the stall, 1 May.", cast.amina.no)


async def test_without_an_address_they_are_known_and_on_no_list(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    answer = await new(admin, address="", basis="agreed", evidence="At the stall, 1 May.")
    shown = await admin.get(answer.headers["location"])
    assert "None: reached otherwise" in shown.text
    assert "Ask by email" not in shown.text
    async with house.work(reading=True) as work:
        assert (
            not (await consents.counts_by_list(work))[cast.bulletin.no].get(
                SubscriptionState.UNSUBSCRIBED, 0
            )
            - 1
        )  # Chidi alone


@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [
        ({"address": "bo@example.org", "basis": "ask"}, 409, "on the roll already"),
        ({"address": "yasmin"}, 422, "Please say how these people agreed"),
        ({"address": "yasmin", "basis": "ask"}, 422, "two parts with an @"),
        ({"basis": "agreed", "evidence": "yes"}, 422, "Please write down when and how"),
        ({"basis": "ask", "first_name": "x" * 121}, 422, "too long"),
        ({"basis": "ask", "address": "gone@example.org"}, 422, "asked never to be written to"),
    ],
)
async def test_what_is_wrong_is_said_and_the_rest_is_kept(
    admin: httpx.AsyncClient,
    cast: Cast,
    house: House,
    typed: dict[str, str],
    status: int,
    said: str,
) -> None:
    async with house.work() as work:
        await consent.suppress_many(work, ["gone@example.org"], SuppressionReason.ASKED)
        before = await subscribers.how_many(work)
    answer = await new(admin, **typed)
    assert answer.status_code == status
    assert said in answer.text
    assert '-error"' in answer.text  # beside the field, and in the summary
    assert 'id="errors-title"' in answer.text
    assert 'value="Haddad"' in answer.text
    async with house.work(reading=True) as work:
        assert await subscribers.how_many(work) == before


async def test_a_group_organiser_adds_people_to_their_own_group(
    farid: httpx.AsyncClient, cast: Cast
) -> None:
    answer = await new(farid, basis="ask")
    assert answer.status_code == 303
    assert "Harbour Workers" in (await farid.get(answer.headers["location"])).text


# --- one person ---------------------------------------------------------------------------------


async def test_a_page_tells_one_person_whole(admin: httpx.AsyncClient, cast: Cast) -> None:
    shown = await admin.get(page_of(cast.bo))
    for words in (
        "<h1>Bo</h1>",
        "bo@example.org",
        "Supporter",
        "Northgate Transport Branch",
        "Came onto the roll",
        "Said yes to “Bulletin”",
        "Take off all emails",
    ):
        assert words in shown.text


async def test_a_viewer_sees_no_form(web: httpx.AsyncClient, cast: Cast, house: House) -> None:
    async with house.work(door=Door.CLI) as work:
        esra = await work.session.get_one(Account, cast.esra.no)
        esra.role = Role.VIEWER
    await signed_in(web, house, cast.esra)
    shown = await web.get(page_of(cast.bo))
    assert "Came onto the roll" in shown.text
    assert page_of(cast.bo) + "/" not in shown.text


async def test_what_led_to_a_move_is_linked_for_those_who_may_see_it(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    async with house.work(door=Door.CLI) as work:
        june = await composing.begin(work, name="June")
        ask = await make.ask(work, "Bring a chair")
        await tiers.step(
            work, cast.gil, cast.supporter, source=Source.SELF_LINK, campaign_no=june.no
        )
        for _time in range(3):
            await tiers.note_sign(work, cast.gil.no, SignKind.DONE, work.now, ask_no=ask.no)
        suggested = await ladder.suggested(work, cast.gil.no)
        assert suggested
        await tiers.accept(work, cast.gil, suggested[0].no)

    for account, may_write in ((cast.farid, False), (cast.esra, True)):
        web.cookies.clear()
        await signed_in(web, house, account)
        shown = (await web.get(page_of(cast.gil))).text
        assert "From a link in “June”." in shown
        assert "Suggested after an answer to “Bring a chair”." in shown
        assert f'<a href="/admin/asks/{ask.uid}">See the ask</a>' in shown
        link = f'<a href="/admin/campaigns/{june.uid}">See the campaign</a>'
        assert (link in shown) is may_write


@pytest.mark.parametrize("uid", ["nowhere", "0198-x", "new%00"])
async def test_nobody_has_no_page(admin: httpx.AsyncClient, cast: Cast, uid: str) -> None:
    assert (await admin.get(f"/admin/people/{uid}")).status_code == 404


async def act(
    client: httpx.AsyncClient, person: Subscriber, form: str, **typed: str
) -> httpx.Response:
    """Post a form of a person's page; give the page that it leads to."""
    answer = await post(client, page_of(person, f"/{form}"), typed, page=page_of(person))
    assert answer.status_code == 303, answer.text
    return await client.get(answer.headers["location"])


async def test_an_organiser_moves_somebody_with_a_reason(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    shown = await act(admin, cast.bo, "tier", tier="organiser", reason="Runs the night shift.")
    assert "Moved. They are told why" in shown.text
    assert "Runs the night shift." in shown.text
    async with house.work(reading=True) as work:
        tier = await ladder.chosen(work, cast.bo.no)
        assert tier
        assert tier.slug == "organiser"
        letters = [letter.kind for letter in await outbox.letters_to(work, cast.bo.no)]
        assert "tier-changed" in letters


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"tier": "organiser", "reason": ""}, "Please say why."),
        ({"tier": "", "reason": "Runs the night shift."}, "Please choose a level."),
        ({"tier": "organiser", "reason": "x" * 301}, "too long"),
    ],
)
async def test_a_move_needs_a_level_and_a_reason(
    admin: httpx.AsyncClient, cast: Cast, house: House, typed: dict[str, str], said: str
) -> None:
    answer = await post(admin, page_of(cast.bo, "/tier"), typed, page=page_of(cast.bo))
    assert answer.status_code == 422
    assert said in answer.text
    assert typed["reason"] in answer.text
    async with house.work(reading=True) as work:
        assert len(await ladder.changes_of(work, cast.bo.no)) == 1


async def test_a_move_can_be_undone_from_the_timeline(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    shown = await act(admin, cast.bo, "tier", tier="activist", reason="Asked on the phone.")
    no = re.search(
        r'name="what" value="tier"><input type="hidden" name="no" value="(\d+)"', shown.text
    )
    assert no
    shown = await act(admin, cast.bo, "undo", what="tier", no=no[1])
    assert "Undone." in shown.text
    async with house.work(reading=True) as work:
        tier = await ladder.chosen(work, cast.bo.no)
        assert tier
        assert tier.slug == "supporter"


async def test_nobody_undoes_what_is_another_persons(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    async with house.work() as work:
        moved = await tiers.assign(work, cast.gil, cast.activist, reason="Because.")
        assert isinstance(moved, tiers.Moved)
    for what in ("tier", "address", "leaving", ""):
        shown = await act(admin, cast.bo, "undo", what=what, no=str(moved.change.no))
        assert "Undone." not in shown.text
    async with house.work(reading=True) as work:
        tier = await ladder.chosen(work, cast.gil.no)
        assert tier
        assert tier.slug == "activist"


async def test_details_are_changed(admin: httpx.AsyncClient, cast: Cast, house: House) -> None:
    shown = await act(
        admin, cast.bo, "details", first_name="Bo", last_name="Ek", city="Lund", language="fr"
    )
    assert "<h1>Bo Ek</h1>" in shown.text
    async with house.work(reading=True) as work:
        bo = await reread(work, cast.bo)
        assert (bo.last_name, bo.city, bo.language) == ("Ek", "Lund", "fr")


async def test_a_language_that_pages_do_not_speak_is_kept(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    async with house.work() as work:
        yusuf = await make.person(work, first_name="Yusuf", language="tr")
    assert '<option value="tr" selected>' in (await admin.get(page_of(yusuf))).text
    await act(admin, yusuf, "details", first_name="Yusuf", last_name="A", city="", language="tr")
    async with house.work(reading=True) as work:
        assert (await reread(work, yusuf)).language == "tr"


async def test_an_address_is_changed_and_the_old_one_is_told(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    shown = await act(admin, cast.bo, "address", address="bo@harbour.example.org")
    assert "The old one was told" in shown.text
    async with house.work(reading=True) as work:
        assert (await reread(work, cast.bo)).address == "bo@harbour.example.org"


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [("gil@example.org", 409, "on the roll already"), ("bo", 422, "two parts with an @")],
)
async def test_an_address_that_cannot_be_is_refused_where_it_was_typed(
    admin: httpx.AsyncClient, cast: Cast, address: str, status: int, said: str
) -> None:
    answer = await post(
        admin, page_of(cast.bo, "/address"), {"address": address}, page=page_of(cast.bo)
    )
    assert answer.status_code == status
    assert said in answer.text
    assert f'value="{address}"' in answer.text
    assert "<details open>" in answer.text


async def test_groups_are_joined_and_left(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    assert "Now in Harbour" in (await act(admin, cast.bo, "groups", group=cast.harbour.uid)).text
    assert (
        "No longer in Northgate"
        in (await act(admin, cast.bo, "groups", leave=cast.northgate.uid)).text
    )
    async with house.work(reading=True) as work:
        assert [one.no for one in await groups.of(work, cast.bo.no)] == [cast.harbour.no]


async def test_who_is_taken_out_of_the_last_group_is_out_of_sight(
    farid: httpx.AsyncClient, cast: Cast
) -> None:
    shown = await act(farid, cast.gil, "groups", leave=cast.harbour.uid)
    assert "No longer in Harbour" in shown.text
    assert names(shown) == set()
    assert (await farid.get(page_of(cast.gil))).status_code == 404


async def test_somebody_is_asked_by_email_or_taken_off_a_list(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    shown = await act(admin, cast.bo, "lists", leave="bulletin")
    assert "Off the list: Bulletin." in shown.text
    shown = await act(admin, cast.bo, "lists", ask="bulletin")
    assert "Asked by email: Bulletin." in shown.text
    async with house.work(reading=True) as work:
        assert await consent.state_of(work, cast.bo) is SubscriberState.UNSUBSCRIBED
        kinds = [letter.kind for letter in await outbox.letters_to(work, cast.bo.no)]
        assert {"unsubscribed", "confirm"} <= set(kinds)


async def test_anybody_is_taken_off_all_emails_in_two_taps_and_gets_no_letter(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    async with house.work(reading=True) as work:
        before = len(await outbox.letters_to(work, cast.bo.no))
    asked = await admin.get(page_of(cast.bo, "/suppression"))
    assert asked.text.index('value="no"') < asked.text.index('value="yes"')
    unsaid = await post(admin, page_of(cast.bo, "/suppression"))
    assert "Nothing has changed." in (await admin.get(unsaid.headers["location"])).text
    shown = await act(admin, cast.bo, "suppression", answer="yes")
    assert "Never write to" in shown.text
    async with house.work(reading=True) as work:
        assert await consent.state_of(work, cast.bo) is SubscriberState.SUPPRESSED
        assert len(await outbox.letters_to(work, cast.bo.no)) == before
    shown = await act(admin, cast.bo, "suppression/lifting")
    assert "May be written to again" in shown.text
    async with house.work(reading=True) as work:
        assert await consent.state_of(work, cast.bo) is SubscriberState.ACTIVE


async def test_a_break_is_taken_and_ended(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    shown = await act(admin, cast.bo, "pause", days="14")
    assert "Paused until" in shown.text
    shown = await act(admin, cast.bo, "pause/lifting")
    assert "The pause is over." in shown.text
    async with house.work(reading=True) as work:
        assert (await activity.kinds(work, cast.bo.no))[-2:] == ["paused", "resumed"]


@pytest.mark.parametrize("days", ["0", "-1", "366", "soon"])
async def test_a_break_has_bounds(admin: httpx.AsyncClient, cast: Cast, days: str) -> None:
    answer = await post(admin, page_of(cast.bo, "/pause"), {"days": days}, page=page_of(cast.bo))
    assert answer.status_code == 422
    assert f'value="{days}"' in answer.text


async def test_somebody_is_stopped_silently_and_started_again(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    assert "Stopped by us" in (await act(admin, cast.bo, "stop")).text
    assert "No longer stopped." in (await act(admin, cast.bo, "stop/lifting")).text
    async with house.work(reading=True) as work:
        assert await consent.state_of(work, cast.bo) is SubscriberState.ACTIVE


async def test_who_asked_for_a_level_is_shown_so(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    async with house.work() as work:
        await tiers.wish(work, cast.bo, cast.organiser)
    assert 'href="/admin/requests"' in (await admin.get(page_of(cast.bo))).text
