"""A town with every page in it: what there is to be shown, and where it is found.

places = await built(house, cast, inbox)
place.way       the path of the route it shows, as in tests/house/routes.txt
place.path      where to go
place.who       as whom
"""

import enum
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import msgspec
from playwright.async_api import Browser, Page, StorageState
from sqlalchemy import select

from mailer.accounts.actions import open_account
from mailer.accounts.model import Role
from mailer.bootstrap import House
from mailer.campaigns.model import Campaign
from mailer.consent import actions as consent
from mailer.consent.model import Confirmation
from mailer.imports import actions as imports
from mailer.imports.model import Import
from mailer.kit.tokens import Purpose
from mailer.kit.work import Door, Work
from mailer.outbox.model import DeliveryState
from mailer.subscribers import actions as subscribers
from mailer.subscribers.model import Subscriber
from mailer.tiers import actions as tiers
from mailer.tiers.actions import Moved
from mailer.tiers.model import Source
from tests import makers as make
from tests.cast import PASSWORD, PASSWORD_HASH, Cast
from tests.support.browser import opened
from tests.support.campaigning import (
    ENGLISH,
    FRENCH,
    became,
    begun,
    draft,
    ended,
    fresh_code,
    frozen,
    scheduled,
)


class Who(enum.StrEnum):
    """As whom a page is opened."""

    ANYBODY = "anybody"
    HALF_WAY = "half way"  # the password was right
    NEW = "new"  # the same, with no second factor yet
    INSIDE = "inside"  # Amina, who may do everything


class Place(msgspec.Struct, frozen=True):
    """A page as it can be found."""

    name: str
    way: str
    path: str
    who: Who = Who.ANYBODY
    status: int = 200


async def built(house: House, cast: Cast, inbox: Path) -> list[Place]:
    """Build the town, committed, and tell where everything is."""
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        long_name = await _people(work, cast)
        file = await _file(work, cast)
        await open_account(
            work,
            address="nuria@war.example.org",
            name="Nuria",
            role=Role.OWNER,
            password_hash=PASSWORD_HASH,
        )
    campaigns = await _campaigns(house, cast)
    (inbox / "000001.eml").write_bytes(_mail())
    async with house.work(door=Door.EMAIL) as work:
        links = await _links(work, cast)
    return [
        *_signing_in(),
        *_joining(links),
        *_from_mails(links),
        *_archive(campaigns),
        *_campaign_pages(campaigns),
        *_upkeep(cast, long_name, file),
    ]


# --- what there is ------------------------------------------------------------------------------


async def _people(work: Work, cast: Cast) -> Subscriber:
    """Put many on the roll, and one whose name and address are as long as they get."""
    await make.people(work, 30, tier=cast.follower, group=cast.northgate)
    await make.people(work, 12, tier=cast.supporter, group=cast.harbour)
    await tiers.step(work, cast.gil, cast.activist, source=Source.SELF_FORM)
    return await make.person(
        work,
        "a.very.long.address.that.does.not.end.soon@department-of-transport.example.org",
        first_name="Donaudampfschifffahrtsgesellschaftskapitän",
        last_name="von und zu Hohenzollern-Sigmaringen-Donaueschingen",
        tier=cast.supporter,
    )


async def _file(work: Work, cast: Cast) -> Import:
    """Leave an import at its dry run, with a line that cannot be read."""
    return await imports.rehearse(
        work,
        file_name="members.csv",
        content=b"email,first name,level\nlu@example.org,Lu,supporter\nnot an address,X,\n",
        list_no=cast.bulletin.no,
    )


async def _campaigns(house: House, cast: Cast) -> dict[str, Campaign]:
    both = {"en": ENGLISH, "fr": FRENCH}
    campaigns = {
        "empty": await draft(house, cast, name="Nothing yet", words={}),
        "draft": await draft(house, cast, words=both),
        "frozen": await frozen(house, cast, name="Counted"),
        "scheduled": await scheduled(house, cast, name="Confirmed"),
        "sending": await begun(house, cast, name="On its way", words=both),
        "sent": await begun(house, cast, name="Done", words=both),
    }
    for name in ("sending", "sent"):
        one = campaigns[name]
        await became(house, one, DeliveryState.SENT, *range(5, 40), code=250)
        await became(house, one, DeliveryState.REFUSED, 40, reply="550 5.1.1 no such user here")
        await became(house, one, DeliveryState.IN_DOUBT, 41, reply="")
        await became(house, one, DeliveryState.SKIPPED, 42, reply="unsubscribed")
    await became(house, campaigns["sending"], DeliveryState.DEFERRED, 43, reply="450 4.2.1 later")
    await became(
        house, campaigns["sent"], DeliveryState.SENT, cast.bo.no, cast.gil.no, *range(43, 60)
    )
    await ended(house, campaigns["sent"])
    return campaigns


