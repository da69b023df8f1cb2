"""Letters: words and links from posted numbers, before campaigns, and only to whom they may go."""

import asyncio
import itertools
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from mailer.accounts.model import Account
from mailer.bootstrap import House
from mailer.consent import actions as consent
from mailer.consent import store as consents
from mailer.consent.private_links import send as send_private_link
from mailer.deliveries import testing
from mailer.deliveries.model import Reason
from mailer.kit.links import NOBODY
from mailer.kit.tokens import Purpose
from mailer.kit.work import Work
from mailer.organisation import store as organisations
from mailer.outbox.actions import Post, post
from mailer.outbox.model import DeliveryState, Lane, Needs
from mailer.subscribers import actions as subscribers
from mailer.subscribers import store as roll
from mailer.subscribers.model import Subscriber
from mailer.tiers import actions as tiers
from mailer.tiers import store as ladder
from mailer.tiers.model import Source
from tests import makers as make
from tests.cast import Cast
from tests.support.mails import Mail
from tests.support.relay import DROP, TAKE, Relay
from tests.support.sending import (
    draft,
    letters,
    make_due,
    no_letters,
    ready,
    until_no_letter_waits,
    until_sent,
    working,
)

_NUMBERS = itertools.count(1)


async def found(work: Work, no: int) -> Subscriber:
    person = await roll.by_no(work, no)
    assert person
    return person


async def owe(work: Work, kind: str, **how: Any) -> None:
    await post(
        work, Post(kind=kind, dedupe_key=f"test:{next(_NUMBERS)}", **{"language": "en", **how})
    )


async def sent(house: House, relay: Relay) -> list[Mail]:
    """Send what is owed, all of it; give it as it arrived."""
    async with working(house, relay):
        owed = await until_no_letter_waits(house)
    assert {DeliveryState(one.state) for one in owed} == {DeliveryState.SENT}
    assert len(relay.letters) == len(owed)
    return [Mail(one) for one in relay.letters]


async def test_what_the_cast_was_owed_arrives(house: House, cast: Cast, relay: Relay) -> None:
    """Confirmations that were answered since are skipped; welcomes and Dana's go out."""
    async with working(house, relay):
        owed = await until_no_letter_waits(house)

    fates = {(one.kind, one.subscriber_no): (DeliveryState(one.state), one.reply) for one in owed}
    assert fates["confirm", cast.bo.no] == (DeliveryState.SKIPPED, Reason.POINTLESS)
    assert fates["welcome", cast.bo.no][0] is DeliveryState.SENT
    assert fates["confirm", cast.dana.no][0] is DeliveryState.SENT
    mails = {(mail.to, mail.subject) for mail in map(Mail, relay.letters)}
    assert ("dana@example.org", "Please confirm your address") in mails


async def test_a_confirmation_has_its_link_and_its_code(
    house: House, cast: Cast, relay: Relay
) -> None:
    async with working(house, relay):
        await until_no_letter_waits(house)

    [mail] = [mail for mail in map(Mail, relay.letters) if mail.to == "dana@example.org"]
    async with house.work(reading=True) as work:
        token = mail.link("Open the page").rpartition("/")[2]
        claim = work.signer.read(token, Purpose.CONFIRM, now=work.now)
        confirmation = await consents.confirmation_by_no(work, claim.subject)
        assert confirmation
        assert confirmation.subscriber_no == claim.subscriber == cast.dana.no
        assert mail.code == consent.code_of(work, confirmation)
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert "Dana" not in mail.text + mail.html + mail.subject


