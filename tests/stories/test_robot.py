"""A mail scanner that opens every link of every mail and sends every form it finds.

Some follow links, some ask for the head only, some press what they find. Without a named button
nothing may happen. What a named button does is the owner's alone, is in their timeline, and can be
taken back where it was done.
"""

import asyncio
import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import html5lib
import httpx
import pytest

from mailer.activity import store as activity
from mailer.asks import actions as asks
from mailer.asks import store as pledges
from mailer.asks.model import Ask, PledgeState
from mailer.bootstrap import House
from mailer.campaigns import composing
from mailer.campaigns.model import Campaign
from mailer.consent import actions as consent
from mailer.consent import store as consents
from mailer.consent.private_links import send as send_private_link
from mailer.kit.tokens import Purpose
from mailer.kit.work import Door, Work
from mailer.outbox.actions import Post, post
from mailer.outbox.model import DeliveryState
from mailer.records import also_me
from mailer.subscribers import actions as subscribers
from mailer.subscribers import store as people
from mailer.tiers import actions as tiers
from mailer.tiers import store as ladder
from mailer.tiers.model import SignKind, Source, StillWithUs
from tests import makers as make
from tests.cast import Cast
from tests.support.asking import opened
from tests.support.dumps import everything
from tests.support.mails import Mail
from tests.support.relay import Relay
from tests.support.sending import (
    BASE,
    confirmed,
    letters,
    make_due,
    promise_much,
    until_sent,
    working,
)

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]

WAITS = {DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.SENDING}

# What has no undo on the page after it, and why it needs none.
NEEDS_NO_UNDO = {
    (Purpose.STAY, "yes"): "keeps what is",
    (Purpose.SUGGESTION, "decline"): "keeps what is",
    (Purpose.UNDO_PLEDGE, "yes"): "is an undo",
}


# --- the mails ------------------------------------------------------------------------------------


async def newsletter_of(work: Work, campaign: Campaign, ask: Ask) -> Campaign:
    """Write one with every answer to an ask in it, to everybody."""
    answers = ["pledge", "done", "help", "decline"]
    links = "\n".join(f"- [{one}]({{{{ link.ask.{ask.no}.{one} }}}})" for one in answers)
    said = f"Do you have a chair?\n\n{links}\n\n[A break]({{{{ link.pause }}}})"
    words = {"subject": campaign.name, "headline": campaign.name, "markdown": said}
    await composing.revise(work, campaign, words={"en": words})
    [bulletin, *_] = await consents.lists(work)
    return await composing.choose_audience(
        work, campaign, list_no=bulletin.no, to_everybody=True, tier_nos=[]
    )


async def letters_of_time(work: Work, cast: Cast, ask: Ask) -> None:
    """Owe Bo what time and deeds bring: reminders, a suggestion, questions."""
    for _time in range(2):
        await tiers.note_sign(work, cast.bo.no, SignKind.DONE, work.now)
    question = StillWithUs(
        subscriber_no=cast.bo.no, tier_no=cast.supporter.no, asked_at=work.now, next_at=work.now
    )
    work.session.add(question)
    await work.session.flush()
    pledge = await asks.pledge(work, cast.bo, ask)
    due = pledge.due(ask)
    assert due
    about = {"pledge": pledge.no, "due": int(due.timestamp())}
    for kind, facts in {
        "pledge-due": about,
        "did-you-do-it": about,
        "still-with-us": {"question": question.no},
        "yearly": {},
    }.items():
        await post(
            work,
            Post(
                kind=kind,
                dedupe_key=f"test:{kind}",
                language="en",
                facts=facts,
                subscriber=cast.bo.no,
            ),
        )
    await send_private_link(work, cast.bo)


