"""Composing: words as revisions, refusals that say where, and an audience that somebody chose."""

import pytest

from mailer.activity import store as activity
from mailer.audit import store as audit
from mailer.campaigns import composing
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign, CampaignState, Kind, OnDoubt
from mailer.content import FallbackNeeded, MalformedField, UnknownField, UnsafeLink
from mailer.kit.errors import Refusal
from mailer.kit.work import Work
from mailer.organisation import store as organisations
from tests import makers as make
from tests.cast import Cast
from tests.support.sending import BASE, WORDS, draft


async def test_a_campaign_begins_as_a_draft_that_goes_to_nobody(cast: Cast, work: Work) -> None:
    amina = make.by_account(work, cast.amina.no)

    begun = await composing.begin(amina, name="  A hall,\n a van ")

    assert (begun.name, begun.slug) == ("A hall, a van", "a-hall-a-van")
    assert begun.state is CampaignState.DRAFT
    assert (begun.list_no, begun.to_everybody, begun.tier_nos) == (None, False, [])
    assert begun.on_doubt is OnDoubt.HOLD
    assert begun.made_by == cast.amina.no
    assert (await audit.newest(work)).rows[0].act == "campaign_begun"


async def test_an_alert_is_rather_sent_twice_than_not_at_all(cast: Cast, work: Work) -> None:
    assert (await composing.begin(work, name="Now", kind=Kind.ALERT)).on_doubt is OnDoubt.RESEND


async def test_two_campaigns_of_one_name_have_pages_of_their_own(cast: Cast, work: Work) -> None:
    slugs = [(await composing.begin(work, name="Éditorial")).slug for _ in range(3)]

    assert slugs == ["editorial", "editorial-2", "editorial-3"]


async def test_a_campaign_needs_a_name(cast: Cast, work: Work) -> None:
    with pytest.raises(composing.CampaignUnnamed) as refused:
        await composing.begin(work, name=" \n ")
    assert refused.value.facts == {"field": "name"}


async def test_words_are_added_and_never_changed(cast: Cast, work: Work) -> None:
    campaign = await composing.begin(work, name="A hall")
    first = await composing.revise(work, campaign, words=WORDS)
    again = await composing.revise(work, campaign, words=WORDS)
    other = await composing.revise(work, campaign, words={"en": {**WORDS["en"], "subject": "New"}})

    assert first is again
    assert other.no != first.no
    assert campaign.revision_no == other.no
    assert [one.no for one in await campaigns.revisions(work, campaign)] == [other.no, first.no]
    assert first.document["en"]["subject"] == WORDS["en"]["subject"]
    assert first.document["fr"]["preheader"] == ""


async def test_a_draft_may_be_half_written_and_cannot_be_sent_so(cast: Cast, work: Work) -> None:
    campaign = await draft(work)
    await composing.revise(work, campaign, words={"en": {"subject": "Only this"}})
    with pytest.raises(composing.NothingWritten):
        await composing.program(work, campaign, base=BASE)

    half = {"en": {"subject": "Hello", "markdown": "Text"}}
    await composing.revise(work, campaign, words=half)
    with pytest.raises(composing.HalfWritten) as refused:
        await composing.program(work, campaign, base=BASE)
    assert refused.value.facts == {"field": "headline", "language": "en"}


@pytest.mark.parametrize(
    ("part", "text", "kind", "line"),
    [
        ("markdown", "One\n\nTwo {{ first_nam|x }}\n\nThree", UnknownField, 3),
        ("markdown", "One {{ first_name }}", FallbackNeeded, 1),
        ("markdown", "One\ntwo {{ first_name|x }", MalformedField, 2),
        ("markdown", "a\n\nb\n\n[go](javascript:alert(1))", UnsafeLink, 5),
        ("subject", "Hello {{ nobody }}", UnknownField, None),
    ],
)
async def test_a_refusal_says_the_part_the_language_and_the_line(
    cast: Cast, work: Work, part: str, text: str, kind: type[Refusal], line: int | None
) -> None:
    campaign = await composing.begin(work, name="A hall")

    with pytest.raises(kind) as refused:
        await composing.revise(work, campaign, words={"fr": {part: text}})

    assert refused.value.facts["field"] == part
    assert refused.value.facts["language"] == "fr"
    assert refused.value.facts.get("line") == line
    assert campaign.revision_no is None


