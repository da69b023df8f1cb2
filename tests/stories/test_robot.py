"""A mail scanner that opens every link of every mail and sends every form it finds.

Some follow links, some ask for the head only, some press what they find. Without a named button
nothing may happen. What a named button does is the owner's alone, is told to them, and can be taken
back where it was done. Each button is pressed where the mails have left everybody.
"""

from typing import NamedTuple

import httpx
import pytest

from mailer.activity import store as activity
from mailer.asks import store as pledges
from mailer.asks.model import PledgeState
from mailer.bootstrap import House
from mailer.consent import store as consents
from mailer.fields import special
from mailer.fields import store as field_store
from mailer.kit.links import NOBODY
from mailer.kit.tokens import Purpose
from mailer.kit.work import Door
from mailer.subscribers import store as people
from mailer.tiers import requesting, signs
from mailer.tiers import store as ladder
from tests.cast import Cast
from tests.support.all_mails import (
    ABOUT_ONESELF,
    all_mails_of_bo,
    paths_about_oneself,
    paths_in,
)
from tests.support.dumps import Rows, everything, put_back, rows_of
from tests.support.relay import Relay
from tests.support.robot import Form, Robot, forms_on

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]

NEEDS_NO_UNDO = {
    ("STAY", "yes"): "keeps what is",
    ("CONFIRM", "yes"): "is the owner's yes to their own sign-up; every mail since can end it",
    ("CONFIRM", "decline"): "spares a reminder; the page asks on",
    ("ADDRESS", "yes"): "is the new owner's yes; the letter to the old address has the undo",
    ("ALSO_ME", "yes"): "is the owner's yes; the letters to both addresses have the undo",
    ("UNDO_TIER", "yes"): "is an undo",
    ("UNDO_PAUSE", "yes"): "is an undo",
    ("UNDO_ADDRESS", "yes"): "is an undo",
    ("UNDO_PLEDGE", "yes"): "is an undo",
    ("UNDO_LEAVING", "yes"): "is an undo",
    ("UNDO_LEAVING", "pause"): "is an undo, and a break that its own page ends",
    ("UNDO_LEAVING", "lowest"): "is an undo, and a step that the page after it undoes",
    ("UNDO_LEAVING", "urgent"): "is an undo, and less, which their own page ends",
    ("private", "send"): "sends their own page to the owner, and to nobody else",
    ("my address", "save"): "asks at the new address, and moves nothing",
    ("my also", "save"): "asks at the other address, and moves nothing",
    ("my lists", "no"): "leaves; the letter about it has the undo",
}
"""What has no undo on the page after it, by form and button, and why it needs none."""

RECEIPTS = {"letter", "consent_record"}
"""What tells of it beside the timeline, which is silent about what is specially protected."""

OF_TWO = {"ALSO_ME"}
"""What is about two entries, which are one person's."""


# --- without a button -----------------------------------------------------------------------------


async def facts(house: House) -> dict[str, list[str]]:
    return await everything(house)


async def test_without_a_named_button_nothing_happens(
    web: httpx.AsyncClient, house: House, cast: Cast, relay: Relay
) -> None:
    paths = paths_in(await all_mails_of_bo(house, cast, relay))
    purposes = {(await claimed(house, one))[1] for one in paths if one.startswith(("/l/", "/u/"))}
    assert purposes == {
        Purpose.ASK,
        Purpose.ASK_DONE,
        Purpose.ASK_HELP,
        Purpose.ASK_DECLINE,
        Purpose.REPORT,
        Purpose.UNDO_PLEDGE,
        Purpose.READ,
        Purpose.TIER,
        Purpose.PAUSE,
        Purpose.PREFERENCES,
        Purpose.PRIVATE,
        Purpose.STAY,
        Purpose.SUGGESTION,
        Purpose.UNSUBSCRIBE,
    }
    before = await facts(house)
    robot = Robot(web)
    for path in paths:
        await robot.scan(path)
    assert robot.forms_sent > 2 * len(paths)
    assert await facts(house) == before


async def test_nor_does_anything_by_the_letters_about_oneself(
    web: httpx.AsyncClient, house: House, cast: Cast, relay: Relay
) -> None:
    paths = await paths_about_oneself(house, cast, relay)
    purposes = {(await claimed(house, one))[1] for one in paths if one.startswith(("/l/", "/u/"))}
    assert purposes >= ABOUT_ONESELF
    before = await facts(house)
    robot = Robot(web)
    for path in paths:
        await robot.scan(path)
    assert await facts(house) == before


# --- what its buttons do --------------------------------------------------------------------------


