"""Saying who we are."""

from typing import Any

import pytest

from mailer.audit import store as audit
from mailer.kit.addresses import AddressIncomplete
from mailer.kit.errors import Refusal
from mailer.kit.texts import TextMissing, TextTooLong
from mailer.kit.work import Work
from mailer.organisation import store
from mailer.organisation.actions import ColourUnreadable, LanguageUnknown, describe, furnish

US: dict[str, Any] = {
    "name": "Workers Against Racism",
    "postal_address": "Transport House\nNorthgate",
    "sender_name": "War on racism",
    "sender_address": "news@example.org",
    "reply_to": "",
    "colour": "#FFC233",
    "language": "fr",
    "headline": {"en": "Join us", "fr": " "},
    "lede": {},
}


async def test_a_new_organisation_can_send_nothing_until_it_is_described(work: Work) -> None:
    await furnish(work)
    assert not (await store.the_one(work)).may_send

    described = await describe(work, **US)

    assert described.may_send
    assert described.colour == "#ffc233"
    assert described.headline == {"en": "Join us"}
    assert await store.the_one(work) == described


async def test_furnishing_twice_keeps_what_was_described(work: Work) -> None:
    await furnish(work, "First")
    await describe(work, **US)

    assert (await furnish(work, "Second")).name == US["name"]


async def test_without_a_sender_name_the_mail_is_from_the_organisation(work: Work) -> None:
    await furnish(work)
    assert (await describe(work, **US | {"sender_name": " "})).sender_name == US["name"]


@pytest.mark.parametrize(
    ("field", "typed", "refusal"),
    [
        ("name", " \u202e ", TextMissing),
        ("name", "x" * 121, TextTooLong),
        ("postal_address", "\r\n", TextMissing),
        ("sender_address", "news", AddressIncomplete),
        ("reply_to", "@", AddressIncomplete),
        ("colour", "yellow", ColourUnreadable),
        ("language", "xx", LanguageUnknown),
    ],
)
async def test_what_no_mail_could_carry_is_refused_by_its_field(
    work: Work, field: str, typed: str, refusal: type[Refusal]
) -> None:
    await furnish(work)
    with pytest.raises(refusal) as refused:
        await describe(work, **US | {field: typed})
    assert refused.value.facts["field"] == field
    assert not (await store.the_one(work)).may_send


async def test_line_ends_and_invisible_marks_do_not_reach_a_header(work: Work) -> None:
    await furnish(work)
    described = await describe(work, **US | {"sender_name": "War\r\nBcc: x@y.z \u202eevil\u2028"})
    assert described.sender_name == "War Bcc: x@y.z evil"


async def test_a_change_is_on_record_and_saying_the_same_again_is_none(work: Work) -> None:
    await furnish(work)
    await describe(work, **US)
    await describe(work, **US)
    await describe(work, **US | {"sender_address": "office@example.org"})

    newest, first = (await audit.newest(work)).rows
    assert newest.act == first.act == "organisation_described"
    assert newest.facts == {"fields": ["sender_address"]}