async def test_a_language_we_do_not_speak_and_too_long_a_text_are_refused(
    cast: Cast, work: Work
) -> None:
    campaign = await composing.begin(work, name="A hall")
    with pytest.raises(composing.LanguageUnknown):
        await composing.revise(work, campaign, words={"tlh": {"subject": "nuqneH"}})
    with pytest.raises(composing.TooLong) as refused:
        await composing.revise(work, campaign, words={"en": {"subject": "x" * 251}})
    assert refused.value.facts["field"] == "subject"


async def test_an_audience_is_a_list_and_everybody_or_some_levels(cast: Cast, work: Work) -> None:
    campaign = await composing.begin(work, name="A hall")

    async def choose(**how: object) -> Campaign:
        chosen = {"list_no": cast.bulletin.no, "to_everybody": False, "tier_nos": [], **how}
        return await composing.choose_audience(work, campaign, **chosen)  # type: ignore[arg-type]

    await choose(tier_nos=[cast.supporter.no, cast.follower.no, cast.follower.no])
    assert campaign.tier_nos == [cast.follower.no, cast.supporter.no]
    await choose(to_everybody=True, tier_nos=[cast.follower.no], on_doubt=OnDoubt.RESEND)
    assert (campaign.to_everybody, campaign.tier_nos) == (True, [])
    assert campaign.on_doubt is OnDoubt.RESEND
    await choose(in_archive=False)
    assert not campaign.in_archive
    assert campaign.on_doubt is OnDoubt.RESEND  # what is not said stays
    with pytest.raises(composing.ListUnknown):
        await choose(list_no=99)
    with pytest.raises(composing.TierUnknown):
        await choose(tier_nos=[99])


async def test_a_newsletter_has_the_brand_and_the_ladder(cast: Cast, work: Work) -> None:
    campaign = await draft(work)
    revision = await campaigns.newest_revision(work, campaign)
    assert revision

    letter = await composing.newsletter(work, campaign, revision, base=BASE)

    assert letter.brand.name == {"en": "Workers Against Racism"}
    assert [rung.tier for rung in letter.ladder] == [
        "follower",
        "supporter",
        "activist",
        "organiser",
    ]
    assert [rung.on_request for rung in letter.ladder] == [False, False, True, True]
    # A language without a preview line shows its headline there, and not another language.
    assert letter.preheader == {"en": WORDS["en"]["preheader"], "fr": WORDS["fr"]["headline"]}


async def test_compiling_needs_somebody_who_sends(cast: Cast, work: Work) -> None:
    campaign = await draft(work)
    (await organisations.the_one(work)).postal_address = ""
    await work.session.flush()

    with pytest.raises(composing.SenderUnknown):
        await composing.program(work, campaign, base=BASE)


async def test_the_same_words_are_compiled_once(cast: Cast, work: Work) -> None:
    campaign = await draft(work)

    first = await composing.program(work, campaign, base=BASE)

    assert await composing.program(work, campaign, base=BASE) is first


async def test_only_a_draft_is_changed(cast: Cast, work: Work) -> None:
    campaign = await draft(work)
    await campaigns.step(work, campaign, CampaignState.CANCELLED)

    for change in (
        composing.revise(work, campaign, words=WORDS),
        composing.rename(work, campaign, name="Other"),
        composing.choose_audience(work, campaign, list_no=1, to_everybody=True, tier_nos=[]),
    ):
        with pytest.raises(composing.NotADraft):
            await change


async def test_a_name_may_change_and_the_address_of_its_page_stays(cast: Cast, work: Work) -> None:
    campaign = await draft(work, name="A hall")

    await composing.rename(work, campaign, name="A van")

    assert (campaign.name, campaign.slug) == ("A van", "a-hall")
    with pytest.raises(composing.CampaignUnnamed):
        await composing.rename(work, campaign, name="")
    assert await activity.kinds(work, cast.bo.no)  # nobody's timeline tells of a draft
