"""The main job, with everything real: processes, SMTP, a browser, a member who answers.

Noor joins, confirms, gets a newsletter, moves up from it, takes that back, asks for more, is let
in, and leaves with one tap; the next newsletter goes to the others and says why not to her.
"""

import re
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Browser, expect

from mailer.bootstrap import House
from mailer.subscribers import store as subscribers
from mailer.tiers import store as tiers
from tests.cast import Cast
from tests.support.browser import opened
from tests.support.mails import Mail, Mailbox
from tests.support.organiser import Organiser
from tests.support.relay import Relay
from tests.support.rooms import Rooms
from tests.support.sending import promise_much
from tests.support.signing_in import rested

pytestmark = [
    pytest.mark.story,
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(400),
]

NOOR = "noor@example.org"


async def level_of(house: House, address: str) -> str:
    async with house.work(reading=True) as work:
        person = await subscribers.by_address(work, address)
        assert person
        tier = await tiers.chosen(work, person.no)
        assert tier
        return tier.slug


def path(link: str) -> str:
    return urlsplit(link).path


async def test_the_main_job(
    browser: Browser,
    cast: Cast,
    house: House,
    relay: Relay,
    rooms: Rooms,
) -> None:
    _web, address = rooms.web()
    rooms.worker(relay_port=relay.port)
    mailbox = Mailbox(relay, NOOR)
    seed = await rested(house, cast.amina)
    await promise_much(house)  # June and July are written on one day here

    async with opened(browser, address) as page, opened(browser, address) as desk:
        # --- joining, confirmed from the letter
        await page.goto("/join")
        await page.get_by_role("radio", name=re.compile("Follower")).check()
        await page.get_by_label("Email address").fill(NOOR)
        await page.get_by_label(re.compile("First name")).fill("Noor")
        await page.locator("label", has_text="Yes, Workers Against Racism").click()
        await page.get_by_role("button", name="Join the roll").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Check your mail.")

        letter = await mailbox.next()
        assert "Noor" not in letter.text  # what a stranger may have typed is in no letter
        await page.goto(path(letter.link("Open the page")))
        await expect(page.get_by_role("button", name=re.compile("^No"))).to_be_visible()
        await page.get_by_role("button", name="Yes, it’s me").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("on the roll")
        await mailbox.next()  # the welcome

        # --- a newsletter
        amina = Organiser(desk, seed)
        await amina.sign_in(cast.amina.address)
        await amina.write("June", "{{ first_name|Friend }}, who has a hall?")
        await amina.confirm(3)  # Bo, Gil and Noor; Chidi has left, Dana never confirmed

        mail = await mailbox.next(subject="Noor, who has a hall?")
        meets_the_standards(mail, address)

        # --- a level up: opening changes nothing, nor does a form without a button
        up = path(mail.link("Step up to Supporter"))
        await page.goto(up)
        assert "Noor" not in await page.content()
        assert NOOR not in await page.content()
        async with httpx.AsyncClient(base_url=address) as scanner:
            await scanner.head(up)
            assert (await scanner.post(up)).status_code < 500
            assert (await scanner.post(up, data={"answer": "maybe"})).status_code < 500
        assert await level_of(house, NOOR) == "follower"

        await page.get_by_role("button", name="Yes, step up").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Supporter")
        assert await level_of(house, NOOR) == "supporter"
        await mailbox.next()  # a receipt with its own undo

        await page.get_by_role("button", name=re.compile("^Undo")).click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Follower")
        assert await level_of(house, NOOR) == "follower"

        # --- a level that needs approval is asked for, and answered
        await page.goto(path(mail.link("Ask to step up to Activist")))
        await page.get_by_role("button", name="Yes, ask for it").click()
        assert await level_of(house, NOOR) == "follower"
        await desk.goto("/admin/requests")
        await expect(desk.get_by_role("heading", name="Noor wants to be Activist")).to_be_visible()
        await desk.get_by_role("button", name=re.compile("^Grant")).click()
        await expect(desk.get_by_role("status").first).to_be_visible()
        assert await level_of(house, NOOR) == "activist"

        # --- one click, as the button of a mail program sends it: no cookies, no page before
        async with httpx.AsyncClient(base_url=address) as provider:
            for _ in range(2):
                answer = await provider.post(
                    mail.one_click,
                    files={"List-Unsubscribe": (None, "One-Click")},
                )
                assert answer.status_code == 200
                assert not answer.cookies

        # --- the next one skips her and says why
        await amina.write("July", "And a van?")
        await expect(
            desk.get_by_text(re.compile("unsubscribed|left", re.IGNORECASE)).first
        ).to_be_visible()
        await amina.confirm(2)
        bo = Mailbox(relay, "bo@example.org")
        bo.read = len(bo.all()) - len([m for m in bo.all() if m.subject == "And a van?"])
        assert (await bo.next(subject="And a van?")).to == "bo@example.org"
        await expect(desk.get_by_text("Accepted", exact=True).first).to_be_visible()

    subjects = [mail.subject for mail in mailbox.all()]
    assert "And a van?" not in subjects
    assert len({mail.letter.content for mail in mailbox.all()}) == len(subjects)  # nothing twice
    assert "step_failed" not in rooms.said()


def meets_the_standards(mail: Mail, address: str) -> None:
    """Check the bytes on the wire against mail-standards 3.2 to 3.4."""
    wire = mail.letter.content
    head, _, body = wire.partition(b"\r\n\r\n")
    names = [line.split(b":")[0].decode() for line in head.split(b"\r\n") if line[:1] not in b" \t"]
    assert sorted(names) == sorted(set(names)), names
    assert {"From", "To", "Date", "Message-ID", "Subject", "MIME-Version"} <= set(names)
    assert not {"Bcc", "Cc", "Sender"} & set(names)
    assert re.search(rb"^To: noor@example\.org\r?$", head, re.MULTILINE)  # no name
    link = rb"^List-Unsubscribe: <" + re.escape(address.encode()) + rb"/u/[A-Za-z0-9_-]+>\r?$"
    assert re.search(link, head, re.MULTILINE)
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in head + b"\r\n"
    assert all(len(line) <= 998 for line in wire.split(b"\r\n"))
    assert all(len(line) <= 76 for line in body.split(b"\r\n"))
    assert b"\n" not in wire.replace(b"\r\n", b"")
    kinds = [part.get_content_type() for part in mail.message.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "text/html"]
    assert "Noor" in mail.text
    assert "Noor" in mail.html
    foreign = [to for _, to in mail.links if urlsplit(to).netloc != urlsplit(address).netloc]
    assert foreign == []
    assert not re.search(r"<(img|link|script)\b", mail.html)