async def _links(work: Work, cast: Cast) -> dict[str, str]:
    """Make a link of every kind, each of somebody for whom it means something."""
    gone = await make.person(work, first_name="Gone")
    away = await make.person(work, first_name="Away", tier=cast.follower)
    moved = await make.person(work, first_name="Moved", tier=cast.follower)
    left = await consent.unsubscribe(work, gone, list_no=None)
    await subscribers.pause(work, away)
    move = await tiers.step(work, moved, cast.supporter, source=Source.SELF_LINK)
    change = await subscribers.ask_address_change(work, moved, "moved.on@example.net")
    confirmed = await subscribers.ask_address_change(work, away, "away.now@example.net")
    await subscribers.confirm_address_change(work, confirmed.no)
    waiting, done = await _confirmations(work, cast)
    assert left
    assert isinstance(move, Moved)

    def link(purpose: Purpose, who: Subscriber, subject: int = 0, days: int = 0) -> str:
        now = work.now - timedelta(days=days)
        return work.signer.token(purpose, who.no, now=now, subject=subject)

    return {
        "preferences": link(Purpose.PREFERENCES, cast.bo),
        "private": link(Purpose.PRIVATE, cast.bo),
        "step up": link(Purpose.TIER, cast.gil, cast.supporter.no),
        "step down": link(Purpose.TIER, cast.bo, cast.follower.no),
        "ask for a level": link(Purpose.TIER, cast.bo, cast.activist.no),
        "stay": link(Purpose.TIER, cast.bo, cast.supporter.no),
        "pause": link(Purpose.PAUSE, cast.bo),
        "end a pause": link(Purpose.UNDO_PAUSE, away),
        "undo a move": link(Purpose.UNDO_TIER, moved, move.change.no),
        "undo leaving": link(Purpose.UNDO_LEAVING, gone, left.no),
        "confirm an address": link(Purpose.ADDRESS, moved, change.no),
        "undo an address": link(Purpose.UNDO_ADDRESS, away, confirmed.no),
        "confirm": link(Purpose.CONFIRM, cast.dana, waiting.no),
        "run out": link(Purpose.TIER, cast.bo, cast.activist.no, days=61),
        "private, run out": link(Purpose.PRIVATE, cast.bo, days=1),
        "nobody's": work.signer.token(Purpose.TIER, 0, now=work.now, subject=cast.activist.no),
        "leave": link(Purpose.UNSUBSCRIBE, cast.bo, cast.bulletin.no),
        "has left": link(Purpose.UNSUBSCRIBE, gone, cast.bulletin.no),
        "of a list that waits": waiting.uid,
        "of a list that was confirmed": done.uid,
    }


async def _confirmations(work: Work, cast: Cast) -> tuple[Confirmation, Confirmation]:
    """Give the sign-up of Dana, which waits, and Bo's, which does not."""
    found = await work.session.scalars(
        select(Confirmation).where(Confirmation.subscriber_no.in_([cast.dana.no, cast.bo.no]))
    )
    by_person = {one.subscriber_no: one for one in found}
    return by_person[cast.dana.no], by_person[cast.bo.no]


def _mail() -> bytes:
    return (
        b"From: Workers Against Racism <news@war.example.org>\r\nTo: bo@example.org\r\n"
        b"Subject: A mail\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\n"
        b"List-Unsubscribe: <https://war.example.org/u/x>\r\n"
        b'Content-Type: multipart/alternative; boundary="b"\r\n\r\n--b\r\n'
        b"Content-Type: text/plain\r\n\r\nHello\r\n--b\r\nContent-Type: text/html\r\n\r\n"
        b"<!doctype html><html lang=en><head><title>A mail</title></head>"
        b"<body><p>Hello</p></body></html>\r\n--b--\r\n"
    )


# --- where it is found --------------------------------------------------------------------------


def _signing_in() -> list[Place]:
    return [
        Place("sign in", "/admin/sign-in", "/admin/sign-in"),
        Place("code", "/admin/code", "/admin/code", Who.HALF_WAY),
        Place("recovery", "/admin/recovery", "/admin/recovery", Who.HALF_WAY),
        Place("two-factor", "/admin/two-factor", "/admin/two-factor", Who.NEW),
        Place("two-factor, set up", "/admin/two-factor", "/admin/two-factor", Who.INSIDE),
    ]


def _joining(links: Mapping[str, str]) -> list[Place]:
    wait = links["of a list that waits"]
    done = links["of a list that was confirmed"]
    return [
        Place("join", "/join", "/join"),
        Place("check your mail", "/join/{uid:str}", f"/join/{wait}"),
        Place("on the roll", "/join/{uid:str}", f"/join/{done}"),
        Place("not there", "", "/nothing-here", status=404),
        Place("ask for a private link", "/my", "/my"),
        Place("private link is sent", "/my/sent", "/my/sent"),
        Place("inbox of the demo", "/demo/inbox", "/demo/inbox"),
        Place("mail of the demo", "/demo/inbox/{name:str}", "/demo/inbox/000001"),
    ]


