"""The reminder of a sign-up, and the welcome to a list, as they arrive."""

import pytest

from mailer.bootstrap import House
from mailer.consent import actions as consent
from mailer.consent.reminding import remind_due
from mailer.content import UnsafeLink
from mailer.deliveries.model import Reason
from mailer.deliveries.welcoming import preview_welcome, write_welcome
from mailer.kit.tokens import Purpose
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState, Letter
from mailer.subscribers.actions import add
from mailer.tiers.actions import place_many
from mailer.tiers.model import Source
from tests import makers as make
from tests.cast import Cast
from tests.support.mails import Mail
from tests.support.relay import Relay
from tests.support.sending import (
    no_letters,
    until_no_letter_waits,
    working,
)


async def settled(house: House, relay: Relay) -> dict[str, Letter]:
    """Send what is owed, and give the letters by their kind."""
    async with working(house, relay):
        return {one.kind: one for one in await until_no_letter_waits(house)}


async def test_a_reminder_has_a_link_and_the_code_of_the_first_letter(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    async with house.work() as work:
        before = make.later(work, hours=-30)
        new = await add(before, address="new@example.org")
        asked = await consent.ask(
            before, new, cast.bulletin, wording="Yes.", language="en", came=consent.Came()
        )
        await remind_due(work)

    await settled(house, relay)

    [mail] = [mail for mail in map(Mail, relay.letters) if mail.subject.startswith("Was it you")]
    async with house.work() as work:
        claim = work.signer.read(
            mail.link("Open the page").rpartition("/")[2], Purpose.CONFIRM, now=work.now
        )
        assert (claim.subscriber, claim.subject) == (new.no, asked.no)
        await consent.confirm_by_code(work, asked.uid, mail.code)


@pytest.mark.parametrize("answer", ["yes", "no"])
async def test_a_reminder_to_who_has_answered_meanwhile_is_not_sent(
    house: House, cast: Cast, relay: Relay, answer: str
) -> None:
    await no_letters(house)
    async with house.work() as work:
        before = make.later(work, hours=-30)
        new = await add(before, address="new@example.org")
        asked = await consent.ask(
            before, new, cast.bulletin, wording="Yes.", language="en", came=consent.Came()
        )
        await place_many(work, [(new.no, cast.follower.no)], source=Source.SELF_FORM)
        await remind_due(work)
        await (consent.confirm if answer == "yes" else consent.decline)(work, asked.no)

    owed = await settled(house, relay)

    for kind in ("reminder", "confirm"):
        assert owed[kind].state == DeliveryState.SKIPPED
        assert owed[kind].reply == Reason.POINTLESS
    assert ("welcome" in owed) == (answer == "yes")


async def test_a_list_welcomes_in_its_own_words_and_each_in_their_language(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    async with house.work() as work:
        await write_welcome(
            work,
            cast.bulletin,
            welcome_subject={"en": "Good that you are here", "fr": "Bienvenue parmi nous"},
            welcome={"en": "Read **this**.", "fr": "Lisez **ceci**."},
            landing={},
        )
        for language in ("en", "fr"):
            await make.person(
                work, f"{language}@example.org", language=language, tier=cast.follower
            )

    await settled(house, relay)

    mails = {mail.to: mail for mail in map(Mail, relay.letters)}
    assert mails["en@example.org"].subject == "Good that you are here"
    assert "<strong>this</strong>" in mails["en@example.org"].html
    assert "Read this." in mails["en@example.org"].text
    assert "Follower" in mails["en@example.org"].text
    assert mails["fr@example.org"].subject == "Bienvenue parmi nous"


async def test_a_welcome_that_could_not_be_written_is_refused_when_it_is_saved(
    cast: Cast, work: Work
) -> None:
    with pytest.raises(UnsafeLink) as refused:
        await write_welcome(
            work,
            cast.bulletin,
            welcome_subject={},
            welcome={"en": "Fine.", "fr": "[x](javascript:alert)"},
            landing={},
        )
    assert (refused.value.facts["field"], refused.value.facts["language"]) == ("welcome", "fr")


async def test_a_preview_is_the_letter_with_a_link_to_nowhere(cast: Cast, work: Work) -> None:
    letter = await preview_welcome(
        work, cast.bulletin, subject={}, words={"en": "Hello."}, language="en"
    )
    assert letter.subject == "Welcome"
    assert "Hello." in letter.html
    assert "https://preview.invalid/my" in letter.html
