"""What is specially protected: told by its person, encrypted, counted from a threshold on."""

from typing import Any

import pytest

from mailer.activity import store as activity
from mailer.consent import store as consents
from mailer.fields import actions as fields
from mailer.fields import record, special, store
from mailer.fields.model import Field, FieldKind
from mailer.kit.work import Work
from mailer.subscribers.actions import SubscriberUnknown
from tests import makers as make
from tests.cast import Cast


async def belief(work: Work, **more: Any) -> Field:
    said = {
        "name": {"en": "Do you need a prayer room?"},
        "kind": FieldKind.YES_NO,
        "is_special": True,
        "is_public": True,
        "consent_text": {"en": "You may keep this to plan meetings."},
    }
    return await fields.make(work, **{**said, **more})


async def test_it_is_kept_encrypted_with_a_consent_of_its_own(cast: Cast, work: Work) -> None:
    field = await belief(work)

    assert await special.tell(work, cast.bo, field, "yes", agreed=True)
    assert not await special.tell(work, cast.bo, field, "yes", agreed=False)

    assert await special.told(work, cast.bo, field) == ["yes"]
    sealed = await store.sealed_of(work, cast.bo.no, field.no)
    assert sealed is not None
    assert b"yes" not in sealed
    consent = (await consents.records_of(work, cast.bo.no))[-1]
    assert (consent.purpose, consent.channel, consent.given) == (field.slug, "field", True)
    assert consent.wording == "You may keep this to plan meetings."


async def test_without_consent_nothing_is_kept(cast: Cast, work: Work) -> None:
    field = await belief(work)

    with pytest.raises(special.ConsentMissing):
        await special.tell(work, cast.bo, field, "yes", agreed=False)

    assert await special.told(work, cast.bo, field) == []


async def test_a_blank_takes_it_back_with_its_consent(cast: Cast, work: Work) -> None:
    field = await belief(work)
    await special.tell(work, cast.bo, field, "yes", agreed=True)

    assert await special.tell(work, cast.bo, field, "", agreed=False)

    assert await special.told(work, cast.bo, field) == []
    assert not (await consents.records_of(work, cast.bo.no))[-1].given


async def test_no_timeline_and_no_other_verb_tells_of_it(cast: Cast, work: Work) -> None:
    field = await belief(work)
    before = await activity.kinds(work, cast.bo.no)
    await special.tell(work, cast.bo, field, "yes", agreed=True)

    assert await activity.kinds(work, cast.bo.no) == before
    assert await store.values_of(work, [cast.bo.no]) == {}
    assert list(await store.all_fields(work)) == []
    assert list(await store.all_fields(work, special=True)) == [field]
    assert list(await store.public_fields(work)) == [field]
    with pytest.raises(fields.SpecialElsewhere):
        await fields.set_value(work, cast.bo, field, "no")


async def test_numbers_are_shown_from_the_threshold_on_inside_what_is_seen(
    cast: Cast, work: Work
) -> None:
    field = await belief(work)
    for number in range(5):
        person = await make.person(work, f"p{number}@example.org", group=cast.northgate)
        await special.tell(work, person, field, "yes", agreed=True)
    await special.tell(work, cast.gil, field, "no", agreed=True)

    assert await special.counts(work, field) == {"yes": 5, "no": None}
    assert await special.counts(make.seen_by(work, cast.harbour), field) == {
        "yes": None,
        "no": None,
    }


async def test_a_field_that_is_not_protected_or_is_closed_is_told_nothing(
    cast: Cast, work: Work
) -> None:
    plain = await fields.make(work, name={"en": "Age"}, kind=FieldKind.NUMBER)
    with pytest.raises(special.NotSpecial):
        await special.tell(work, cast.bo, plain, "3", agreed=True)
    field = await belief(work)
    with pytest.raises(SubscriberUnknown):
        await special.tell(make.seen_by(work, cast.harbour), cast.bo, field, "yes", agreed=True)
    await fields.close(work, field)
    with pytest.raises(fields.FieldClosed):
        await special.tell(work, cast.bo, field, "yes", agreed=True)


async def test_a_merge_takes_it_along_and_can_be_taken_back(cast: Cast, work: Work) -> None:
    field = await belief(work)
    await special.tell(work, cast.bo, field, "yes", agreed=True)

    moved = await record.repoint(work, cast.bo.no, cast.gil.no)
    assert await special.told(work, cast.bo, field) == []
    assert await special.told(work, cast.gil, field) == ["yes"]

    await record.restore(work, cast.bo.no, cast.gil.no, moved)
    assert await special.told(work, cast.bo, field) == ["yes"]
    assert await special.told(work, cast.gil, field) == []

    await record.forget(work, cast.bo.no)
    assert await special.told(work, cast.bo, field) == []
