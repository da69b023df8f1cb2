"""An ask as organisers see it: written at the desk, offered, answered, and what it moved.

What Noor does raises the level that we observe, and moves her nowhere: she is asked, says yes, and
takes it back. The mails are those that a real SMTP server received.
"""

import re
from urllib.parse import urlsplit

import httpx
import pytest

from mailer.activity.signals.following import follow_signals
from mailer.asks import store as asks
from mailer.asks.model import Ask, PledgeState
from mailer.bootstrap import House
from mailer.campaigns import sending
from mailer.campaigns import store as campaigns
from mailer.followups import store as followups
from mailer.kit.work import Door
from mailer.subscribers.model import Subscriber
from tests import makers as make
from tests.cast import Cast
from tests.support.forms import form_on
from tests.support.mails import Mailbox
from tests.support.relay import Relay
from tests.support.sending import no_letters, until_sent, working
from tests.support.signing_in import post
from tests.support.standing import answer_of, level_of

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

TITLE = "Recruit five people into your branch"


def path(link: str) -> str:
    return urlsplit(link).path


async def written(admin: httpx.AsyncClient, house: House, cast: Cast) -> Ask:
    """Write an ask at the admin pages, and open it."""
    await post(
        admin,
        "/admin/asks/new",
        {
            "title-en": TITLE,
            "why-en": "Together we are heard.",
            "minimum_tier_no": str(cast.follower.no),
            "target": "500",
            "unit-en": "people recruited",
            "risk-en": "Your manager may hear of it.",
            "support_contact": "Rosa, 0151 496 0000",
            "do": "open",
        },
    )
    async with house.work(reading=True) as work:
        return (await asks.all_asks(work))[0]


async def offered(admin: httpx.AsyncClient, house: House) -> int:
    """Put each reader's best ask into a newsletter, review it, and let it go; give its number."""
    begun = await post(admin, "/admin/campaigns/new", {"name": "June", "kind": "newsletter"})
    page = begun.headers["location"]
    form = form_on((await admin.get(page)).text, holding="markdown")
    words = {"subject": "One thing to do", "headline": "One thing", "markdown": "Dear friend."}
    sent = {**form, **words, "reach": "everybody", "on_doubt": "hold", "ask": "best"}
    review = await post(admin, page.replace("/write", "/review"), sent, page=page)
    assert TITLE in (await admin.get(review.headers["location"])).text
    async with house.work(door=Door.ADMIN) as work:
        campaign = await campaigns.by_uid(work, page.split("/")[-2])
        assert campaign
        await sending.schedule(work, campaign, typed=str(campaign.recipients), undo_seconds=0)
    return campaign.no


async def answered(web: httpx.AsyncClient, at: str, answer: str, **said: str) -> str:
    """Press a button of a page that a mail leads to; give the way to the page after it."""
    pressed = await web.post(at, data={"answer": answer, **said})
    assert pressed.status_code == 303, pressed.text
    return path(pressed.headers["location"])


async def cases_of(house: House, who: Subscriber) -> int:
    """Let the worker's step hand on what happened; count who of us is to look after a person."""
    while await follow_signals(house):
        pass
    async with house.work(reading=True) as work:
        return len(await followups.open_of(work, who.no))


async def test_from_its_first_word_to_what_it_moved(
    admin: httpx.AsyncClient, house: House, cast: Cast, relay: Relay
) -> None:
    async with house.work(door=Door.CLI) as work:
        noor = await make.person(
            work, "noor@example.org", first_name="Noor", tier=cast.follower, group=cast.northgate
        )
    await no_letters(house)
    ask = await written(admin, house, cast)
    number = await offered(admin, house)
    mailbox = Mailbox(relay, "noor@example.org")

    async with working(house, relay):
        await until_sent(house, number)

        # --- from the newsletter: looking changes nothing, and says nothing of her
        mail = await mailbox.next(subject="One thing to do")
        assert TITLE in mail.html
        assert TITLE in mail.text
        yes = path(mail.link("I’ll do it"))
        looked = (await admin.get(yes)).text
        assert "Your manager may hear of it." in looked
        assert "Noor" not in looked
        assert await answer_of(house, noor, ask) is None
        await answered(admin, yes, "yes")
        await answered(admin, yes, "yes")

        # --- she needs help: it is kept sealed, and a case is opened for somebody of us
        receipt = await mailbox.next(subject="We have your yes")
        report = path(receipt.link("Say how it went"))
        await answered(admin, report, "help", words="My chair refused.")
        assert await cases_of(house, noor) == 1
        async with house.work(reading=True) as work:
            [case] = await followups.open_of(work, noor.no)
        assert "My chair refused." in (await admin.get(f"/admin/followups/{case.uid}")).text
        # where many read, it is said that there are words, and not which
        listed = (await admin.get(f"/admin/asks/{ask.uid}?answer=blocked")).text
        assert "has written something" in listed
        assert "My chair refused." not in listed
        pledge = await answer_of(house, noor, ask)
        assert pledge
        assert b"chair" not in (pledge.note or b"")

        # --- she did it, and says how many; what she did moves her nowhere
        after = (await admin.get(await answered(admin, report, "yes", amount="5"))).text
        assert await level_of(house, noor) == "follower"

    # --- what the organisers see
    pledge = await answer_of(house, noor, ask)
    assert pledge
    assert (pledge.state, pledge.amount, pledge.campaign_no) == (PledgeState.DONE, 5, number)
    shown = (await admin.get(f"/admin/asks/{ask.uid}")).text
    assert "5 people recruited, 1 done, 1 said yes, goal 500 people recruited" in shown
    assert "1 done" in (await admin.get("/admin/asks")).text

    # --- the step that it suggests: she says yes, and takes it back
    assert "Would Supporter suit you?" in after
    step = re.search(r'href="([^"]+)"[^>]*><svg[^>]*>(?:(?!</a>).)*Look at the level', after)
    assert step
    moved = await answered(admin, path(step[1]), "yes")
    assert await level_of(house, noor) == "supporter"
    caused = (await admin.get(f"/admin/movement?ask={ask.uid}")).text
    assert re.search(r'data-l="to Supporter"><span>1</span>', caused)
    await answered(admin, moved, "yes")
    assert await level_of(house, noor) == "follower"
