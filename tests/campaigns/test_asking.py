"""What a campaign asks, below its text: one ask for all, or each reader's own best one."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from mailer.asks import actions as asks
from mailer.asks.counting import store as counting
from mailer.asks.model import Ask
from mailer.asks.offers import store as offers
from mailer.bootstrap import House
from mailer.campaigns import asking, composing, sending
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign
from mailer.content import Ask as AskBlock
from mailer.content import AskAnswer, BestAsk
from mailer.content import markdown as markdown_of
from mailer.deliveries import freezing
from mailer.kit.i18n import _, in_language, speaking
from mailer.kit.tokens import Purpose
from mailer.kit.work import Work
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


async def test_a_newsletter_has_it_below_the_text(work: Work, cast: Cast) -> None:
    ask = await make.ask(work)
    for campaign, kind in (
        (await drafted(work, ask=ask), AskBlock),
        (await drafted(work, best=True), BestAsk),
    ):
        revision = await campaigns.newest_revision(work, campaign)
        assert revision is not None
        newsletter = await composing.newsletter(work, campaign, revision, base=BASE)
        assert len(newsletter.blocks) == 2
        assert isinstance(newsletter.blocks[1], kind)
        assert newsletter.first_best_ask == (ask.no if kind is BestAsk else 0)


# --- frozen, and sent -----------------------------------------------------------------------------


async def test_one_ask_is_offered_to_all_who_get_the_campaign(work: Work, cast: Cast) -> None:
    ask = await make.ask(work, minutes=600)  # an organiser chose it: it need not fit
    campaign = await frozen(work, ask=ask)
    offered = await offers.offered(work, campaign.no, [cast.bo.no, cast.gil.no])
    assert offered == {cast.bo.no: ask.no, cast.gil.no: ask.no}
    assert (await counting.counts(work, [ask.no]))[ask.no].offered == 2


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
    assert isinstance(found, AskBlock)
    assert in_language(found.title) == "As reviewed"


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
