"""What a campaign asks, below its text: one ask for all, or each reader's own best one."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from mailer.asks import actions as asks
from mailer.asks.counting import store as counting
from mailer.asks.model import Ask
from mailer.asks.offers import store as offers
from mailer.bootstrap import House
from mailer.campaigns import asking, composing, linking, sending
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign
from mailer.content import Ask as AskBlock
from mailer.content import AskAnswer, BestAsk, merge
from mailer.content import markdown as markdown_of
from mailer.deliveries import finishing, freezing
from mailer.deliveries.model import Delivery
from mailer.groups.many import put_in
from mailer.kit.i18n import _, in_language, speaking
from mailer.kit.tokens import Purpose
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState
from mailer.subscribers.model import GroupRole
from tests import makers as make
from tests.cast import Cast
from tests.support.mails import Mail
from tests.support.relay import Relay
from tests.support.sending import BASE, draft, no_letters, until_sent, working


async def drafted(work: Work, *, ask: Ask | None = None, best: bool = False) -> Campaign:
    campaign = await draft(work)
    return await composing.choose_ask(work, campaign, ask_no=ask.no if ask else None, best=best)


async def frozen(work: Work, *, ask: Ask | None = None, best: bool = False) -> Campaign:
    return await freezing.review(work, await drafted(work, ask=ask, best=best), base=BASE)


# --- choosing what it asks ------------------------------------------------------------------------


async def test_only_an_open_ask_can_be_chosen_and_only_in_a_draft(work: Work, cast: Cast) -> None:
    ask, campaign = await make.ask(work), await draft(work)
    assert (campaign.ask_no, campaign.best_ask) == (None, False)
    await composing.choose_ask(work, campaign, ask_no=ask.no)
    assert (campaign.ask_no, campaign.best_ask) == (ask.no, False)
    await composing.choose_ask(work, campaign, ask_no=ask.no, best=True)
    assert (campaign.ask_no, campaign.best_ask) == (None, True)
    closed = await asks.close_ask(work, await make.ask(work, "Over"))
    for no in (closed.no, 999):
        with pytest.raises(asking.AskMissing) as refused:
            await composing.choose_ask(work, campaign, ask_no=no)
        assert refused.value.facts["field"] == "ask"
    await freezing.review(work, campaign, base=BASE)
    with pytest.raises(composing.NotADraft):
        await composing.choose_ask(work, campaign)


async def test_an_ask_that_was_closed_meanwhile_stops_the_review(work: Work, cast: Cast) -> None:
    ask = await make.ask(work)
    campaign = await drafted(work, ask=ask)
    await asks.close_ask(work, ask)
    assert (await composing.choose_ask(work, campaign, ask_no=ask.no)).ask_no == ask.no
    with pytest.raises(asking.AskMissing):
        await freezing.review(work, campaign, base=BASE)


# --- as a block -----------------------------------------------------------------------------------


async def block(work: Work, ask: Ask, *languages: str) -> AskBlock:
    [found] = await asking.blocks_of(work, [ask], languages or ("en",))
    return found


@pytest.mark.parametrize(
    ("minutes", "days", "effort"),
    [
        (None, None, "The ask"),
        (1, None, "The ask: 1 minute"),
        (10, None, "The ask: 10 minutes"),
        (None, 1, "The ask: by {day}"),
        (10, 1, "The ask: 10 minutes, by {day}"),
    ],
)
async def test_the_first_line_says_what_it_takes(
    work: Work, cast: Cast, minutes: int | None, days: int | None, effort: str
) -> None:
    deadline = None if days is None else datetime(work.now.year + 1, 6, 18, 12, tzinfo=UTC)
    ask = await make.ask(work, minutes=minutes, deadline=deadline)
    assert (await block(work, ask)).effort == {"en": effort.format(day="June 18")}


async def test_it_is_written_in_each_language_of_the_newsletter(work: Work, cast: Cast) -> None:
    ask = await make.ask(work, why={"en": "Because.", "fr": "Parce que."}, text={"en": "So."})
    found = await block(work, ask, "en", "fr", "ar")
    assert found.title.keys() == found.effort.keys() == {"en", "fr", "ar"}
    assert found.markdown["fr"] == "Parce que\\.\n\nSo\\."
    assert [answer.means for answer in found.answers] == ["pledge", "done", "decline"]
    assert all(isinstance(answer, AskAnswer) for answer in found.answers)


@pytest.mark.parametrize(
    "words",
    [
        "1. one\n2. two\n\n- three",
        "# no heading, *no emphasis*, [no link](https://x.example/)",
        "{{ first_name }} and {{ nonsense",
        "a < b & c > d \\ `e` | ~f~",
        "> no quotation\n***\n---",
    ],
)
async def test_what_was_written_of_an_ask_is_plain_words(
    work: Work, cast: Cast, words: str
) -> None:
    ask = await make.ask(work, words.replace("\n", " "), text={"en": words})
    found = await block(work, ask)
    said = markdown_of.to_html(found.markdown["en"])
    lines = [line for line in words.split("\n") if line]
    plain = re.sub(r"</?p>|<br ?/?>", "", said)
    for named, sign in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"), ("&quot;", '"')):
        plain = plain.replace(named, sign)
    assert [line for line in plain.split("\n") if line] == lines
    assert "<a" not in said
    assert "<h" not in said
    campaign = await drafted(work, ask=ask)
    assert await composing.program(work, campaign, base=BASE)  # proven with awkward readers


@pytest.mark.parametrize(
    "title", ["{{{x}}}", "{{{{", "a }}} b {{ first_name }}", "{\u2066{ first_name }\u2066}", "{}"]
)
async def test_braces_in_a_title_are_only_braces(work: Work, cast: Cast, title: str) -> None:
    ask = await make.ask(work, title)
    assert merge.named_in((await block(work, ask)).title["en"]) == []
    campaign = await drafted(work, ask=ask)
    assert (await composing.program(work, campaign, base=BASE)).programs.keys() == {"en", "fr"}


# --- links that are written by hand ---------------------------------------------------------------


def saying(link: str) -> dict[str, dict[str, str]]:
    words = {"subject": "S", "headline": "H", "preheader": "", "markdown": f"One.\n\n[Go]({link})"}
    return {"en": words}


async def test_only_an_alert_links_to_its_having_been_read(work: Work, cast: Cast) -> None:
    campaign = await draft(work)
    with pytest.raises(linking.ReadIsForAlerts) as refused:
        await composing.revise(work, campaign, words=saying("{{ link.read }}"))
    assert refused.value.facts == {"field": "markdown", "language": "en", "line": 3}
    assert "{{ link.read }}" in refused.value.said()
    alert = await composing.begin_alert(work, name="Now", why="It is now.")
    assert await composing.revise(work, alert, words=saying("{{ link.read }}"))


async def test_links_lead_to_asks_that_were_opened(work: Work, cast: Cast) -> None:
    campaign = await draft(work)
    sketch = await asks.draft(work, title={"en": "Not yet"})
    for number in (sketch.no, 999, 10**17):
        with pytest.raises(linking.AnswersNothing) as refused:
            await composing.revise(
                work, campaign, words=saying(f"{{{{ link.ask.{number}.pledge }}}}")
            )
        assert refused.value.facts["line"] == 3
    ask = await make.ask(work)
    await composing.revise(work, campaign, words=saying(f"{{{{ link.ask.{ask.no}.pledge }}}}"))
    await asks.close_ask(work, ask)
    with pytest.raises(linking.AnswersWhatIsClosed) as closed:
        await freezing.review(work, campaign, base=BASE)
    assert closed.value.facts["number"] == str(ask.no)


async def test_a_newsletter_has_it_below_the_text(work: Work, cast: Cast) -> None:
    ask = await make.ask(work)
    for campaign in (await drafted(work, ask=ask), await drafted(work, best=True)):
        revision = await campaigns.newest_revision(work, campaign)
        assert revision is not None
        newsletter = await composing.newsletter(work, campaign, revision, base=BASE)
        assert len(newsletter.blocks) == 2
        assert isinstance(newsletter.blocks[1], BestAsk)
        assert newsletter.first_best_ask == ask.no


# --- frozen, and sent -----------------------------------------------------------------------------


async def test_one_ask_is_left_out_for_whom_it_is_not(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    async with house.work() as work:
        ask = await make.ask(work, "Just a word", minimum_tier_no=cast.supporter.no)
        third = await make.person(work, "third@example.org", tier=cast.supporter)
        await asks.decline(work, third, ask)
        campaign = await frozen(work, ask=ask)  # Gil, a follower, is below its level
        offered = await offers.offers_by(work, campaign.no)
        await sending.schedule(work, campaign, typed=str(campaign.recipients), undo_seconds=0)
    async with working(house, relay):
        await until_sent(house, campaign.no)

    asked = {mail.to: "Just a word" in mail.text for mail in map(Mail, relay.letters)}
    assert offered == {ask.no: 1}
    assert asked == {
        "bo@example.org": True,
        "gil@example.org": False,
        "third@example.org": False,
    }


async def test_one_ask_that_is_for_some_is_offered_to_them_alone(work: Work, cast: Cast) -> None:
    rep = await make.person(work, "rep@example.org", tier=cast.follower)
    await put_in(work, [rep.no], cast.harbour, GroupRole.REP)
    ask = await make.ask(work, audience=["rep"])
    campaign = await frozen(work, ask=ask)
    assert await offers.offers_by(work, campaign.no) == {ask.no: 1}
    assert await offers.offered(work, campaign.no, [rep.no]) == {rep.no: ask.no}


async def test_one_ask_is_offered_to_all_who_get_the_campaign(work: Work, cast: Cast) -> None:
    ask = await make.ask(work, minutes=600)  # an organiser chose it: it need not fit
    campaign = await frozen(work, ask=ask)
    offered = await offers.offered(work, campaign.no, [cast.bo.no, cast.gil.no])
    assert offered == {cast.bo.no: ask.no, cast.gil.no: ask.no}
    assert (await counting.counts(work, [ask.no]))[ask.no].offered == 2


async def test_what_was_stopped_before_it_began_offered_nothing(work: Work, cast: Cast) -> None:
    ask = await make.ask(work)
    campaign = await frozen(work, ask=ask)
    await sending.schedule(work, campaign, typed=str(campaign.recipients), undo_seconds=60)
    await sending.cancel(work, campaign)
    assert await offers.offered(work, campaign.no, [cast.bo.no, cast.gil.no]) == {}
    assert (await counting.counts(work, [ask.no]))[ask.no].offered == 0


async def test_of_what_was_stopped_half_way_those_were_asked_whom_it_reached(
    house: House, cast: Cast
) -> None:
    async with house.work() as work:
        ask = await make.ask(work)
        campaign = await frozen(work, ask=ask)
        await sending.schedule(work, campaign, typed=str(campaign.recipients), undo_seconds=0)
    async with house.work() as work:
        [begun] = await sending.start_due(work)
        await work.session.execute(
            update(Delivery)
            .where(Delivery.campaign_no == begun.no, Delivery.subscriber_no == cast.bo.no)
            .values(state=DeliveryState.SENT, at=work.now)
        )
        await sending.cancel(work, begun)
    await finishing.sweep_cancelled(house.work)
    async with house.work(reading=True) as work:
        both = [cast.bo.no, cast.gil.no]
        assert await offers.offered(work, campaign.no, both) == {cast.bo.no: ask.no}
        assert (await counting.counts(work, [ask.no]))[ask.no].offered == 1


async def test_what_is_saved_during_a_freezing_is_refused(house: House, cast: Cast) -> None:
    async with house.work() as work:
        first, other = await make.ask(work), await make.ask(work, "Something else")
        campaign = await drafted(work, ask=first)

    async def save() -> None:
        async with house.work() as work:
            found = await campaigns.by_no(work, campaign.no)
            assert found is not None
            await composing.choose_ask(work, found, ask_no=other.no)

    async with house.work() as work:
        found = await campaigns.by_no(work, campaign.no)
        assert found is not None
        await freezing.review(work, found, base=BASE)
        saving = asyncio.create_task(save())
        await asyncio.sleep(0.3)  # it has read the draft, and waits

    with pytest.raises(composing.NotADraft):
        await saving
    async with house.work(reading=True) as work:
        stands = await campaigns.by_no(work, campaign.no)
        assert stands is not None
        assert stands.ask_no == first.no


async def test_back_in_draft_nothing_was_offered_and_what_is_open_then_counts(
    work: Work, cast: Cast
) -> None:
    ask = await make.ask(work)
    campaign = await frozen(work, best=True)
    assert (await counting.counts(work, [ask.no]))[ask.no].offered == 2
    await freezing.unfreeze(work, campaign)
    assert (await counting.counts(work, [ask.no]))[ask.no].offered == 0
    await asks.close_ask(work, ask)
    await freezing.review(work, campaign, base=BASE)
    assert campaign.asked == []
    program = await composing.program(work, campaign, base=BASE)
    assert program.fields_of_best_asks == {}


async def test_what_is_frozen_reads_as_it_was_reviewed(work: Work, cast: Cast) -> None:
    ask = await make.ask(work, "As reviewed")
    campaign = await frozen(work, ask=ask)
    await asks.revise(work, ask, version=1, title={"en": "Something else"})
    await asks.close_ask(work, ask)
    found = await asking.block_of(work, campaign, ("en",))
    assert found is not None
    [block_] = found.asks
    assert in_language(block_.title) == "As reviewed"


async def test_each_reader_gets_the_ask_that_was_chosen_for_them(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    async with house.work() as work:
        long = await make.ask(
            work, "Ten minutes", minutes=10, deadline=work.now + timedelta(days=3)
        )
        short = await make.ask(work, "Just a word")
        third = await make.person(work, "third@example.org", tier=cast.follower)
        await asks.decline(work, third, short)
        campaign = await frozen(work, best=True)
        await sending.schedule(work, campaign, typed=str(campaign.recipients), undo_seconds=0)
    async with working(house, relay):
        await until_sent(house, campaign.no)

    mails = {mail.to: mail for mail in map(Mail, relay.letters)}
    bo, gil, none = (mails[f"{name}@example.org"] for name in ("bo", "gil", "third"))
    for mail, theirs, other in ((bo, "Ten minutes", "Just a word"), (gil, "Just a word", "Ten")):
        assert theirs in mail.text
        assert theirs in mail.html
        assert other not in mail.text
    assert "I’ll do it" not in none.text
    with speaking("fr"):
        in_french = _("I’ll do it")
    async with house.work(reading=True) as work:
        claims = [
            work.signer.read(mail.link(words).rpartition("/")[2], Purpose.ASK, now=work.now)
            for mail, words in ((bo, "I’ll do it"), (gil, in_french))
        ]
    assert [(one.subscriber, one.subject, one.cause) for one in claims] == [
        (cast.bo.no, long.no, campaign.no),
        (cast.gil.no, short.no, campaign.no),
    ]
