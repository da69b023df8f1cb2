"""Lists: opening them, and what is shown before somebody agrees."""

import pytest

from mailer.audit.store import newest
from mailer.consent import actions as consent
from mailer.consent import store
from mailer.kit.texts import TextMissing
from mailer.kit.work import Work
from tests import makers as make
from tests.cast import Cast


async def test_every_organisation_begins_with_one_list(work: Work) -> None:
    await consent.furnish(work)
    await consent.furnish(work)

    [bulletin] = await store.lists(work)
    assert bulletin.slug == "bulletin"
    assert bulletin.is_public
    assert bulletin.double_opt_in
    assert set(bulletin.consent_text) == {"en", "fr"}


async def test_the_consent_text_names_us_in_the_readers_language(cast: Cast, work: Work) -> None:
    assert "Workers Against Racism may email me" in cast.wording
    french = await consent.wording_of(work, cast.bulletin, "fr")
    assert french.startswith("Oui, Workers Against Racism peut m’écrire")
    assert await consent.wording_of(work, cast.bulletin, "pl") == cast.wording


async def test_a_percent_sign_in_a_consent_text_is_a_percent_sign(cast: Cast, work: Work) -> None:
    changed = await consent.describe_list(
        work,
        cast.bulletin,
        name={"en": "Bulletin"},
        about={},
        consent_text={"en": "100 % yes to %(organisation)s and %(nothing)s"},
        is_public=True,
    )
    assert changed.wording("en", "Us") == "100 % yes to Us and %(nothing)s"


async def test_lists_of_one_name_have_slugs_of_their_own(cast: Cast, work: Work) -> None:
    first = await make.mailing_list(work, "Évènements !")
    second = await make.mailing_list(work, "Evenements")
    assert (first.slug, second.slug) == ("evenements", "evenements-2")
    assert await store.list_by_slug(work, "evenements-2") == second
    assert [one.no for one in await store.all_lists(work)] == [
        cast.bulletin.no,
        first.no,
        second.no,
    ]


async def test_no_list_has_the_slug_under_which_pages_open_a_new_one(
    cast: Cast, work: Work
) -> None:
    assert (await make.mailing_list(work, "New")).slug == "new-2"
    assert (await make.mailing_list(work, "New")).slug == "new-3"


async def test_strangers_are_shown_public_lists_only(cast: Cast, work: Work) -> None:
    closed = await consent.describe_list(
        work,
        cast.bulletin,
        name={"en": "Members"},
        about={},
        consent_text={"en": "Yes."},
        is_public=False,
    )
    assert await store.lists(work, public_only=True) == []
    assert await store.lists(work) == [closed]


async def test_a_list_without_a_name_or_a_consent_text_is_refused(cast: Cast, work: Work) -> None:
    for name, text, field in (({}, {"en": "Yes."}, "name"), ({"en": "A"}, {}, "consent_text")):
        with pytest.raises(TextMissing) as refused:
            await consent.open_list(work, name=name, about={}, consent_text=text, is_public=True)
        assert refused.value.facts["field"] == field


async def test_there_is_an_end_to_lists_of_one_name(cast: Cast, work: Work) -> None:
    for _ in range(99):
        await make.mailing_list(work, "A")
    with pytest.raises(consent.TooManyAlike):
        await make.mailing_list(work, "A")


async def test_describing_a_list_as_it_is_writes_nothing_down(cast: Cast, work: Work) -> None:
    before = await newest(work)
    same = await consent.describe_list(
        work,
        cast.bulletin,
        name=cast.bulletin.name,
        about=cast.bulletin.about,
        consent_text=cast.bulletin.consent_text,
        is_public=True,
    )
    assert same.no == cast.bulletin.no
    assert await newest(work) == before

    await consent.describe_list(
        work,
        same,
        name={"en": "News"},
        about=same.about,
        consent_text=same.consent_text,
        is_public=True,
    )
    [line, *older] = (await newest(work)).rows
    assert (line.act, line.facts) == ("list_described", {"list": same.no, "fields": ["name"]})
    assert (await newest(work, before=line.no)).rows == older