def _from_mails(links: Mapping[str, str]) -> list[Place]:
    leaving = {"leave", "has left"}
    lost = {"run out", "private, run out"}
    others = {name for name in links if name not in leaving and " that w" not in name}
    return [
        *[
            Place(
                f"link, {name}",
                "/l/{token:str}",
                f"/l/{links[name]}",
                status=410 if name in lost else 200,
            )
            for name in sorted(others)
        ],
        Place("link, unknown", "/l/{token:str}", "/l/unknown", status=404),
        *[
            Place(f"link, {name}", "/u/{token:str}", f"/u/{links[name]}")
            for name in sorted(leaving)
        ],
    ]


def _archive(campaigns: Mapping[str, Campaign]) -> list[Place]:
    return [
        Place("archive", "/n", "/n"),
        Place("newsletter", "/n/{slug:str}", f"/n/{campaigns['sent'].slug}"),
    ]


def _campaign_pages(campaigns: Mapping[str, Campaign]) -> list[Place]:
    one = "/admin/campaigns/{uid:str}"
    uids = {name: f"/admin/campaigns/{campaign.uid}" for name, campaign in campaigns.items()}
    found = [
        ("campaigns", "/admin/campaigns", "/admin/campaigns"),
        ("new campaign", "/admin/campaigns/new", "/admin/campaigns/new"),
        ("write, empty", f"{one}/write", f"{uids['empty']}/write"),
        ("write", f"{one}/write", f"{uids['draft']}/write"),
        ("write in French", f"{one}/write", f"{uids['draft']}/write?language=fr"),
        ("review", f"{one}/review", f"{uids['frozen']}/review"),
        ("scheduled", one, uids["scheduled"]),
        ("sending", one, uids["sending"]),
        ("sent", one, uids["sent"]),
        ("stop for good", f"{one}/cancel", f"{uids['sending']}/cancel"),
        ("doubt", f"{one}/doubt", f"{uids['sending']}/doubt"),
        ("nobody in doubt", f"{one}/doubt", f"{uids['scheduled']}/doubt"),
        ("refused", f"{one}/people", f"{uids['sending']}/people?fate=refused"),
        ("left out", f"{one}/people", f"{uids['sending']}/people?fate=left-out"),
    ]
    return [Place(name, way, path, Who.INSIDE) for name, way, path in found]


def _upkeep(cast: Cast, long_name: Subscriber, file: Import) -> list[Place]:
    person, people = "/admin/people/{uid:str}", "/admin/people"
    found = [
        ("home", "/admin", "/admin"),
        ("people", people, people),
        ("people, nobody found", people, f"{people}?q=nobody-of-this-name"),
        ("people on a level", people, f"{people}?tier=supporter"),
        ("new person", "/admin/people/new", "/admin/people/new"),
        ("person", person, f"{people}/{cast.bo.uid}"),
        ("person with a long name", person, f"{people}/{long_name.uid}"),
        ("person who has left", person, f"{people}/{cast.chidi.uid}"),
        ("take off", f"{person}/suppression", f"{people}/{cast.bo.uid}/suppression"),
        ("requests", "/admin/requests", "/admin/requests"),
        ("levels", "/admin/levels", "/admin/levels"),
        ("lists", "/admin/lists", "/admin/lists"),
        ("new list", "/admin/lists/new", "/admin/lists/new"),
        ("list", "/admin/lists/{slug:str}", f"/admin/lists/{cast.bulletin.slug}"),
        ("groups", "/admin/groups", "/admin/groups"),
        ("group", "/admin/groups/{uid:str}", f"/admin/groups/{cast.northgate.uid}"),
        ("imports", "/admin/import", "/admin/import"),
        ("dry run", "/admin/import/{uid:str}", f"/admin/import/{file.uid}"),
        ("organisation", "/admin/organisation", "/admin/organisation"),
        ("record", "/admin/record", "/admin/record"),
    ]
    return [Place(name, way, path, Who.INSIDE) for name, way, path in found]


# --- who goes there -----------------------------------------------------------------------------


async def keys_of_the_town(
    browser: Browser, address: str, house: House, cast: Cast
) -> dict[Who, StorageState | None]:
    """Sign in as everybody, by the real pages; give the cookies of each."""
    nuria = "nuria@war.example.org"
    return {
        Who.ANYBODY: None,
        Who.NEW: await _signed_in(browser, address, nuria),
        Who.HALF_WAY: await _signed_in(browser, address, cast.esra.address),
        Who.INSIDE: await _signed_in(
            browser, address, cast.amina.address, await fresh_code(house, cast.amina)
        ),
    }


async def _signed_in(browser: Browser, address: str, who: str, code: str = "") -> StorageState:
    async with opened(browser, address) as page:
        await sign_in(page, who, code)
        return await page.context.storage_state()


async def sign_in(page: Page, who: str, code: str = "") -> None:
    """Sign in as a person does; without a code, come half way."""
    await page.goto("/admin/sign-in?next=/admin/campaigns")
    await page.get_by_label("Email address").fill(who)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Continue").click()
    await page.wait_for_url("**/admin/*")
    if code:
        await page.get_by_label("Code").fill(code)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await page.wait_for_url(lambda url: "/admin/code" not in url)
