"""A town with every page in it: what there is to be shown, and where it is found.

places = await built(house, cast, inbox)
place.way       the path of the route it shows, as in tests/house/routes.txt
place.path      where to go
place.who       as whom
"""

import enum
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import msgspec
from playwright.async_api import Browser, Page, StorageState
from sqlalchemy import select

from mailer.accounts.actions import open_account
from mailer.accounts.model import Role
from mailer.asks import composing as asking
from mailer.asks import demands, library, pledging, reporting
from mailer.asks.model import Evidence, Turn
from mailer.bootstrap import House
from mailer.bulk import actions as bulk
from mailer.bulk.model import Deed
from mailer.campaigns import composing, correcting
from mailer.campaigns.model import Campaign
from mailer.consent import actions as consent
from mailer.consent.model import Confirmation
from mailer.deliveries import freezing
from mailer.deliveries.model import FIRST_RUN, Delivery
from mailer.fields import actions as fields
from mailer.fields.model import FieldKind
from mailer.followups.caring import note, take
from mailer.followups.model import Outcome
from mailer.followups.opening import remember
from mailer.followups.settling import settle
from mailer.forms import actions as forms
from mailer.forms import questions
from mailer.forms.model import SignUpForm
from mailer.imports import actions as imports
from mailer.imports import receiving
from mailer.imports import store as import_store
from mailer.imports.model import Basis, Import
from mailer.kit.links import Links
from mailer.kit.tokens import Purpose
from mailer.kit.work import Door, Work
from mailer.outbox.model import DeliveryState
from mailer.phones import actions as phones
from mailer.records import also_me, merging
from mailer.relays import actions as relays
from mailer.relays import ruling
from mailer.relays import store as relay_store
from mailer.relays.model import DomainPace, Relay
from mailer.segments import saving
from mailer.signing import actions as signing
from mailer.signing.dkim import Algorithm
from mailer.signing.model import SigningKey, Stage
from mailer.subscribers import actions as subscribers
from mailer.subscribers.model import Subscriber
from mailer.tags import actions as tagging
from mailer.tiers import actions as tiers
from mailer.tiers import store as ladder
from mailer.tiers.actions import Moved
from mailer.tiers.model import SignKind, Source, StillWithUs
from tests import makers as make
from tests.cast import PASSWORD, PASSWORD_HASH, Cast
from tests.support.answers import answers
from tests.support.browser import opened
from tests.support.campaigning import (
    BASE,
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
        servers = await _servers(work)
        known = await _known(work, cast)
        to_do = await _to_do(work, cast)
        waits = await _who_waits(work, cast)
        asked = await _asked(work, cast)
        form = await _form(work, cast)
        await open_account(
            work,
            address="nuria@war.example.org",
            name="Nuria",
            role=Role.OWNER,
            password_hash=PASSWORD_HASH,
        )
    await bulk.drive(house, asked["done"].removeprefix("/admin/bulk/"))
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        asked["busy"] = await _busy(work, cast)
    files = await _files(house, cast)
    keys = await _signing_keys(house)
    campaigns = await _campaigns(house, cast)
    (inbox / "000001.eml").write_bytes(_mail())
    async with house.work(door=Door.EMAIL) as work:
        links = await _links(work, cast)
    return [
        *_signing_in(),
        *_joining(links),
        *_from_mails(links),
        *_archive(campaigns),
        *_demands(to_do),
        *_campaign_pages(campaigns),
        *_upkeep(cast, long_name, file, servers),
        *_signature(keys),
        *_imports_and_exports(files),
        *_asking(asked),
        *_what_is_known(known),
        *_things_to_do(to_do),
        *_following_up(waits),
        *_forms(form, cast),
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


async def _form(work: Work, cast: Cast) -> SignUpForm:
    """Make a form that asks everything, of a list that says more than a list has to."""
    await consent.greet(
        work,
        cast.bulletin,
        welcome_subject={"en": "Good that you are here"},
        welcome={"en": "Hello.\n\n- Read the **plan**\n- [Come along](https://war.example.org/)"},
        landing={"en": "Bring a friend."},
    )
    asked = [question.name for question in await questions.possible(work)]
    return await forms.make(
        work,
        forms.Wanted(
            title={"en": "Stand with the drivers", "fr": "Avec les chauffeurs"},
            intro={"en": "Their contract ends in March.\n\nWe write when it matters."},
            list_no=cast.bulletin.no,
            asks_for=asked,
            needed=["first_name"],
            may_be_embedded=True,
            sites=["https://union.example"],
        ),
    )


async def _files(house: House, cast: Cast) -> dict[str, str]:
    """Give files that have come so far: the uid of each by its state."""
    many = "".join(f"newcomer{no}@example.org,New,Driver; Night\n" for no in range(3))
    content = f"email,first name,tags,A heading that goes on and on\n{many}".encode()
    uids = {}
    for state in ("received", "reading", "applying", "applied", "undone"):
        async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
            file = await receiving.receive(work, file_name=f"{state}.csv", list_no=cast.bulletin.no)
            await receiving.keep_part(work, file, 0, content.replace(b"new", state.encode()))
            await receiving.received(work, file)
            uids[state] = file.uid
            if state != "received":
                await receiving.understand(work, file, columns=file.columns, source="Round table")
        if state in {"received", "reading"}:
            continue
        await imports.drive(house, file.uid)
        async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
            again = await import_store.by_uid(work, file.uid)
            assert again
            await imports.choose_basis(
                work, again, basis=Basis.AGREED, evidence="Paper forms at the spring round table."
            )
        if state != "applying":
            await imports.drive(house, file.uid)
        if state == "undone":
            async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
                again = await import_store.by_uid(work, file.uid)
                assert again
                await imports.undo(work, again)
            await imports.drive(house, file.uid)
    return uids


async def _file(work: Work, cast: Cast) -> Import:
    """Leave an import at its dry run, with a line that cannot be read."""
    return await imports.rehearse(
        work,
        file_name="members.csv",
        content=b"email,first name,level\nlu@example.org,Lu,supporter\nnot an address,X,\n",
        list_no=cast.bulletin.no,
    )


QUESTION = (
    '{"all":[{"is":"tier","how":"at_least","tier":"1"},'
    '{"any":[{"is":"group","group":"any"},{"not":"joined","how":"last","days":30}]},'
    '{"none":[{"is":"state","state":"paused"},{"is":"tag","tag":"999"}]}]}'
)
"""A question with a bit of everything in it, and a tag that is gone."""


async def _asked(work: Work, cast: Cast) -> dict[str, str]:
    """Keep a question, and do things to those who answer; tell where each is."""
    driver = await tagging.make(work, name="Driver with a licence for buses")
    everybody = {"everybody": True}
    segment = await saving.save(
        work,
        name="Members of Northgate who are more than followers",
        tree={
            "all": [
                {"is": "group", "group": str(cast.northgate.no)},
                {"any": [{"not": "tier", "how": "is", "tier": str(cast.follower.no)}]},
            ]
        },
    )
    used = await composing.begin(work, name="To them alone")
    await composing.choose_audience(
        work,
        used,
        list_no=cast.bulletin.no,
        to_everybody=False,
        tier_nos=[],
        segment_no=segment.no,
    )
    moving = {"tier": cast.supporter.no, "reason": "They came to the spring round table."}
    few = await bulk.propose(work, Deed.TIER, moving, uids=[cast.bo.uid, cast.gil.uid])
    done = await bulk.propose(work, Deed.TAG, {"tag": driver.no}, uids=[cast.bo.uid, cast.gil.uid])
    await bulk.confirm(work, done)
    await make.people(work, 100)
    many = await bulk.propose(work, Deed.TAKE_OFF, {}, tree=everybody)
    return {
        "segment": f"/admin/segments/{segment.uid}",
        "person": cast.bo.uid,
        "few": f"/admin/bulk/{few.uid}",
        "many": f"/admin/bulk/{many.uid}",
        "done": f"/admin/bulk/{done.uid}",
    }


async def _busy(work: Work, cast: Cast) -> str:
    """Decide something that no worker here does."""
    act = await bulk.propose(work, Deed.PAUSE, {"days": 14}, uids=[cast.dana.uid])
    await bulk.confirm(work, act)
    return f"/admin/bulk/{act.uid}"


async def _signing_keys(house: House) -> dict[Stage, SigningKey]:
    """Leave a key at each stage."""
    made = {stage: await signing.generate(Algorithm.RSA) for stage in Stage}
    async with house.work(door=Door.CLI) as work:
        keys = {stage: await signing.new_key(work, key) for stage, key in made.items()}
        for stage in (Stage.RETIRED, Stage.SIGNING):  # which takes the place of the other
            await signing.switch_on(work, keys[stage], is_published=True)
    return keys


async def _servers(work: Work) -> Sequence[Relay]:
    """Set up a second relay that warms up and has limits, quiet hours, and two slow domains."""
    second = await relays.add(
        work,
        name="A provider with a name that is long",
        host="smtp-outgoing-bulk.eu-central-2.provider.example.net",
        port=587,
        security="starttls",
        user="us",
        password="pass word",
    )
    await relays.set_limits(
        work, second, weight=0, connections=4, per_second=10, per_hour=5000, per_day=20_000
    )
    await relays.warm_up(work, second, first=200, growth=50)
    await ruling.set_hours(
        work, quiet_from="21:00", quiet_until="08:00", time_zone="America/Argentina/Buenos_Aires"
    )
    slow = await ruling.set_pace(work, domain="big.example", per_minute=600)
    slow.slow_down(work.now, observed=900, code=421, reply="4.7.28 unusual rate, see our pages")
    await ruling.set_pace(work, domain="department-of-transport.example.org", per_minute=60)
    return await relay_store.all_relays(work)


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
    async with house.work() as work:
        soon = work.now + timedelta(minutes=5)
        slow = DomainPace(domain="example.org")
        slow.slow_down(work.now, observed=120.0, code=421, reply="4.7.28 unusual rate of mail")
        work.session.add(slow)
    await became(
        house,
        campaigns["sending"],
        DeliveryState.DEFERRED,
        43,
        reply="450 4.2.1 later",
        due_at=soon,
    )
    await became(house, campaigns["sending"], DeliveryState.FAILED, 44, reply="4.2.2 mailbox full")
    await became(
        house, campaigns["sent"], DeliveryState.SENT, cast.bo.no, cast.gil.no, *range(43, 60)
    )
    await ended(house, campaigns["sent"])
    return campaigns | await _corrections(house, campaigns)


async def _corrections(house: House, campaigns: Mapping[str, Campaign]) -> dict[str, Campaign]:
    """Correct what is on its way, and leave it as a draft and reviewed."""
    corrections = {}
    for name in ("correction", "correction, counted"):
        async with house.work(door=Door.ADMIN) as work:
            first = await work.session.get_one(Campaign, campaigns["sending"].no)
            corrections[name] = await correcting.correct(work, first)
    async with house.work(door=Door.ADMIN) as work:
        counted = corrections["correction, counted"]
        work.session.add(counted)
        await freezing.review(work, counted, base=BASE)
    return corrections


async def _links(work: Work, cast: Cast) -> dict[str, str]:
    """Make a link of every kind, each of somebody for whom it means something."""
    gone = await make.person(work, first_name="Gone")
    away = await make.person(work, first_name="Away", tier=cast.follower)
    moved = await make.person(work, first_name="Moved", tier=cast.follower)
    reached = await ladder.by_no(work, cast.supporter.no)
    assert reached
    reached.list_nos = [cast.bulletin.no]
    left = await consent.unsubscribe(work, gone, list_no=None)
    await subscribers.pause(work, away)
    move = await tiers.step(work, moved, cast.supporter, source=Source.SELF_LINK)
    change = await subscribers.ask_address_change(work, moved, "moved.on@example.net")
    confirmed = await subscribers.ask_address_change(work, away, "away.now@example.net")
    await subscribers.confirm_address_change(work, confirmed.no)
    waiting, done = await _confirmations(work, cast)
    quiet = await make.person(work, first_name="Quiet", tier=cast.follower)
    no = await tiers.dismiss(work, quiet, await _suggested(work, quiet))
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
        "keep a level": link(Purpose.STAY, cast.bo, await _question(work, cast)),
        "a step that is suggested": link(Purpose.SUGGESTION, away, await _suggested(work, away)),
        "take back a no to a step": link(Purpose.UNDO_DISMISSING, quiet, no.no),
        "pause": link(Purpose.PAUSE, cast.bo),
        "end a pause": link(Purpose.UNDO_PAUSE, away),
        "undo a move": link(Purpose.UNDO_TIER, moved, move.change.no),
        "undo leaving": link(Purpose.UNDO_LEAVING, gone, left.no),
        "confirm an address": link(Purpose.ADDRESS, moved, change.no),
        "undo an address": link(Purpose.UNDO_ADDRESS, away, confirmed.no),
        "confirm": link(Purpose.CONFIRM, cast.dana, waiting.no),
        "joined just now": link(Purpose.CONFIRM, cast.bo, done.no),
        "run out": link(Purpose.TIER, cast.bo, cast.activist.no, days=61),
        "private, run out": link(Purpose.PRIVATE, cast.bo, days=1),
        "nobody's": work.signer.token(Purpose.TIER, 0, now=work.now, subject=cast.activist.no),
        "leave": link(Purpose.UNSUBSCRIBE, cast.bo, cast.bulletin.no),
        "has left": link(Purpose.UNSUBSCRIBE, gone, cast.bulletin.no),
        **{
            name: link(purpose, cast.bo, subject)
            for name, (purpose, subject) in (await answers(work, cast)).items()
        },
        "of a list that waits": waiting.uid,
        "of a list that was confirmed": done.uid,
    }


async def _question(work: Work, cast: Cast) -> int:
    """Ask Bo whether they are still with us."""
    question = StillWithUs(
        subscriber_no=cast.bo.no,
        tier_no=cast.supporter.no,
        asked_at=work.now,
        next_at=work.now + timedelta(days=14),
    )
    work.session.add(question)
    await work.session.flush()
    return question.no


async def _suggested(work: Work, who: Subscriber) -> int:
    """Suggest a step up to somebody who has done something."""
    await tiers.note_sign(work, who.no, SignKind.DONE, work.now)
    found = await ladder.suggested(work, who.no)
    assert found
    return found[0].no


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


async def _known(work: Work, cast: Cast) -> dict[str, str]:
    """Let all that can be known be known of Bo, and let Bo be on the roll twice."""
    driver = await tagging.make(work, name="Drives at night and on Sundays when the others rest")
    old = await tagging.close(work, await tagging.make(work, name="Strike of 2024"))
    await tagging.tag_many(work, [cast.bo.no, cast.gil.no], driver)
    choices = [fields.Choice(name={"en": name}) for name in ("Rail", "Care", "Docks")]
    for name, kind in (
        ("Shirt", FieldKind.TEXT),
        ("Years in the union", FieldKind.NUMBER),
        ("Contract ends", FieldKind.DATE),
        ("Member of a committee", FieldKind.YES_NO),
    ):
        await fields.make(work, name={"en": name}, kind=kind, is_public=True)
    shift = await fields.make(
        work, name={"en": "Sector"}, kind=FieldKind.CHOICE, choices=choices, is_public=True
    )
    several = await fields.make(
        work, name={"en": "Can help with"}, kind=FieldKind.CHOICES, choices=choices, is_public=True
    )
    room = await fields.make(
        work,
        name={"en": "Do you need a prayer room?"},
        kind=FieldKind.YES_NO,
        is_public=True,
        is_special=True,
        consent_text={"en": "You may keep this to plan meetings, and I can take it back."},
    )
    await fields.close(work, await fields.make(work, name={"en": "Fax"}, kind=FieldKind.TEXT))
    await fields.set_value(work, cast.bo, shift, "rail")
    await fields.set_value(work, cast.bo, several, "rail;care")
    await phones.note(
        work,
        cast.bo,
        "+33 6 12 34 56 78",
        wording="On the sheet of the May meeting: you may call me.",
        language="en",
        best_time="After the late shift",
    )
    await subscribers.change_details(
        work, cast.bo, city="Lyon", postcode="69001", country="FR", time_zone="Europe/Paris"
    )
    twin = await make.person(work, "bo+news@example.org", first_name="Bo")
    one = await make.person(work, "noor@example.org", first_name="Noor")
    other = await make.person(work, "noor@work.example", first_name="Noor")
    made = await merging.merge(work, one, other)
    wish = await also_me.ask(work, cast.bo, "gil@example.org")
    links = Links("", work.signer, work.now)
    return {
        "tag": driver.uid,
        "closed tag": old.uid,
        "field": shift.slug,
        "protected field": room.slug,
        "twin": twin.uid,
        "bo": cast.bo.uid,
        "also me": links.to(Purpose.ALSO_ME, cast.bo.no, subject=wish.no),
        "undo a merge": links.to(Purpose.UNDO_MERGING, one.no, subject=made.no),
    }


async def _to_do(work: Work, cast: Cast) -> dict[str, str]:
    """Ask for things to be done, one with all that can be said, and let people answer it."""
    demand = await demands.raise_demand(
        work,
        title={"en": "The right to work for people seeking asylum", "fr": "Le droit au travail"},
        text={"en": "After six months, in every job."},
    )
    await demands.open_demand(work, demand)
    whole = await asking.draft(
        work,
        title={"en": "Recruit five people into your branch or the department next door"},
        why={"en": "Together we are heard."},
        text={"en": "Make a list.\nTalk to one a day.\nBring them to the next meeting."},
        demand_no=demand.no,
        minutes=90,
        audience=["member", "rep", "federation"],
        minimum_tier_no=cast.follower.no,
        suggested_tier_no=cast.activist.no,
        turn=Turn.REPEAT,
        repeat_days=30,
        unit={"en": "people recruited"},
        target=500,
        risk={"en": "Your manager may hear of it."},
        rights={"en": "You may talk in your breaks.\nYou need not say who else takes part."},
        support_contact="Rosa, 0151 496 0000",
        evidence=Evidence.VERIFIED,
        needs_support=True,
        capacity=300,
    )
    await asking.open_ask(work, whole)
    plain = await asking.draft(work, title={"en": "Write to your representative"})
    await asking.open_ask(work, plain)
    over = await asking.draft(work, title={"en": "Come to the spring round table"})
    await asking.close_ask(work, await asking.open_ask(work, over))
    draft = await library.take_from_library(work, library.LIBRARY[0].key)
    idea = await demands.raise_demand(work, title={"en": "A living wage"}, text={})
    for person in await make.people(work, 9, tier=cast.supporter):
        await pledging.pledge(work, person, whole)
    await reporting.report_done(
        work, cast.bo, whole, amount=12, note="All of the night shift.", link="https://a.example/x"
    )
    await reporting.need_help(work, cast.gil, whole, words="My chair refused.")
    return {
        "ask": whole.uid,
        "draft": draft.uid,
        "closed": over.uid,
        "demand": demand.uid,
        "idea": idea.uid,
        "bo": cast.bo.uid,
        "gil": cast.gil.uid,
    }


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
        Place("my data", "/my/{token:str}/data", f"/my/{links['private']}/data"),
        Place("erase my data", "/my/{token:str}/erasure", f"/my/{links['private']}/erasure"),
        Place("my data is erased", "/my/erased", "/my/erased"),
        Place("inbox of the demo", "/demo/inbox", "/demo/inbox"),
        Place("mail of the demo", "/demo/inbox/{name:str}", "/demo/inbox/000001"),
    ]


