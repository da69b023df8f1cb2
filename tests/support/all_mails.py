"""Every mail that somebody can receive, brought about by the verbs and taken by a relay."""

import re
from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import urlsplit

from mailer.asks import actions as asks
from mailer.asks.model import Ask
from mailer.bootstrap import House
from mailer.campaigns import composing
from mailer.campaigns.model import Campaign
from mailer.consent import actions as consent
from mailer.consent import store as consents
from mailer.consent.private_links import send as send_private_link
from mailer.fields import describing as fields
from mailer.fields.model import FieldKind
from mailer.kit.tokens import Purpose
from mailer.kit.work import Door, Work
from mailer.outbox.actions import Post, post
from mailer.records import also_me
from mailer.subscribers import actions as subscribers
from mailer.tiers import actions as tiers
from mailer.tiers.model import SignKind, Source, StillWithUs
from tests import makers as make
from tests.cast import Cast
from tests.support.asking import opened
from tests.support.mails import Mail
from tests.support.relay import Relay
from tests.support.sending import (
    BASE,
    confirmed,
    make_due,
    promise_much,
    until_no_letter_waits,
    until_sent,
    working,
)


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


async def asked_of_everybody(work: Work) -> None:
    """Let the organisation ask for more about people: plainly, and with a consent of its own."""
    await fields.make(work, name={"en": "Depot"}, kind=FieldKind.TEXT, is_public=True)
    await fields.make(
        work,
        name={"en": "Do you need a prayer room?"},
        kind=FieldKind.YES_NO,
        is_public=True,
        is_special=True,
        consent_text={"en": "You may keep this to plan meetings, and I can take it back."},
    )


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
        await asked_of_everybody(work)
    await make_due(house)  # the suggestion waits for a day
    async with working(house, relay):
        for no in numbers:
            await until_sent(house, no)
        await until_no_letter_waits(house)
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


# --- about oneself --------------------------------------------------------------------------------


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


ABOUT_ONESELF = {
    Purpose.CONFIRM,
    Purpose.UNDO_TIER,
    Purpose.ADDRESS,
    Purpose.UNDO_ADDRESS,
    Purpose.UNDO_PAUSE,
    Purpose.UNDO_LEAVING,
    Purpose.ALSO_ME,
}


async def paths_about_oneself(house: House, cast: Cast, relay: Relay) -> list[str]:
    """Send these letters, and give every link in them."""
    await promise_much(house)
    async with house.work(door=Door.PAGE) as work:
        await letters_about_oneself(work, cast)
    await make_due(house)
    async with working(house, relay):
        await until_no_letter_waits(house)
    return paths_in(Mail(one) for one in relay.letters)
