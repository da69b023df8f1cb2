"""Making fields, changing what they ask, and closing them."""

from typing import Any

import pytest

from mailer.fields import actions as fields
from mailer.fields import describing, special, store
from mailer.fields.actions import Choice
from mailer.fields.model import Field, FieldKind
from mailer.kit.errors import Forbidden
from mailer.kit.texts import TextMissing
from mailer.kit.work import Work
from tests import makers as make
from tests.cast import Cast

ONE, TWO = Choice(name={"en": "Day"}), Choice(name={"en": "Night", "fr": "Nuit"})


async def shift(work: Work, **more: Any) -> Field:
    return await fields.make(
        work, **{"name": {"en": "Shift"}, "kind": FieldKind.CHOICE, "choices": [ONE, TWO], **more}
    )


def as_is(field: Field, **changes: Any) -> dict[str, Any]:
    said = {
        "name": field.name,
        "kind": field.kind,
        "help": field.help,
        "choices": [Choice(**one) for one in field.choices],
        "is_public": field.is_public,
        "is_special": field.is_special,
        "consent_text": field.consent_text,
        "threshold": field.threshold,
    }
    return {**said, **changes}


async def test_a_field_gets_a_slug_of_its_own_and_the_last_place(work: Work) -> None:
    first, second = await shift(work), await shift(work)
    email = await fields.make(work, name={"en": "Email"}, kind=FieldKind.TEXT)

    assert [first.slug, second.slug, email.slug] == ["shift", "shift-2", "email-2"]
    assert list(await store.all_fields(work)) == [first, second, email]
    assert [one["slug"] for one in first.choices] == ["day", "night"]
    assert await store.by_slug(work, "shift-2") == second
    assert await store.by_no(work, email.no) == email


async def test_fields_change_places(work: Work) -> None:
    first, second, third = await shift(work), await shift(work), await shift(work)

    await fields.move(work, third, up=True)
    await fields.move(work, first, up=True)  # it is the first already
    await fields.move(work, second, up=False)  # and this the last

    assert list(await store.all_fields(work)) == [first, third, second]


@pytest.mark.any_database
async def test_what_makes_no_field_is_refused(work: Work) -> None:
    for said, refusal in (
        ({"name": {"en": " "}}, TextMissing),
        ({"choices": [ONE]}, describing.ChoicesNeeded),
        ({"choices": [ONE, Choice(name={})]}, describing.ChoicesNeeded),
        ({"choices": [ONE, Choice(name={"fr": " DAY "})]}, describing.ChoicesAlike),
        ({"choices": [ONE, Choice(name={"en": "a;b"})]}, describing.ChoiceHasSeparator),
        (
            {"choices": [Choice(name={"en": str(n)}) for n in range(201)]},
            describing.TooManyChoices,
        ),
        ({"threshold": 4}, describing.ThresholdOutOfRange),
        ({"is_special": True}, describing.SpecialIsTheirs),
        ({"is_special": True, "is_public": True}, describing.SpecialNeedsConsent),
        ({"is_special": True, "kind": FieldKind.TEXT}, describing.SpecialNeedsChoices),
    ):
        with pytest.raises(refusal):
            await shift(work, **said)


async def test_choices_are_renamed_added_and_closed_and_keep_their_slugs(
    cast: Cast, work: Work
) -> None:
    field = await shift(work)
    await fields.set_value(work, cast.bo, field, "night")
    late = [
        Choice(slug="night", name={"en": "Late"}),
        Choice(name={"en": "Night"}),
        Choice(name={"en": "Dawn"}),
    ]

    changed = await fields.describe(work, field, **as_is(field, choices=late))

    assert changed.choices == [
        {"slug": "night", "name": {"en": "Late"}},
        {"slug": "night-2", "name": {"en": "Night"}},
        {"slug": "dawn", "name": {"en": "Dawn"}},
        {"slug": "day", "name": {"en": "Day"}, "closed": True},
    ]
    again = [Choice(**{**one, "closed": False}) for one in changed.choices]
    changed = await fields.describe(work, changed, **as_is(changed, choices=again))
    assert not any(one.get("closed") for one in changed.choices)


async def test_a_choice_that_somebody_made_is_not_closed(cast: Cast, work: Work) -> None:
    field = await shift(work)
    await fields.set_value(work, cast.bo, field, "night")
    without = [Choice(slug="day", name={"en": "Day"}), Choice(name={"en": "Dawn"})]

    with pytest.raises(describing.ChoiceInUse):
        await fields.describe(work, field, **as_is(field, choices=without))


async def test_a_field_with_answers_keeps_its_kind(cast: Cast, work: Work) -> None:
    field = await shift(work)
    field = await fields.describe(work, field, **as_is(field, kind=FieldKind.CHOICES))
    assert field.kind is FieldKind.CHOICES

    await fields.set_value(work, cast.bo, field, "night;day")

    with pytest.raises(describing.KindStands):
        await fields.describe(work, field, **as_is(field, kind=FieldKind.CHOICE))
    protect = {"is_special": True, "is_public": True, "consent_text": {"en": "You may."}}
    with pytest.raises(describing.ProtectionStands):
        await fields.describe(work, field, **as_is(field, **protect))


async def test_a_protected_field_closes_no_choice_once_there_are_answers(
    cast: Cast, work: Work
) -> None:
    protect = {"is_special": True, "is_public": True, "consent_text": {"en": "You may."}}
    field = await shift(work, choices=[ONE, TWO, Choice(name={"en": "Dawn"})], **protect)
    await special.tell(work, cast.bo, field, "day", agreed=True)

    with pytest.raises(describing.ChoiceInUse):
        await fields.describe(
            work, field, **as_is(field, choices=[Choice(**one) for one in field.choices[:2]])
        )


async def test_a_closed_field_is_not_asked_and_can_be_opened_again(work: Work) -> None:
    field = await shift(work)

    await fields.close(work, await fields.close(work, field))
    assert list(await store.all_fields(work)) == []
    assert list(await store.every_field(work)) == [field]
    await fields.move(work, field, up=True)

    await fields.reopen(work, await fields.reopen(work, field))
    assert list(await store.all_fields(work)) == [field]


async def test_who_looks_after_some_makes_no_fields(cast: Cast, work: Work) -> None:
    field = await shift(work)
    farids = make.seen_by(work, cast.harbour)

    for refused in (
        shift(farids),
        fields.describe(farids, field, **as_is(field)),
        fields.move(farids, field, up=True),
        fields.close(farids, field),
        fields.reopen(farids, field),
    ):
        with pytest.raises(Forbidden):
            await refused
