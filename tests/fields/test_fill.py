"""Writing into fields."""

import pytest

from mailer.activity import store as activity
from mailer.fields import actions as fields
from mailer.fields import record, store
from mailer.fields.model import Field, FieldKind
from mailer.fields.values import ChoiceUnknown, NumberWrong
from mailer.kit.i18n import speaking
from mailer.kit.work import Work
from mailer.subscribers.actions import SubscriberUnknown
from tests import makers as make
from tests.cast import Cast


async def sector(work: Work) -> Field:
    return await fields.make(
        work,
        name={"en": "Sector", "fr": "Secteur"},
        kind=FieldKind.CHOICES,
        choices=[fields.Choice(name={"en": "Railways"}), fields.Choice(name={"en": "Care"})],
    )


async def age(work: Work) -> Field:
    return await fields.make(work, name={"en": "Age"}, kind=FieldKind.NUMBER)


async def held_by(work: Work, no: int, field: Field) -> list[str]:
    return (await store.values_of(work, [no])).get(no, {}).get(field.no, [])


async def test_a_value_is_written_once_and_taken_back_by_a_blank(cast: Cast, work: Work) -> None:
    field = await sector(work)

    assert await fields.set_value(work, cast.bo, field, "care; Railways")
    assert not await fields.set_value(work, cast.bo, field, "railways;care")
    assert await held_by(work, cast.bo.no, field) == ["care", "railways"]
    assert await store.how_many_chose(work, field) == {"care": 1, "railways": 1}
    assert await store.how_many_fill(work) == {field.no: 1}

    assert await fields.set_value(work, cast.bo, field, "")
    assert not await fields.set_value(work, cast.bo, field, " ")
    assert await held_by(work, cast.bo.no, field) == []
    assert (await activity.kinds(work, cast.bo.no))[-2:] == ["field_filled", "field_emptied"]


async def test_what_is_not_of_the_kind_is_refused_and_nothing_is_written(
    cast: Cast, work: Work
) -> None:
    field = await age(work)

    with pytest.raises(NumberWrong):
        await fields.set_value(work, cast.bo, field, "old")
    with pytest.raises(ChoiceUnknown):
        await fields.set_many(work, await sector(work), {cast.bo.no: "care", cast.gil.no: "mines"})

    assert await store.values_of(work, [cast.bo.no, cast.gil.no]) == {}


async def test_many_are_written_and_the_answer_undoes_it(cast: Cast, work: Work) -> None:
    field = await sector(work)
    await fields.set_value(work, cast.bo, field, "care")
    await fields.set_value(work, cast.chidi, field, "railways")

    before = await fields.set_many(
        work,
        field,
        {cast.bo.no: "railways;care", cast.gil.no: "care", cast.chidi.no: "railways", 999_999: ""},
    )

    assert before == {cast.bo.no: "care", cast.gil.no: ""}
    assert await held_by(work, cast.gil.no, field) == ["care"]

    await fields.set_many(work, field, before)
    assert await held_by(work, cast.bo.no, field) == ["care"]
    assert await held_by(work, cast.gil.no, field) == []


async def test_a_number_is_kept_for_comparing(cast: Cast, work: Work) -> None:
    field = await age(work)
    await fields.set_value(work, cast.bo, field, "41,5")

    assert await store.rows_of(work, cast.bo.no) == {field.no: [("41.5", 41.5)]}


async def test_who_may_not_be_seen_is_not_written(cast: Cast, work: Work) -> None:
    field = await age(work)
    farids = make.seen_by(work, cast.harbour)

    assert await fields.set_many(farids, field, {cast.bo.no: "3", cast.gil.no: "4"}) == {
        cast.gil.no: ""
    }
    with pytest.raises(SubscriberUnknown):
        await fields.set_value(farids, cast.bo, field, "3")
    await fields.set_value(work, cast.bo, field, "3")
    assert await store.how_many_fill(farids) == {field.no: 1}
    assert await store.how_many_chose(farids, field) == {"4": 1}


async def test_nothing_is_written_into_a_closed_field(cast: Cast, work: Work) -> None:
    field = await age(work)
    await fields.set_value(work, cast.bo, field, "3")
    await fields.close(work, field)

    with pytest.raises(fields.FieldClosed):
        await fields.set_value(work, cast.bo, field, "4")
    assert await held_by(work, cast.bo.no, field) == ["3"]


async def test_a_timeline_tells_which_field_and_which_choice_but_no_words_of_theirs(
    cast: Cast, work: Work
) -> None:
    await fields.set_value(work, cast.bo, await sector(work), "care")
    await fields.set_value(work, cast.bo, await age(work), "41")
    await fields.set_value(work, cast.bo, await age(work), "41")

    with speaking("en"):
        told = [(one.words, one.details) for one in await record.entries(work, cast.bo.no)]

    assert told == [
        ("“Age” was filled in", ""),
        ("“Age” was filled in", ""),
        ("“Sector” was filled in", "Care"),
    ]


async def test_a_merge_fills_what_was_empty_and_can_be_taken_back(cast: Cast, work: Work) -> None:
    a_sector, an_age = await sector(work), await age(work)
    await fields.set_value(work, cast.bo, a_sector, "care;railways")
    await fields.set_value(work, cast.bo, an_age, "41")
    await fields.set_value(work, cast.gil, an_age, "30")

    moved = await record.repoint(work, cast.bo.no, cast.gil.no)
    assert await store.values_of(work, [cast.bo.no, cast.gil.no]) == {
        cast.gil.no: {a_sector.no: ["care", "railways"], an_age.no: ["30"]}
    }

    await record.restore(work, cast.bo.no, cast.gil.no, moved)
    assert await store.values_of(work, [cast.bo.no, cast.gil.no]) == {
        cast.bo.no: {a_sector.no: ["care", "railways"], an_age.no: ["41"]},
        cast.gil.no: {an_age.no: ["30"]},
    }
