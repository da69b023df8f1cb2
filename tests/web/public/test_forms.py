"""Sign-up forms: on a page of ours, in a frame, and as plain HTML that another site posts."""

import re
from collections.abc import Mapping

import httpx
import pytest
from sqlalchemy import select

from mailer.bootstrap import House
from mailer.consent import actions as consent
from mailer.consent import store as consents
from mailer.consent.limiting import SIGN_UPS_AN_HOUR
from mailer.consent.model import SignUpTally
from mailer.fields import actions as fields
from mailer.fields.model import FieldKind
from mailer.forms import actions as forms
from mailer.forms import stamping
from mailer.forms.model import SignUpForm
from mailer.subscribers import store as subscribers
from mailer.tags import actions as tags
from tests import makers as make
from tests.cast import Cast
from tests.web.public.conftest import Facts

FROM_ELSEWHERE = {"origin": "https://union.example", "sec-fetch-site": "cross-site"}


@pytest.fixture
async def form(house: House, cast: Cast) -> SignUpForm:
    """A form with a name, a field that must be answered, several choices, a tag and two sites."""
    async with house.work(account=cast.amina.no) as work:
        await fields.make(
            work,
            name={"en": "Shift", "fr": "Équipe"},
            kind=FieldKind.CHOICE,
            choices=[
                fields.Choice(name={"en": "Early", "fr": "Matin"}),
                fields.Choice(name={"en": "Late", "fr": "Soir"}),
            ],
            is_public=True,
        )
        tag = await tags.make(work, name="Picket line")
        return await forms.make(
            work,
            forms.Wanted(
                title={"en": "Stand with the drivers", "fr": "Avec les chauffeurs"},
                intro={"en": "We write when it matters.\n\nNot before."},
                thanks={"en": "See you on the line."},
                list_no=cast.bulletin.no,
                asks_for=["first_name", "group", "field:shift"],
                needed=["field:shift"],
                tag_no=tag.no,
                may_be_embedded=True,
                sites=["https://union.example", "https://www.union.example:8443/"],
            ),
        )


SAID = {
    "address": "new@example.org",
    "first_name": "Noor",
    "group": "Harbour Workers’ Centre",
    "field:shift": "late",
    "agreed": "yes",
}


async def opened(
    web: httpx.AsyncClient, house: House, form: SignUpForm, path: str = "", seconds: int = 30
) -> dict[str, str]:
    """Open the form, and give its hidden fields as if that had been some seconds ago."""
    page = await web.get(path or f"/f/{form.slug}")
    assert page.status_code == 200
    shown = hidden(page.text)["shown"]
    async with house.work(reading=True) as work:
        return {
            "stamp": stamping.stamp(make.later(work, seconds=-seconds), form),
            "shown": shown,
            "in": "en",
        }


def hidden(text: str) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text))


async def sign_up(
    web: httpx.AsyncClient, house: House, form: SignUpForm, said: Mapping[str, str | list[str]]
) -> httpx.Response:
    return await web.post(f"/f/{form.slug}", data={**await opened(web, house, form), **said})


async def test_a_form_asks_what_somebody_chose_for_it(
    web: httpx.AsyncClient, form: SignUpForm
) -> None:
    page = (await web.get("/f/stand-with-the-drivers")).text

    assert "<h1>Stand with the drivers</h1>" in page
    for asked in ("First name", "Union, branch or group", "Shift", "Early", "Late"):
        assert asked in page
    assert '<p class="measure anywhere">Not before.</p>' in page
    assert "checked" not in page
    french = (await web.get("/f/stand-with-the-drivers?in=fr")).text
    assert "Avec les chauffeurs" in french
    assert "Matin" in french


async def test_answers_are_written_when_the_owner_has_said_yes(
    web: httpx.AsyncClient, house: House, form: SignUpForm, cast: Cast
) -> None:
    answer = await sign_up(web, house, form, SAID)

    assert answer.status_code == 303
    page = await web.get(answer.headers["location"])
    assert "Check your mail." in page.text
    assert f'href="/f/{form.slug}"' in page.text
    async with house.work() as work:
        person = await subscribers.by_address(work, "new@example.org")
        assert person is not None
        assert person.first_name == ""
        uid = answer.headers["location"].split("/")[-1].split("?")[0]
        confirmation = await consents.confirmation_by_uid(work, uid)
        assert confirmation is not None
        code = consent.code_of(work, confirmation)
    done = await web.post(f"/join/{uid}/code", data={"code": code}, follow_redirects=True)
    assert "You are on the roll." in done.text
    assert "See you on the line." in done.text
    async with house.work() as work:
        person = await subscribers.by_address(work, "new@example.org")
        assert person is not None
        assert person.first_name == "Noor"


