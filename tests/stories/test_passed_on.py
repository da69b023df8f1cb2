"""A newsletter was passed on, and somebody else presses its buttons.

What they see says nothing of Bo; what they change is told in Bo's record, and each of it is taken
back on the page that follows: Bo's level and answers are in the end what they were.
"""

import re

import httpx
import pytest

from mailer.asks import actions as asks
from mailer.asks import store as pledges
from mailer.asks.model import Ask, PledgeState
from mailer.bootstrap import House
from mailer.campaigns import composing
from mailer.kit.work import Door
from mailer.outbox import store as outbox
from mailer.records import actions as records
from mailer.tiers import store as ladder
from tests.cast import Cast
from tests.support.asking import opened
from tests.support.mails import Mail
from tests.support.relay import Relay
from tests.support.sending import confirmed, draft, no_letters, until_sent, working

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

Standing = tuple[str, int | None, PledgeState | None]


class Stranger:
    """Somebody who holds a mail of Bo's."""

    def __init__(self, web: httpx.AsyncClient, house: House, cast: Cast, mail: Mail) -> None:
        self.web, self.house, self.cast, self.mail = web, house, cast, mail

    async def presses(self, words: str) -> httpx.Response:
        """Follow a link of the mail and say yes; give the page after it."""
        link = self.mail.link(words)
        return await self.web.post(link, data={"answer": "yes"}, follow_redirects=True)

    async def takes_back(self, after: httpx.Response, answer: str = "yes") -> None:
        """Press the undo of the page after a yes."""
        assert re.search(rf'name="answer" value="{answer}"', after.text), after.text
        await self.web.post(str(after.url), data={"answer": answer}, follow_redirects=True)

    async def bo_stands(self, ask: Ask) -> Standing:
        async with self.house.work(reading=True) as work:
            tier = await ladder.chosen(work, self.cast.bo.no)
            wish = await ladder.standing_request(work, self.cast.bo.no)
            pledge = await pledges.pledge_of(work, self.cast.bo.no, ask.no)
            assert tier is not None
            return (
                tier.slug,
                wish.tier_no if wish is not None else None,
                pledge.state if pledge is not None else None,
            )

    async def bo_reads(self) -> list[str]:
        """Give the words of Bo's own record."""
        async with self.house.work(reading=True) as work:
            return [one.words for one in await records.timeline(work, self.cast.bo)]


@pytest.fixture
async def ask(house: House, cast: Cast) -> Ask:
    """Ask for something that Bo has said yes to."""
    ask = await opened(house, "Bring a chair")
    async with house.work(door=Door.PAGE) as work:
        await asks.pledge(work, cast.bo, ask)
    return ask


@pytest.fixture
async def stranger(
    web: httpx.AsyncClient, house: House, cast: Cast, relay: Relay, ask: Ask
) -> Stranger:
    await no_letters(house)
    said = (
        f"[Not mine]({{{{ link.ask.{ask.no}.decline }}}}),"
        " [one further]({{ link.tier.up }}), [one back]({{ link.tier.down }})."
    )
    async with house.work(door=Door.ADMIN) as work:
        june = await draft(work)
        words = {"subject": "June", "headline": "June", "markdown": said}
        await composing.revise(work, june, words={"en": words})
        no = (await confirmed(work, june)).no
    async with working(house, relay):
        await until_sent(house, no)
    [mail] = [Mail(one) for one in relay.letters if one.to == [cast.bo.address]]
    return Stranger(web, house, cast, mail)


async def test_looking_shows_nothing_of_its_owner_and_changes_nothing(
    stranger: Stranger, cast: Cast, ask: Ask
) -> None:
    before, said = await stranger.bo_stands(ask), await stranger.bo_reads()
    for _words, link in stranger.mail.links:
        if "/l/" not in link and "/u/" not in link:
            continue
        page = await stranger.web.get(link)
        assert page.status_code == 200
        assert str(cast.bo.address) not in page.text
        assert not re.search(rf"\b{cast.bo.first_name}\b", page.text)
        assert "You said yes" not in page.text
        await stranger.web.post(link, data={})
    assert await stranger.bo_stands(ask) == before
    assert await stranger.bo_reads() == said


async def test_each_button_can_be_taken_back_and_stands_in_the_owners_record(
    stranger: Stranger, cast: Cast, ask: Ask
) -> None:
    before = await stranger.bo_stands(ask)
    assert before == ("supporter", None, PledgeState.PLEDGED)

    after = await stranger.presses("Not mine")
    assert await stranger.bo_stands(ask) == ("supporter", None, PledgeState.DECLINED)
    assert "Said “not for me” to “Bring a chair”" in await stranger.bo_reads()
    await stranger.takes_back(after)
    assert await stranger.bo_stands(ask) == before

    after = await stranger.presses("one back")
    assert (await stranger.bo_stands(ask))[0] == "follower"
    assert "Stepped down from Supporter to Follower" in await stranger.bo_reads()
    await stranger.takes_back(after)
    assert await stranger.bo_stands(ask) == before

    after = await stranger.presses("one further")
    assert await stranger.bo_stands(ask) == ("supporter", cast.activist.no, PledgeState.PLEDGED)
    async with stranger.house.work(reading=True) as work:
        kinds = [letter.kind for letter in await outbox.letters_to(work, cast.bo.no)]
    assert kinds[0] == "tier-requested", "Bo is told of a wish that may not be his"
    await stranger.takes_back(after, "withdraw")
    assert await stranger.bo_stands(ask) == before