def _forms(form: SignUpForm, cast: Cast) -> list[Place]:
    inside = {
        "sign-up forms": ("/admin/forms", "/admin/forms"),
        "new form": ("/admin/forms/new", "/admin/forms/new"),
        "form": ("/admin/forms/{slug:str}", f"/admin/forms/{form.slug}"),
        "welcome of a list": (
            "/admin/lists/{slug:str}/welcome",
            f"/admin/lists/{cast.bulletin.slug}/welcome",
        ),
    }
    return [
        Place("sign-up form", "/f/{slug:str}", f"/f/{form.slug}"),
        Place("sign-up form, in a frame", "/f/{slug:str}/frame", f"/f/{form.slug}/frame"),
        *[Place(name, way, path, Who.INSIDE) for name, (way, path) in inside.items()],
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
        *[
            Place(f"thanks for: {name}", "/l/{token:str}/noted", f"/l/{links[name]}/noted")
            for name in ("ask, plain", "how it went, pledged", "I have read this")
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


def _demands(to_do: Mapping[str, str]) -> list[Place]:
    return [
        Place("what we demand", "/demands", "/demands"),
        Place("a demand", "/demands/{uid:str}", f"/demands/{to_do['demand']}"),
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
        ("correct?", f"{one}/correction", f"{uids['sending']}/correction"),
        ("write a correction", f"{one}/write", f"{uids['correction']}/write"),
        ("review of a correction", f"{one}/review", f"{uids['correction, counted']}/review"),
        ("doubt", f"{one}/doubt", f"{uids['sending']}/doubt"),
        ("nobody in doubt", f"{one}/doubt", f"{uids['scheduled']}/doubt"),
        ("refused", f"{one}/people", f"{uids['sending']}/people?fate=refused"),
        ("given up", f"{one}/people", f"{uids['sending']}/people?fate=given-up"),
        ("trying again", f"{one}/people", f"{uids['sending']}/people?fate=again"),
        ("left out", f"{one}/people", f"{uids['sending']}/people?fate=left-out"),
    ]
    return [Place(name, way, path, Who.INSIDE) for name, way, path in found]


def _what_is_known(known: Mapping[str, str]) -> list[Place]:
    tag, field, pair = "/admin/tags", "/admin/fields", "/admin/duplicates"
    inside = [
        ("tags", tag, tag),
        ("tag", f"{tag}/{{uid:str}}", f"{tag}/{known['tag']}"),
        ("closed tag", f"{tag}/{{uid:str}}", f"{tag}/{known['closed tag']}"),
        ("fields", field, field),
        ("new field", f"{field}/new", f"{field}/new"),
        ("field", f"{field}/{{slug:str}}", f"{field}/{known['field']}"),
        ("closed field", f"{field}/{{slug:str}}", f"{field}/fax"),
        ("protected field", f"{field}/{{slug:str}}", f"{field}/{known['protected field']}"),
        ("duplicates", pair, pair),
        (
            "two of one",
            f"{pair}/{{uid:str}}/{{other:str}}",
            f"{pair}/{known['bo']}/{known['twin']}",
        ),
        (
            "who else they are",
            "/admin/people/{uid:str}/merging",
            f"/admin/people/{known['bo']}/merging",
        ),
    ]
    return [
        *(Place(name, way, path, Who.INSIDE) for name, way, path in inside),
        Place("is this also you", "/l/{token:str}", known["also me"]),
        Place("undo a merge", "/l/{token:str}", known["undo a merge"]),
    ]


def _upkeep(
    cast: Cast, long_name: Subscriber, file: Import, servers: Sequence[Relay]
) -> list[Place]:
    person, people = "/admin/people/{uid:str}", "/admin/people"
    level = "/admin/levels/{slug:str}"
    send = "/admin/relays"
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
        ("erase", f"{person}/erasure", f"{people}/{cast.bo.uid}/erasure"),
        ("requests", "/admin/requests", "/admin/requests"),
        ("levels", "/admin/levels", "/admin/levels"),
        ("new level", "/admin/levels/new", "/admin/levels/new"),
        ("take a level out", f"{level}/closing", "/admin/levels/supporter/closing"),
        ("take an empty level out", f"{level}/closing", "/admin/levels/organiser/closing"),
        ("who moved", "/admin/movement", "/admin/movement"),
        ("who goes quiet", "/admin/quiet", "/admin/quiet"),
        ("who goes quiet, by group", "/admin/quiet", "/admin/quiet?by=group&days=30&shared=yes"),
        ("who moved, to be shared", "/admin/movement", "/admin/movement?span=12&shared=yes"),
        ("hold somebody back", f"{person}/hold", f"{people}/{cast.bo.uid}/hold"),
        ("lists", "/admin/lists", "/admin/lists"),
        ("new list", "/admin/lists/new", "/admin/lists/new"),
        ("list", "/admin/lists/{slug:str}", f"/admin/lists/{cast.bulletin.slug}"),
        ("groups", "/admin/groups", "/admin/groups"),
        ("group", "/admin/groups/{uid:str}", f"/admin/groups/{cast.northgate.uid}"),
        ("imports", "/admin/import", "/admin/import"),
        ("dry run", "/admin/import/{uid:str}", f"/admin/import/{file.uid}"),
        ("organisation", "/admin/organisation", "/admin/organisation"),
        ("how we send", send, send),
        ("new mail server", f"{send}/new", f"{send}/new"),
        ("mail server of the settings", f"{send}/{{uid:str}}", f"{send}/{servers[0].uid}"),
        ("mail server", f"{send}/{{uid:str}}", f"{send}/{servers[1].uid}"),
        ("record", "/admin/record", "/admin/record"),
    ]
    return [Place(name, way, path, Who.INSIDE) for name, way, path in found]


def _imports_and_exports(files: Mapping[str, str]) -> list[Place]:
    one, export = "/admin/import/{uid:str}", "/admin/export"
    found = [
        ("columns of a file", f"{one}/columns", f"/admin/import/{files['received']}/columns"),
        ("reading a file", one, f"/admin/import/{files['reading']}"),
        ("importing", one, f"/admin/import/{files['applying']}"),
        ("imported", one, f"/admin/import/{files['applied']}"),
        ("undo an import", f"{one}/undo", f"/admin/import/{files['applied']}/undo"),
        ("undone", one, f"/admin/import/{files['undone']}"),
        ("export", export, export),
        ("export everybody", export, f"{export}?whom=everybody"),
    ]
    return [Place(name, way, path, Who.INSIDE) for name, way, path in found]


def _signature(keys: Mapping[Stage, SigningKey]) -> list[Place]:
    here = "/admin/signing"
    asks = f"{here}/{{selector:str}}/retirement"
    found = [
        ("signature", here, here),
        *[
            (f"retire a key that is {stage}", asks, f"{here}/{keys[stage].selector}/retirement")
            for stage in (Stage.MADE, Stage.SIGNING)
        ],
    ]
    return [Place(name, way, path, Who.INSIDE) for name, way, path in found]


async def _who_waits(work: Work, cast: Cast) -> dict[str, str]:
    """Let people wait for a call, one of them for an alert that nobody else has read."""
    alert = await composing.begin_alert(work, name="The depot closes", why="The vote is tomorrow.")
    alert.started_at = work.now - timedelta(days=2)
    work.session.add_all(
        [
            Delivery(
                campaign_no=alert.no,
                run=FIRST_RUN,
                subscriber_no=one.no,
                state=DeliveryState.SENT,
                at=alert.started_at,
            )
            for one in (cast.bo, cast.gil, cast.chidi)
        ]
    )
    await work.session.flush()
    case = await remember(work, cast.bo, words="Ask how the meeting at the depot went.")
    await note(work, case, "They work nights.\nA message in the afternoon is best.")
    await settle(work, case, Outcome.NO_ANSWER, words="Rang for long.")
    over = await remember(work, cast.gil, words="Welcome them.")
    await settle(work, over, Outcome.REACHED, words="They come to the next meeting.")
    held = await take(work, await remember(work, cast.dana, words="They did not confirm."))
    for one in await make.people(work, 4, tier=cast.follower, group=cast.northgate):
        await remember(work, one, words="Say hello.")
    return {
        "alert": alert.uid,
        "case": case.uid,
        "over": over.uid,
        "held": held.uid,
        "person": cast.bo.uid,
    }


def _following_up(at: Mapping[str, str]) -> list[Place]:
    here, campaign = "/admin/followups", "/admin/campaigns"
    found = [
        ("follow-ups", here, here),
        ("follow-ups of everybody", here, f"{here}?show=all"),
        ("follow-ups that need help", here, f"{here}?show=all&why=blocked"),
        ("follow-ups after a call", here, f"{here}?done={at['over']}"),
        ("call sheet", f"{here}/sheet", f"{here}/sheet?show=all"),
        *[(f"follow-up, {name}", f"{here}/{{uid:str}}", f"{here}/{at[name]}") for name in _CASES],
        (
            "follow up with somebody",
            "/admin/people/{uid:str}/followups",
            f"/admin/people/{at['person']}/followups",
        ),
        (
            "who has not read an alert",
            f"{campaign}/{{uid:str}}/unread",
            f"{campaign}/{at['alert']}/unread",
        ),
    ]
    return [Place(name, way, path, Who.INSIDE) for name, way, path in found]


_CASES = ("case", "over", "held")


def _things_to_do(at: Mapping[str, str]) -> list[Place]:
    asks, demand, person = "/admin/asks", "/admin/demands", "/admin/people"
    one = f"{asks}/{{uid:str}}"
    found = [
        ("asks", asks, asks),
        ("asks that are drafts", asks, f"{asks}?show=drafts"),
        ("new ask", f"{asks}/new", f"{asks}/new"),
        ("library of asks", f"{asks}/library", f"{asks}/library"),
        ("ask", one, f"{asks}/{at['ask']}"),
        ("ask, who did it", one, f"{asks}/{at['ask']}?answer=done"),
        ("ask, shared", one, f"{asks}/{at['ask']}?shared=yes"),
        ("ask that is a draft", one, f"{asks}/{at['draft']}"),
        ("ask that is closed", one, f"{asks}/{at['closed']}"),
        ("ask, by group", f"{one}/groups", f"{asks}/{at['ask']}/groups"),
        ("change an ask", f"{one}/edit", f"{asks}/{at['ask']}/edit"),
        (
            "throw the draft of an ask away",
            f"{one}/throwing-away",
            f"{asks}/{at['draft']}/throwing-away",
        ),
        ("demands", demand, demand),
        ("demand", f"{demand}/{{uid:str}}", f"{demand}/{at['demand']}"),
        ("demand, by group", f"{demand}/{{uid:str}}/groups", f"{demand}/{at['demand']}/groups"),
        ("demand, shared", f"{demand}/{{uid:str}}", f"{demand}/{at['demand']}?shared=yes"),
        ("demands, shared", demand, f"{demand}?shared=yes"),
        ("asks, shared", asks, f"{asks}?shared=yes"),
        (
            "throw the draft of a demand away",
            f"{demand}/{{uid:str}}/throwing-away",
            f"{demand}/{at['idea']}/throwing-away",
        ),
        *[
            (
                f"answer of {name}",
                f"{person}/{{uid:str}}/asks/{{ask:str}}",
                f"{person}/{at[name]}/asks/{at['ask']}",
            )
            for name in ("bo", "gil")
        ],
    ]
    return [Place(name, way, path, Who.INSIDE) for name, way, path in found]


def _asking(at: Mapping[str, str]) -> list[Place]:
    people, bulk_, segments = "/admin/people", "/admin/bulk", "/admin/segments"
    asked = f"?{urlencode({'tree': QUESTION})}"
    segment, one = at["segment"], f"{segments}/{{uid:str}}"
    chosen = f"who=ticked&person={at['person']}"
    uid = segment.rpartition("/")[2]
    found = [
        ("people who answer a question", people, people + asked),
        ("changing a segment", people, f"{people}{asked}&segment={uid}"),
        ("segments", segments, segments),
        ("save a segment", f"{segments}/new", f"{segments}/new{asked}"),
        ("segment", one, segment),
        ("why somebody is in a segment", one, f"{segment}?person={at['person']}"),
        ("whom somebody asks about", one, f"{segment}?q=o"),
        ("close a segment", f"{one}/closing", f"{segment}/closing"),
        *[
            (f"{family} for some", f"{bulk_}/new", f"{bulk_}/new?deed={family}&{chosen}")
            for family in ("tag", "tier", "group", "list", "pause", "take_off")
        ],
        ("done to many", bulk_, bulk_),
        ("change a few?", f"{bulk_}/{{uid:str}}", at["few"]),
        ("change many?", f"{bulk_}/{{uid:str}}", at["many"]),
        ("being done to many", f"{bulk_}/{{uid:str}}", at["busy"]),
        ("was done to many", f"{bulk_}/{{uid:str}}", at["done"]),
        ("find", "/admin/find", "/admin/find?q=no"),
        ("find nothing", "/admin/find", "/admin/find?q=xyzzy"),
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