async def test_everything_that_is_missing_is_said_at_once_and_nothing_typed_is_lost(
    web: httpx.AsyncClient, house: House, form: SignUpForm, facts: Facts
) -> None:
    before = await facts()
    page = await sign_up(
        web, house, form, {"address": "new", "first_name": "<Noor>", "group": "G" * 170}
    )

    assert page.status_code == 422
    assert "4 things to mend" in page.text
    assert 'value="&lt;Noor&gt;"' in page.text
    for wrong in ("address", "group", "field:shift", "agreed"):
        assert f'href="#{wrong}"' in page.text
    assert await facts() == before


@pytest.mark.parametrize(
    "hostile",
    [
        {"first_name": "A" * 65_536},
        {"first_name": "Bcc: all@example.org\r\nX: y"},
        {"first_name": "\u202egnp.exe"},
        {"address": "a@example.org\r\nBcc: b@example.org"},
        {"field:shift": "night"},
        {"field:shift": ["early", "late"]},
        {"shown": "ä", "stamp": "1.ä"},
        {"stamp": "x" * 9999},
        {"group": "\x00\x01"},
    ],
)
async def test_hostile_input_is_refused_or_made_harmless(
    web: httpx.AsyncClient,
    house: House,
    form: SignUpForm,
    hostile: dict[str, str | list[str]],
) -> None:
    answer = await sign_up(web, house, form, {**SAID, **hostile})

    assert answer.status_code in {200, 303, 422}
    async with house.work() as work:
        person = await subscribers.by_address(work, "new@example.org")
        asked = await consents.asked(work, [str(person.mark)]) if person else {}
    for confirmations in asked.values():
        for one in confirmations:
            for said in one.answers.values():
                assert len(said) <= 160
                assert said.isprintable()


@pytest.mark.parametrize("why", ["no stamp", "another form's", "at once", "days old", "trapped"])
async def test_what_is_not_sent_from_our_page_is_looked_over_there(
    web: httpx.AsyncClient, house: House, form: SignUpForm, cast: Cast, facts: Facts, why: str
) -> None:
    sent: dict[str, str] = {**await opened(web, house, form), **SAID}
    match why:
        case "no stamp":
            del sent["stamp"]
        case "another form's":
            sent["stamp"] = sent["stamp"][:-1] + ("0" if sent["stamp"][-1] != "0" else "1")
        case "at once":
            sent |= await opened(web, house, form, seconds=0)
        case "days old":
            sent |= await opened(web, house, form, seconds=86_400)
        case _:
            sent["more"] = "cheap watches"
    before = await facts()

    page = await web.post(f"/f/{form.slug}", data=sent)

    assert page.status_code == 200
    assert "Nothing has been sent yet." in page.text
    assert 'value="new@example.org"' in page.text
    assert 'value="Noor"' in page.text
    assert 'value="late" checked' in page.text
    assert await facts() == before


async def test_plain_html_from_another_site_leads_to_our_page_and_from_there_on(
    web: httpx.AsyncClient, house: House, form: SignUpForm, facts: Facts
) -> None:
    before = await facts()
    plain = {name: said for name, said in SAID.items() if name != "agreed"}

    page = await web.post(f"/f/{form.slug}", data=plain, headers=FROM_ELSEWHERE)

    assert page.status_code == 200
    assert "Look over what you typed" in page.text
    assert 'name="agreed" type="checkbox" value="yes" required' in page.text
    assert await facts() == before
    assert (await sign_up(web, house, form, SAID)).status_code == 303


async def test_nothing_else_may_be_posted_from_another_site(
    web: httpx.AsyncClient, form: SignUpForm
) -> None:
    assert (await web.post("/join", data=SAID, headers=FROM_ELSEWHERE)).status_code == 403