class Press(NamedTuple):
    """A button on a page that a mail leads to."""

    owner: int  # whose link it is; nobody's, if the page is everybody's
    what: str  # the form: the purpose of its link, or where it leads
    form: Form
    name: str
    value: str


async def buttons_by(web: httpx.AsyncClient, house: House, paths: list[str]) -> list[Press]:
    """Give every named button of every form on the pages of these links, each once."""
    found: dict[str, Press] = {}
    for path in paths:
        page = await web.get(path, follow_redirects=True)
        web.cookies.clear()
        owner = NOBODY
        if path.startswith(("/l/", "/u/")):
            owner, _purpose = await claimed(house, path)
        for form in forms_on(page):
            what = await named(house, form.path)
            for name, value in form.buttons:
                press = Press(owner, what, form, name, value)
                found.setdefault(f"{form.path} {form.as_it_is} {name} {value}", press)
    return list(found.values())


async def claimed(house: House, path: str) -> tuple[int, Purpose]:
    """Give whose link it is, and what for."""
    async with house.work(reading=True) as work:
        claim = work.signer.read(path.split("/")[2], *Purpose, now=work.now)
        return claim.subscriber, claim.purpose


async def named(house: House, path: str) -> str:
    """Name a form by where it leads."""
    match path.split("/")[1:]:
        case ["l" | "u", _token]:
            return (await claimed(house, path))[1].name
        case ["l", _token, what]:
            return what
        case ["my", _token, what]:
            return f"my {what}"
        case _:
            return path


async def standing_of(house: House, no: int) -> dict[str, object]:
    """Give where somebody stands, as they would say it."""
    async with house.work(reading=True) as work:
        person = await people.by_no(work, no)
        tier = await ladder.chosen(work, no)
        wish = await ladder.standing_request(work, no)
        no_since = work.now - signs.LEFT_ALONE_FOR
        suggested = await ladder.open_suggestion(work, no)
        at_most = await consents.at_most_of(work, no)
        if person is None:
            return {}
        protected = [one for one in await field_store.public_fields(work) if one.is_special]
        return {
            "address": person.address,
            "said": (person.first_name, person.last_name, person.city, person.language),
            "fields": await field_store.values_of(work, [no]),
            "protected": [await special.told(work, person, one) for one in protected],
            "writing": (person.mail_form, at_most and at_most.pace),
            "level": tier and tier.slug,
            "wish": wish and wish.tier_no,
            "pause": person.paused_until,
            "lists": {one.list_no: one.state for one in await consents.subscriptions_of(work, no)},
            "urgent": {one.list_no for one in await consents.only_urgent_of(work, no)},
            "left alone": not suggested and await ladder.was_asked_since(work, no, no_since),
            "answers": {
                one.ask_no: (one.state, one.times, one.due_at, one.note)
                for one in await pledges.pledges_of(work, no)
                if one.state is not PledgeState.WITHDRAWN
            },
        }


async def told(house: House, no: int) -> int:
    async with house.work(reading=True) as work:
        return len(await activity.kinds(work, no))


async def undone_on(web: httpx.AsyncClient, path: str) -> None:
    """Press the first button of a page that is not its no."""
    page = await web.get(path)
    presses = [
        (form, name, value)
        for form in forms_on(page)
        for name, value in form.buttons
        if name == "answer" and value != "no"
    ]
    assert presses, f"no undo on {page.text.partition('<h1>')[2][:80]}"
    form, name, value = presses[0]
    await web.post(form.path, data={name: value})


async def gone_back(
    web: httpx.AsyncClient, house: House, press: Press, before: dict[str, object]
) -> None:
    """Go back on the private page: it shows what is so, and its forms say the contrary, too."""
    asked, level = {"answer": "withdraw"}, {"level": str(before["level"])}
    async with house.work(reading=True) as work:
        levels = await ladder.ladder(work)
    wished = [("level", {"level": one.slug}) for one in levels if one.no == before["wish"]]
    contrary = {
        "my level": [("wish", asked), ("level", level), *wished],
        "my wish": wished,
        "my break": [("break", {"answer": "over"})],
        "my lists": [("lists", {**press.form.as_it_is, "on": "all"})],
        "my details": [("details", {**press.form.as_it_is, "answer": "save"})],
        "my writing": [("writing", {**press.form.as_it_is, "answer": "save"})],
        "my fields": [("fields", {**press.form.as_it_is, "answer": "save"})],
        "my protected": [("protected", {**press.form.as_it_is, "take_back": "yes"})],
    }
    token = press.form.path.split("/")[2]
    for form, said in contrary[press.what]:
        await web.post(f"/my/{token}/{form}", data=said)


