"""The words of a list over time, and who agreed to which."""

from datetime import timedelta

import pytest

from mailer.audit.store import newest
from mailer.consent import actions as consent
from mailer.consent import store
from mailer.consent.model import MailingList
from mailer.kit.texts import TextTooLong
from mailer.kit.work import Work
from mailer.outbox import store as outbox
from mailer.subscribers.actions import add
from tests import makers as make
from tests.cast import Cast


async def reword(work: Work, mailing_list: MailingList, words: str) -> MailingList:
    return await consent.describe_list(
        work,
        mailing_list,
        name=mailing_list.name,
        about=mailing_list.about,
        consent_text={"en": words},
        is_public=True,
        double_opt_in=mailing_list.double_opt_in,
    )


async def test_new_words_are_a_new_version_and_the_old_ones_are_kept(
    cast: Cast, work: Work
) -> None:
    first = dict(cast.bulletin.consent_text)
    later = make.by_account(make.later(work, days=1), cast.amina.no)

    changed = await reword(later, cast.bulletin, "Yes to something else.")
    await reword(later, cast.bulletin, "Yes to something else.")

    texts = await store.consent_texts(work, cast.bulletin.no)
    assert [(one.version, one.words) for one in texts] == [
        (2, {"en": "Yes to something else."}),
        (1, first),
    ]
    assert (texts[0].made_by, texts[0].made_at) == (cast.amina.no, later.now)
    assert changed.consent_version == 2


async def test_each_yes_names_the_words_that_were_read(cast: Cast, work: Work) -> None:
    new = await add(work, address="new@example.org")
    asked = await consent.ask(work, new, cast.bulletin, wording="Old.", language="en")
    changed = await reword(work, cast.bulletin, "Yes to something else.")

    await consent.confirm(work, asked.no)
    await make.person(work)

    [record] = await store.records_of(work, new.no)
    assert (record.version, record.wording) == (1, "Old.")
    # Bo and Gil of the cast, Chidi who has left since, and the new one; then one more.
    assert await store.agreed_by_version(work, changed.no) == {1: 4, 2: 1}
    seen = make.seen_by(work, cast.harbour)
    assert await store.agreed_by_version(seen, changed.no) == {1: 1}


async def test_what_comes_by_a_file_names_no_version_but_the_file(cast: Cast, work: Work) -> None:
    new = await add(work, address="new@example.org")
    said_at = work.now - timedelta(days=400)

    await consent.agree_many(
        work, [new.no], cast.bulletin, wording="On paper.", language="en", import_no=7, at=said_at
    )

    [record] = await store.records_of(work, new.no)
    assert (record.version, record.import_no, record.at) == (None, 7, said_at)
    standing = await store.subscription(work, new.no, cast.bulletin.no)
    assert standing is not None
    assert standing.confirmed_at == said_at


async def test_coming_back_is_to_the_words_of_before(cast: Cast, work: Work) -> None:
    left = await consent.unsubscribe(work, cast.bo, list_no=None)
    assert left is not None
    await reword(work, cast.bulletin, "Yes to something else.")

    await consent.undo_unsubscribe(work, cast.bo, left.no)

    *_, back = await store.records_of(work, cast.bo.no)
    assert (back.given, back.version, back.wording) == (True, 1, cast.wording)


async def test_a_list_that_asks_for_no_letter_welcomes_who_adds_it_on_their_page(
    cast: Cast, work: Work
) -> None:
    alerts = await make.mailing_list(work, double_opt_in=False)

    for _ in range(2):
        await consent.agree(work, cast.bo, alerts, wording="Yes.", language="en")

    [letter] = [
        one
        for one in await outbox.letters_to(work, cast.bo.no)
        if one.kind == "welcome" and one.facts["list"] == alerts.no
    ]
    assert letter.language == "en"
    assert (await store.records_of(work, cast.bo.no))[-1].version == 1


async def test_what_is_said_to_who_joins_is_kept_in_each_language(cast: Cast, work: Work) -> None:
    greeted = await consent.greet(
        work,
        cast.bulletin,
        welcome_subject={"en": "Hello\nthere", "fr": ""},
        welcome={"en": "One.\r\n\r\n- Two"},
        landing={"fr": "Merci."},
    )

    assert greeted.welcome_subject == {"en": "Hello\nthere"}
    assert greeted.welcome == {"en": "One.\n\n- Two"}
    assert greeted.landing == {"fr": "Merci."}
    [line, *_] = (await newest(work)).rows
    assert line.facts["fields"] == ["welcome_subject", "welcome", "landing"]
    with pytest.raises(TextTooLong):
        await consent.greet(
            work, cast.bulletin, welcome_subject={}, welcome={"en": "x" * 6001}, landing={}
        )


async def test_a_closed_list_is_offered_no_more_and_can_be_opened_again(
    cast: Cast, work: Work
) -> None:
    for _ in range(2):
        await consent.close_list(work, cast.bulletin)
    assert await store.lists(work) == []
    for _ in range(2):
        await consent.reopen_list(work, cast.bulletin)
    assert [one.no for one in await store.lists(work)] == [cast.bulletin.no]
    acts = [line.act for line in (await newest(work)).rows]
    assert (acts.count("list_closed"), acts.count("list_reopened")) == (1, 1)
