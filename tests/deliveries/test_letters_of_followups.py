"""The letters of follow-ups as they arrive: an organiser's words, and who waits this morning."""

import pytest

from mailer.asks import pledging
from mailer.asks.model import Ask
from mailer.bootstrap import House
from mailer.consent import actions as consent
from mailer.followups import caring, settling
from mailer.followups.model import FollowUp, Outcome
from mailer.followups.rounds import digest
from mailer.kit.work import Door
from mailer.outbox.actions import Post, post
from mailer.outbox.model import DeliveryState
from tests.cast import Cast
from tests.support.asking import opened
from tests.support.following import blocked, remembered
from tests.support.mails import Mail
from tests.support.relay import Relay
from tests.support.sending import no_letters, until_no_letter_waits, working

KINDS = {"follow-up", digest.KIND}


@pytest.fixture
async def ask(house: House, cast: Cast) -> Ask:
    return await opened(house, "Pass the model motion")


@pytest.fixture
async def case(house: House, cast: Cast, ask: Ask) -> FollowUp:
    return await blocked(house, cast.bo, ask)


async def arrived(house: House, relay: Relay) -> tuple[list[Mail], set[str]]:
    """Send what is owed; give the mails that arrived, and the fates of our letters."""
    async with working(house, relay):
        owed = await until_no_letter_waits(house)
    fates = {DeliveryState(one.state).name for one in owed if one.kind in KINDS}
    return [Mail(one) for one in relay.letters], fates


async def test_an_organisers_words_arrive_under_their_name(
    house: House, cast: Cast, relay: Relay, case: FollowUp
) -> None:
    await no_letters(house)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        await caring.write(work, case, "Dear Bo, use **rule 14**.")

    [mail], fates = await arrived(house, relay)

    assert fates == {"SENT"}
    assert mail.to == "bo@example.org"
    assert mail.subject == "A word from one of us"
    assert "A word from Amina" in mail.text
    assert "use rule 14" in mail.text
    assert "This is about “Pass the model motion”." in mail.text
    assert mail.message["Reply-To"] == "office@war.example.org"


async def test_what_is_about_no_pledge_is_not_sent_to_who_has_left_since(
    house: House, cast: Cast, relay: Relay
) -> None:
    case = await remembered(house, cast.bo, cast.amina)
    await no_letters(house)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        await caring.write(work, case, "How did it go?")
        await consent.unsubscribe(work, cast.bo, list_no=None)

    mails, fates = await arrived(house, relay)

    assert fates == {"SKIPPED"}
    assert "How did it go" not in "".join(mail.text for mail in mails)


async def test_what_is_about_a_yes_is_sent_to_who_has_left_unless_they_took_it_back(
    house: House, cast: Cast, relay: Relay, ask: Ask, case: FollowUp
) -> None:
    await no_letters(house)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        await consent.unsubscribe(work, cast.bo, list_no=None)
        await caring.write(work, case, "Use rule 14.")
        await settling.settle(work, case, Outcome.REACHED)

    mails, fates = await arrived(house, relay)

    assert fates == {"SENT"}, "it was open when it was written"
    assert "Use rule 14." in "".join(mail.text for mail in mails)


async def test_it_is_asked_again_when_the_letter_is_sent(
    house: House, cast: Cast, relay: Relay, ask: Ask, case: FollowUp
) -> None:
    await no_letters(house)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        await consent.unsubscribe(work, cast.bo, list_no=None)
        await caring.write(work, case, "Use rule 14.")
    async with house.work(door=Door.PAGE) as work:
        await pledging.withdraw(work, cast.bo, ask)

    _mails, fates = await arrived(house, relay)

    assert fates == {"SKIPPED"}


async def owe_digest(house: House, cast: Cast) -> None:
    async with house.work() as work:
        await post(
            work,
            Post(kind=digest.KIND, dedupe_key="digest:1", language="en", account=cast.amina.no),
        )


async def test_the_letter_of_the_day_counts_and_names_nobody(
    house: House, cast: Cast, relay: Relay, case: FollowUp
) -> None:
    await no_letters(house)
    await owe_digest(house, cast)

    [mail], fates = await arrived(house, relay)

    assert fates == {"SENT"}
    assert mail.to == "amina@war.example.org"
    assert "1 person is to hear from you today." in mail.text
    assert "/admin/followups" in mail.text
    assert "Bo" not in mail.text.split("---")[1]


async def test_none_is_sent_when_nobody_waits_any_more(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    await owe_digest(house, cast)
    mails, fates = await arrived(house, relay)
    assert (mails, fates) == ([], {"SKIPPED"})