async def all_mails_of_bo(house: House, cast: Cast, relay: Relay) -> list[Mail]:
    """Send him all that we send, and give what arrived."""
    await promise_much(house)
    async with house.work(reading=True) as work:
        soon = work.now + timedelta(days=2)
    chair = await opened(house, "Bring a chair")
    table = await opened(house, "Bring a table", deadline=soon, needs_support=True)
    async with house.work(door=Door.ADMIN) as work:
        june = await newsletter_of(work, await composing.begin(work, name="June"), chair)
        alert = await composing.begin_alert(work, name="Tonight", why="It is tonight.")
        tonight = await newsletter_of(work, alert, chair)
        numbers = [(await confirmed(work, one)).no for one in (june, tonight)]
        await letters_of_time(work, cast, table)
    await make_due(house)  # the suggestion waits for a day
    async with working(house, relay), asyncio.timeout(60):
        for no in numbers:
            await until_sent(house, no)
        while any(DeliveryState(one.state) in WAITS for one in await letters(house)):
            await asyncio.sleep(0.05)
    return [mail for one in relay.letters if (mail := Mail(one)).to == cast.bo.address]


def paths_in(mails: Iterable[Mail]) -> list[str]:
    """Give every link of ours in these mails, in words, in HTML and in the head, each once."""
    found: dict[str, None] = {}
    for mail in mails:
        said = [to for _words, to in mail.links] + re.findall(rf"{BASE}[^\s>]*", mail.text)
        if mail.message["List-Unsubscribe"]:
            said.append(mail.one_click)
        found |= {urlsplit(to).path: None for to in said if to.startswith(BASE)}
    return list(found)


# --- the robot ------------------------------------------------------------------------------------


class Form(NamedTuple):
    """A form that stands in a page."""

    path: str
    fields: dict[str, str]
    buttons: list[tuple[str, str]]  # name and value


def forms_on(page: httpx.Response) -> list[Form]:
    root = html5lib.parse(page.text, namespaceHTMLElements=False)
    return [_form(one, page) for one in root.iter("form") if one.get("method", "get") == "post"]


def _form(form: Any, page: httpx.Response) -> Form:
    inputs = [one for one in form.iter() if one.tag in {"input", "textarea", "select"}]
    return Form(
        path=urlsplit(form.get("action") or str(page.url)).path,
        fields={one.get("name"): one.get("value") or "x" for one in inputs if one.get("name")},
        buttons=[
            (one.get("name"), one.get("value") or "")
            for one in form.iter("button")
            if one.get("name")
        ],
    )


class Robot:
    """It has no cookies, says what it likes, and never presses what has a name of its own."""

    def __init__(self, web: httpx.AsyncClient) -> None:
        self.web = web
        self.forms_sent = 0

    async def scan(self, path: str) -> None:
        for method in ("HEAD", "GET", "OPTIONS", "GET"):
            await self.web.request(method, path)
        page = await self.web.get(path, follow_redirects=True)
        await self.web.post(path)
        for form in forms_on(page):
            for sent in (form.fields, {**form.fields, "answer": "x"}, {**form.fields, "": "x"}):
                await self.web.post(form.path, data=sent)
                self.forms_sent += 1
        self.web.cookies.clear()


async def facts(house: House) -> dict[str, list[str]]:
    return await everything(house)


async def test_without_a_named_button_nothing_happens(
    web: httpx.AsyncClient, house: House, cast: Cast, relay: Relay
) -> None:
    paths = paths_in(await all_mails_of_bo(house, cast, relay))
    async with house.work(reading=True) as work:
        purposes = {
            work.signer.read(one.rpartition("/")[2], *Purpose, now=work.now).purpose
            for one in paths
            if one.startswith(("/l/", "/u/"))
        }
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


async def letters_about_oneself(work: Work, cast: Cast) -> None:
    """Owe what people bring about themselves: a sign-up, moves of level and address, leaving."""
    [bulletin, *_] = await consents.lists(work)
    who = await make.people(work, 5, tier=cast.follower)
    await consent.ask(work, cast.dana, bulletin, wording="Yes, email me.", language="en")
    await tiers.step(work, who[0], cast.supporter, source=Source.SELF_LINK)
    await subscribers.ask_address_change(work, who[1], "new.one@example.net")
    change = await subscribers.ask_address_change(work, who[2], "new.two@example.net")
    await subscribers.confirm_address_change(work, change.no)
    await subscribers.pause(work, who[3])
    await consent.unsubscribe(work, who[4], list_no=None)
    await also_me.ask(work, cast.bo, str(cast.gil.address))