def changes(was: Rows, now: Rows) -> dict[str, list[dict[str, object]]]:
    """Give the rows of each table that are new, gone or other."""
    found = {
        table: [
            row
            for key in was[table].keys() | now[table].keys()
            if was[table].get(key) != now[table].get(key)
            for row in (was[table].get(key), now[table].get(key))
            if row is not None
        ]
        for table in was
    }
    return {table: rows for table, rows in found.items() if rows}


async def pressed_all(
    web: httpx.AsyncClient, house: House, paths: list[str]
) -> dict[tuple[str, str], set[str]]:
    """Press each button, and list the tables that it changed; all is put back before the next.

    What it changed is the owner's alone, is told to them, and can be taken back.
    """
    listed: dict[tuple[str, str], set[str]] = {}
    buttons, was = await buttons_by(web, house, paths), await rows_of(house)
    for press in buttons:
        before, lines = await standing_of(house, press.owner), await told(house, press.owner)
        answer = await web.post(
            press.form.path, data={**press.form.fields, press.name: press.value}
        )
        web.cookies.clear()
        assert answer.status_code < 500, press
        changed = changes(was, await rows_of(house))
        listed.setdefault((press.what, press.value), set()).update(changed)
        if not changed:
            continue
        assert press.owner != NOBODY, press
        assert press.value != "no" or press.name != "answer", press
        assert answer.status_code == 303, press
        if press.what not in OF_TWO:
            assert whose(changed) == {press.owner}, press
        assert changed.keys() & RECEIPTS or await told(house, press.owner) > lines, press
        if (press.what, press.value) not in NEEDS_NO_UNDO:
            if press.what.startswith("my "):
                await gone_back(web, house, press, before)
            else:
                await undone_on(web, answer.headers["location"])
            assert await standing_of(house, press.owner) == before, press
        await put_back(house, was)
        assert not changes(was, await rows_of(house)), press
    for (what, value), tables in sorted(listed.items()):
        print(f"{what:16} {value:12} {', '.join(sorted(tables)) or 'nothing'}")
    return listed


def whose(changed: dict[str, list[dict[str, object]]]) -> set[object]:
    """Give whom these rows are about."""
    about = {
        row["no"] if table == "subscriber" else row.get("subscriber_no")
        for table, rows in changed.items()
        for row in rows
    }
    return about - {None}


async def test_what_a_button_does_is_the_owners_alone_is_told_and_taken_back(
    web: httpx.AsyncClient, house: House, cast: Cast, relay: Relay
) -> None:
    listed = await pressed_all(web, house, paths_in(await all_mails_of_bo(house, cast, relay)))
    for purpose in (Purpose.ASK, Purpose.ASK_DONE, Purpose.ASK_HELP, Purpose.ASK_DECLINE):
        assert "pledge" in listed[purpose.name, "yes"]
    assert "campaign" in listed["READ", "yes"]
    for what in ("yes", "decline"):
        assert "tier_suggestion" in listed["SUGGESTION", what]
    for form, said in {
        "my break": "begin",
        "my details": "save",
        "my fields": "save",
        "my protected": "save",
        "my writing": "save",
        "my address": "save",
        "my also": "save",
        "my lists": "urgent",
    }.items():
        assert listed[form, said], form
    assert "letter" in listed["my lists", "no"]


async def test_so_it_is_while_a_wish_waits_for_its_answer(
    web: httpx.AsyncClient, house: House, cast: Cast, relay: Relay
) -> None:
    async with house.work(door=Door.PAGE) as work:
        await requesting.ask_for(work, cast.bo, cast.organiser, campaign_no=None, ask_no=None)
    paths = paths_in(await all_mails_of_bo(house, cast, relay))
    its = [
        one
        for one in paths
        if one.startswith("/l/") and (await claimed(house, one))[1] is Purpose.PRIVATE
    ]
    async with house.work(reading=True) as work:
        to_organiser = work.signer.token(
            Purpose.TIER, cast.bo.no, subject=cast.organiser.no, now=work.now
        )

    listed = await pressed_all(web, house, [*its, f"/l/{to_organiser}"])

    assert "tier_request" in listed["my wish", "withdraw"]
    assert "tier_request" in listed["TIER", "withdraw"]


async def test_so_it_is_with_the_letters_about_oneself(
    web: httpx.AsyncClient, house: House, cast: Cast, relay: Relay
) -> None:
    listed = await pressed_all(web, house, await paths_about_oneself(house, cast, relay))
    for purpose in ABOUT_ONESELF:
        assert listed[purpose.name, "yes"], purpose
    for form, said in (("private", "send"), ("ADDRESS", "yes"), ("ALSO_ME", "yes")):
        assert "letter" in listed[form, said], form
    for instead in ("pause", "lowest", "urgent"):
        assert listed["UNDO_LEAVING", instead], instead