async def test_every_kind_is_written(house: House, cast: Cast, relay: Relay) -> None:
    """By the verbs that post them; what cannot be dressed would stay deferred."""
    await no_letters(house)
    async with house.work() as work:
        bo, gil = await found(work, cast.bo.no), await found(work, cast.gil.no)
        await owe(work, "already-on-the-roll", subscriber=bo.no, facts={"list": cast.bulletin.no})
        await tiers.assign(work, bo, cast.activist, reason="Runs the van")
        await tiers.step(work, gil, cast.supporter, source=Source.SELF_LINK)
        await tiers.step(work, gil, cast.activist, source=Source.SELF_LINK)
        [(request, person, _tier)] = await _requests(work)
        await tiers.answer(work, request, granted=True, reason="Welcome")
        await send_private_link(work, bo)
        await subscribers.pause(work, bo)
        change = await subscribers.ask_address_change(work, bo, "bo@new.example.org")
        # Each token dies with the deed; so the deed is done after this letter has gone.
        for kind, facts in {
            "sign-in-notice": {"at": work.now.isoformat(), "device": "Firefox on Linux"},
            "factor-reset": {"at": work.now.isoformat()},
        }.items():
            await owe(work, kind, account=cast.amina.no, facts=facts, needs=Needs.NOTHING)
        assert person.no == gil.no
    mails = await sent(house, relay)
    async with house.work() as work:
        await subscribers.confirm_address_change(work, change.no)
        await consent.unsubscribe(work, await found(work, cast.gil.no), list_no=None)
    relay.letters.clear()
    async with working(house, relay):
        await until_no_letter_waits(house)
    mails += [Mail(one) for one in relay.letters]

    kinds = {one.kind for one in await letters(house)}
    assert kinds == {
        "already-on-the-roll",
        "tier-changed",
        "tier-requested",
        "tier-request-answered",
        "private-link",
        "paused",
        "address-change-confirm",
        "address-changed",
        "unsubscribed",
        "sign-in-notice",
        "factor-reset",
    }
    assert {mail.to for mail in mails} == {
        "bo@example.org",
        "bo@new.example.org",
        "gil@example.org",
        "amina@war.example.org",
    }
    french = [mail for mail in mails if mail.to == "gil@example.org"]
    assert all("Workers Against Racism" in str(mail.message["From"]) for mail in french)


async def _requests(work: Work) -> Any:
    return await ladder.open_requests(work)


async def test_letters_go_before_campaigns(house: House, cast: Cast, relay: Relay) -> None:
    async with house.work() as work:
        await make.people(work, 40)
    await no_letters(house)
    no = await ready(house)
    async with house.work() as work:
        await owe(work, "factor-reset", account=cast.amina.no, facts={"at": work.now.isoformat()})
        await owe(
            work,
            "private-link",
            subscriber=cast.bo.no,
            lane=Lane.URGENT,
            needs=Needs.NOTHING,
        )

    async with working(house, relay, smtp_connections=1):
        await until_sent(house, no)

    subjects = [Mail(one).subject for one in relay.letters[:2]]
    assert subjects == ["Your private link", "Your second factor was reset"]


@pytest.mark.parametrize("needs", list(Needs))
async def test_suppression_stops_every_letter_to_a_subscriber(
    house: House, cast: Cast, relay: Relay, needs: Needs
) -> None:
    async with house.work() as work:
        await consent.take_off(work, await found(work, cast.bo.no))
    await no_letters(house)
    async with house.work() as work:
        await owe(work, "private-link", subscriber=cast.bo.no, needs=needs)
        await owe(
            work,
            "address-change-confirm",
            address="bo@example.org",
            facts={"change": 0},
            needs=needs,
        )

    async with working(house, relay):
        [letter, other] = await until_no_letter_waits(house)

    assert (letter.state, letter.reply) == (DeliveryState.SKIPPED, Reason.SUPPRESSED)
    assert other.state == DeliveryState.SKIPPED
    assert other.address is None
    assert not relay.letters


@pytest.mark.parametrize(("needs", "goes"), [(Needs.NOTHING, True), (Needs.ROLL, False)])
async def test_who_was_stopped_gets_only_what_they_ask_for(
    house: House, cast: Cast, relay: Relay, needs: Needs, *, goes: bool
) -> None:
    async with house.work() as work:
        await subscribers.stop_silently(work, await found(work, cast.bo.no))
    await no_letters(house)
    async with house.work() as work:
        await owe(work, "private-link", subscriber=cast.bo.no, needs=needs)

    async with working(house, relay):
        [letter] = await until_no_letter_waits(house)

    assert len(relay.letters) == int(goes)
    assert letter.reply == ("2.0.0 taken" if goes else Reason.STOPPED)