async def test_nor_does_anything_by_the_letters_about_oneself(
    web: httpx.AsyncClient, house: House, cast: Cast, relay: Relay
) -> None:
    await promise_much(house)
    async with house.work(door=Door.PAGE) as work:
        await letters_about_oneself(work, cast)
    await make_due(house)
    async with working(house, relay), asyncio.timeout(60):
        while any(DeliveryState(one.state) in WAITS for one in await letters(house)):
            await asyncio.sleep(0.05)
    paths = paths_in(Mail(one) for one in relay.letters)
    async with house.work(reading=True) as work:
        purposes = {
            work.signer.read(one.rpartition("/")[2], *Purpose, now=work.now).purpose
            for one in paths
            if one.startswith(("/l/", "/u/"))
        }
    assert purposes >= {
        Purpose.CONFIRM,
        Purpose.UNDO_TIER,
        Purpose.ADDRESS,
        Purpose.UNDO_ADDRESS,
        Purpose.UNDO_PAUSE,
        Purpose.UNDO_LEAVING,
        Purpose.ALSO_ME,
    }
    before = await facts(house)
    robot = Robot(web)
    for path in paths:
        await robot.scan(path)
    assert await facts(house) == before


# --- what its buttons do --------------------------------------------------------------------------


async def standing_of(house: House, no: int) -> dict[str, object]:
    """Give where somebody stands, as they would say it."""
    async with house.work(reading=True) as work:
        person = await people.by_no(work, no)
        tier = await ladder.chosen(work, no)
        wish = await ladder.standing_request(work, no)
        assert person
        assert tier
        return {
            "address": person.address,
            "level": tier.slug,
            "wish": wish and wish.tier_no,
            "pause": person.paused_until,
            "lists": {one.list_no: one.state for one in await consents.subscriptions_of(work, no)},
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


async def test_what_a_button_does_is_the_owners_alone_is_told_and_taken_back(
    web: httpx.AsyncClient, house: House, cast: Cast, relay: Relay
) -> None:
    paths = paths_in(await all_mails_of_bo(house, cast, relay))
    others = [person.no for person in (cast.chidi, cast.dana, cast.gil)]
    before_others = [await standing_of(house, no) for no in others]
    listed: dict[tuple[Purpose, str], set[str]] = {}
    for path in paths:
        if not path.startswith(("/l/", "/u/")):
            continue
        async with house.work(reading=True) as work:
            token = path.rpartition("/")[2]
            purpose = work.signer.read(token, *Purpose, now=work.now).purpose
        for form in forms_on(await web.get(path)):
            for name, value in form.buttons:
                if form.path != path or name != "answer" or value == "no":
                    continue
                before, lines = await standing_of(house, cast.bo.no), await told(house, cast.bo.no)
                was = await facts(house)
                pressed = await web.post(path, data={**_plain(form.fields), name: value})
                now = await facts(house)
                changed = {table for table in now if now[table] != was[table]}
                listed.setdefault((purpose, value), set()).update(changed)
                if not changed:
                    continue
                assert pressed.status_code == 303
                assert await told(house, cast.bo.no) > lines
                if (purpose, value) not in NEEDS_NO_UNDO:
                    await undone_on(web, pressed.headers["location"])
                    assert await standing_of(house, cast.bo.no) == before, (purpose, value)
    assert [await standing_of(house, no) for no in others] == before_others
    for (purpose, value), changed in sorted(listed.items()):
        print(f"{purpose.name:12} {value:10} {', '.join(sorted(changed)) or 'nothing'}")
    for purpose in (Purpose.ASK, Purpose.ASK_DONE, Purpose.ASK_HELP, Purpose.ASK_DECLINE):
        assert "pledge" in listed[purpose, "yes"]
    assert "campaign" in listed[Purpose.READ, "yes"]


def _plain(fields: dict[str, str]) -> dict[str, str]:
    """Leave out what the robot would have typed: a day is as the page has it."""
    return {name: value for name, value in fields.items() if value != "x"}
