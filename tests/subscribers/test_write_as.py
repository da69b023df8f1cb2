"""Mail in large letters, or as text alone."""

import re

import pytest

from mailer.activity import store as activity
from mailer.bootstrap import House
from mailer.kit.work import Work
from mailer.records import merging
from mailer.subscribers import actions as subscribers
from mailer.subscribers import reading, record
from mailer.subscribers import store as people
from mailer.subscribers.model import MailForm, Subscriber
from tests import makers as make
from tests.cast import Cast
from tests.support.mails import Mail, Mailbox
from tests.support.relay import Relay
from tests.support.sending import no_letters, ready, until_sent, working


async def as_it_is(work: Work, person: Subscriber) -> Subscriber:
    found = await people.by_no(work, person.no)
    assert found is not None
    return found


async def test_it_is_told_once_and_changed_as_often_as_somebody_likes(
    cast: Cast, work: Work
) -> None:
    assert cast.bo.mail_form is MailForm.USUAL
    assert await reading.write_as(work, cast.bo, "large")
    assert not await reading.write_as(work, cast.bo, "large")
    assert (await as_it_is(work, cast.bo)).mail_form is MailForm.LARGE
    assert (await activity.kinds(work, cast.bo.no)).count("mail_form") == 1
    assert (await record.entries(work, cast.bo.no))[0].words == "Emails are written in large text"

    assert await reading.write_as(work, cast.bo, "usual")
    assert (await as_it_is(work, cast.bo)).mail_form is MailForm.USUAL


async def test_an_unknown_form_is_refused(cast: Cast, work: Work) -> None:
    with pytest.raises(reading.MailFormUnknown) as refused:
        await reading.write_as(work, cast.bo, "huge")
    assert refused.value.facts == {"field": "mail_form"}


async def test_of_two_who_are_one_the_wish_of_either_stands(cast: Cast, work: Work) -> None:
    await reading.write_as(work, cast.gil, "plain")
    made = await merging.merge(work, cast.bo, cast.gil)
    assert (await as_it_is(work, cast.bo)).mail_form is MailForm.PLAIN

    await merging.undo(work, made.no)
    assert (await as_it_is(work, cast.bo)).mail_form is MailForm.USUAL
    assert (await as_it_is(work, cast.gil)).mail_form is MailForm.PLAIN


async def test_whoever_wants_text_alone_is_sent_a_newsletter_of_one_part(
    house: House, cast: Cast, relay: Relay
) -> None:
    plain, usual = await sent(house, cast, relay, MailForm.PLAIN)

    assert not plain.message.is_multipart()
    assert plain.message.get_content_type() == "text/plain"
    assert plain.message.get_content_charset() == "utf-8"
    assert plain.html == ""
    assert without_links(plain.text) == without_links(usual.text)
    assert plain.one_click != usual.one_click
    assert plain.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert usual.message.get_content_type() == "multipart/alternative"
    assert b"\r\n." not in plain.letter.content
    assert plain.letter.content.endswith(b"\r\n")


async def test_whoever_wants_large_text_is_sent_the_same_with_larger_words(
    house: House, cast: Cast, relay: Relay
) -> None:
    large, usual = await sent(house, cast, relay, MailForm.LARGE)

    assert "font-size:17px" in usual.html
    assert "font-size:17px" not in large.html
    assert "font-size:24px" in large.html
    assert [words for words, _to in large.links] == [words for words, _to in usual.links]
    assert large.text.count("\n") == usual.text.count("\n")


async def test_letters_are_written_in_their_form_too(
    house: House, cast: Cast, relay: Relay
) -> None:
    async with house.work() as work:
        ada = await make.person(work, "ada@example.org")
    await no_letters(house)
    async with house.work() as work:
        await reading.write_as(work, cast.bo, "plain")
        await reading.write_as(work, cast.gil, "large")
        for person in (cast.bo, cast.gil, ada):
            await subscribers.pause(work, person)

    async with working(house, relay):
        plain, large, usual = [
            await Mailbox(relay, str(one.address)).next() for one in (cast.bo, cast.gil, ada)
        ]

    assert (plain.message.get_content_type(), plain.html) == ("text/plain", "")
    assert without_links(plain.text) == without_links(usual.text)
    assert (sizes(usual.html), sizes(large.html)) == ({15, 17, 36}, {24, 36})


async def sent(house: House, cast: Cast, relay: Relay, form: MailForm) -> tuple[Mail, Mail]:
    """Send a newsletter to Bo in this form, and to somebody like them in the usual one."""
    async with house.work() as work:
        ada = await make.person(work, "ada@example.org", tier=cast.supporter)
        await reading.write_as(work, cast.bo, form)
    await no_letters(house)
    no = await ready(house)
    async with working(house, relay):
        await until_sent(house, no)
    [theirs] = Mailbox(relay, str(cast.bo.address)).all()
    [usual] = Mailbox(relay, str(ada.address)).all()
    return theirs, usual


def without_links(text: str) -> list[str]:
    named = text.replace("Dear Bo,", "Dear friend,")
    return [line for line in named.splitlines() if "http" not in line]


def sizes(html: str) -> set[int]:
    return {int(size) for size in re.findall(r'style="[^"]*font-size:(\d+)px', html)}