async def test_only_the_frame_may_stand_in_the_sites_that_were_named(
    web: httpx.AsyncClient, form: SignUpForm
) -> None:
    frame = await web.get(f"/f/{form.slug}/frame")

    policy = frame.headers["content-security-policy"]
    assert policy.endswith("frame-ancestors https://union.example https://www.union.example:8443")
    assert "x-frame-options" not in frame.headers
    assert 'target="_top"' in frame.text
    assert "site-head" not in frame.text
    for path in (f"/f/{form.slug}", "/join", "/n"):
        other = await web.get(path)
        assert "frame-ancestors 'none'" in other.headers["content-security-policy"]
        assert other.headers["x-frame-options"] == "DENY"


async def test_a_form_without_sites_has_no_frame(
    web: httpx.AsyncClient, house: House, form: SignUpForm
) -> None:
    async with house.work() as work:
        wanted = forms.Wanted(title=form.title, list_no=form.list_no, may_be_embedded=True)
        await forms.describe(work, form, wanted)
    assert (await web.get(f"/f/{form.slug}/frame")).status_code == 404


async def test_a_closed_form_says_so(
    web: httpx.AsyncClient, house: House, form: SignUpForm
) -> None:
    async with house.work() as work:
        await forms.close(work, form)
    for answer in (
        await web.get(f"/f/{form.slug}"),
        await web.get(f"/f/{form.slug}/frame"),
        await web.post(f"/f/{form.slug}", data=SAID),
    ):
        assert answer.status_code == 410
        assert "Nobody can sign up here any more." in answer.text
    assert (await web.get("/f/never-was")).status_code == 404
    assert (await web.post("/f/never-was", data=SAID)).status_code == 404


async def test_the_answer_is_the_same_for_who_is_on_the_roll_and_who_is_not(
    web: httpx.AsyncClient, house: House, form: SignUpForm, cast: Cast
) -> None:
    pages = []
    for address in ("bo@example.org", "chidi@example.org", "dana@example.org", "no@example.org"):
        answer = await sign_up(web, house, form, {**SAID, "address": address})
        assert answer.status_code == 303
        location = answer.headers["location"]
        page = await web.get(location)
        pages.append(page.text.replace(location.split("/")[-1].split("?")[0], "UID"))
    assert len(set(pages)) == 1


async def test_too_many_from_one_network_wait_for_the_next_hour(
    web: httpx.AsyncClient, house: House, form: SignUpForm
) -> None:
    await sign_up(web, house, form, SAID)
    async with house.work() as work:
        [tally] = await work.session.scalars(select(SignUpTally))
        tally.number = SIGN_UPS_AN_HOUR

    page = await sign_up(web, house, form, {**SAID, "address": "next@example.org"})

    assert page.status_code == 429
    assert "Very many people sign up from your network just now." in page.text
    assert 'value="next@example.org"' in page.text


async def test_where_a_list_asks_for_no_letter_the_page_says_so_for_everybody(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    async with house.work(account=cast.amina.no) as work:
        alerts = await make.mailing_list(work, double_opt_in=False)
        await consent.greet(
            work, alerts, welcome_subject={}, welcome={}, landing={"en": "Bring a friend."}
        )
        form = await forms.make(work, forms.Wanted(title={"en": "Alerts"}, list_no=alerts.no))
    pages = []
    for address in ("bo@example.org", "new@example.org"):
        answer = await sign_up(web, house, form, {"address": address, "agreed": "yes"})
        location = answer.headers["location"]
        page = (await web.get(location)).text
        assert "Thank you." in page
        assert "Bring a friend." in page
        pages.append(page.replace(location.split("/")[-1].split("?")[0], "UID"))
    assert pages[0] == pages[1]
    async with house.work() as work:
        new = await subscribers.by_address(work, "new@example.org")
        bo = await subscribers.by_address(work, "bo@example.org")
        assert new is not None
        assert bo is not None
        assert (await consents.subscription(work, new.no, alerts.no)).state == "confirmed"  # type: ignore[union-attr]
        assert (await consents.subscription(work, bo.no, alerts.no)).state == "unconfirmed"  # type: ignore[union-attr]