async def test_a_closed_account_gets_no_letter(house: House, cast: Cast, relay: Relay) -> None:
    await no_letters(house)
    async with house.work() as work:
        await owe(work, "factor-reset", account=cast.esra.no, facts={"at": work.now.isoformat()})
        await work.session.execute(
            update(Account).where(Account.no == cast.esra.no).values(disabled_at=work.now)
        )

    async with working(house, relay):
        [letter] = await until_no_letter_waits(house)

    assert (letter.state, letter.reply) == (DeliveryState.SKIPPED, Reason.NO_ACCOUNT)
    assert not relay.letters


async def test_a_letter_in_doubt_is_said_again_and_at_most_three_times(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    relay.always("DATA", TAKE)
    async with house.work() as work:
        await owe(work, "private-link", subscriber=cast.bo.no)

    async with working(house, relay):
        for copies in range(1, 4):
            async with asyncio.timeout(10):
                while len(relay.letters) < copies:
                    await asyncio.sleep(0.02)
            await asyncio.sleep(0.1)
            await make_due(house)
        await asyncio.sleep(0.3)

    assert len(relay.letters) == 3
    [letter] = await letters(house)
    assert letter.state == DeliveryState.IN_DOUBT


async def test_a_letter_that_cannot_be_written_is_kept_for_when_it_can(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    async with house.work() as work:
        await owe(work, "no-such-kind", subscriber=cast.bo.no)
        await owe(work, "private-link", subscriber=cast.bo.no)

    async with working(house, relay):
        odd, other = await until_no_letter_waits(house)

    assert (odd.state, odd.reply, odd.attempt) == (DeliveryState.DEFERRED, Reason.UNWRITABLE, 1)
    assert other.state == DeliveryState.SENT


async def test_letters_wait_until_the_organisation_has_a_sender(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    async with house.work() as work:
        (await organisations.the_one(work)).sender_address = ""
        await owe(work, "private-link", subscriber=cast.bo.no)

    async with working(house, relay):
        await asyncio.sleep(0.3)
        assert not relay.letters
        async with house.work() as work:
            (await organisations.the_one(work)).sender_address = "news@war.example.org"
        await until_no_letter_waits(house)

    assert len(relay.letters) == 1


async def test_a_letter_waits_out_a_server_that_is_away(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    relay.plan("CONNECT", DROP)
    async with house.work() as work:
        await owe(work, "private-link", subscriber=cast.bo.no)

    mails = await sent(house, relay)

    assert [mail.to for mail in mails] == ["bo@example.org"]


async def test_a_letter_is_not_sent_before_it_is_due(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    async with house.work() as work:
        await owe(work, "private-link", subscriber=cast.bo.no, due_at=work.now + timedelta(hours=1))

    async with working(house, relay):
        await asyncio.sleep(0.3)

    assert not relay.letters


async def test_a_test_newsletter_goes_to_the_account_alone_with_links_that_do_nothing(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    async with house.work() as work:
        campaign = await draft(work)
        assert await testing.send_test(work, campaign, cast.amina) == ["en", "fr"]
        assert await testing.send_test(work, campaign, cast.amina, language="fr") == ["fr"]

    mails = await sent(house, relay)

    assert {mail.to for mail in mails} == {"amina@war.example.org"}
    assert {mail.subject for mail in mails} == {
        "[Test] A hall, Amina?",
        "[Test] Une salle, Amina ?",
    }
    [mail] = [mail for mail in mails if "A hall" in mail.subject]
    async with house.work(reading=True) as work:
        for link, purpose in (
            (mail.one_click, Purpose.UNSUBSCRIBE),
            (mail.link("Step up to Supporter"), Purpose.TIER),
        ):
            claim = work.signer.read(link.rpartition("/")[2], purpose, now=work.now)
            assert claim.subscriber == NOBODY
