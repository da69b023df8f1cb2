"""Signing up by a form: answers wait for the owner's word, and never write over what is known."""

import pytest
from sqlalchemy import select

from mailer.activity import store as activity
from mailer.bootstrap import House
from mailer.consent import actions as consent
from mailer.consent import store as consents
from mailer.consent.model import Confirmation, SignUpTally
from mailer.fields import actions as fields
from mailer.fields import store as field_store
from mailer.fields.model import Field, FieldKind
from mailer.forms import actions as forms
from mailer.forms import answering
from mailer.forms.forgetting import forget_answers, forget_some
from mailer.forms.model import SignUpForm
from mailer.forms.questions import NotOffered
from mailer.groups import store as groups
from mailer.kit.texts import TextMissing, TextTooLong
from mailer.kit.work import Work
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import Subscriber, SuppressionReason
from mailer.tags import actions as tagging
from mailer.tags import store as tags
from mailer.tiers import store as tiers
from tests import makers as make
from tests.cast import Cast

SAID = {
    "first_name": ["Noor"],
    "last_name": ["Aziz"],
    "city": ["Leeds"],
    "postcode": ["LS1 4AP"],
    "group": ["HARBOUR workers’ centre"],
    "level": ["supporter"],
    "language": ["fr"],
    "field:age": ["44"],
    "field:can-drive": ["yes"],
}


async def made(work: Work, cast: Cast, **how: object) -> SignUpForm:
    """Make a form that asks everything, and puts a tag on who confirms."""
    await fields.make(work, name={"en": "Age"}, kind=FieldKind.NUMBER, is_public=True)
    await fields.make(work, name={"en": "Can drive"}, kind=FieldKind.YES_NO, is_public=True)
    tag = await tagging.make(work, name="Picket line")
    said = {
        "title": {"en": "Stand with us"},
        "list_no": cast.bulletin.no,
        "asks_for": list(SAID),
        "needed": ["first_name"],
        "tag_no": tag.no,
    }
    return await forms.make(work, forms.Wanted(**(said | how)))  # type: ignore[arg-type]


async def sign_up(
    work: Work, form: SignUpForm, address: str, typed: answering.Typed = SAID
) -> Confirmation:
    return await answering.sign_up(
        work, form, address=address, typed=typed, language="en", wording="Yes."
    )


async def found(work: Work, address: str) -> Subscriber:
    person = await subscribers.by_address(work, address)
    assert person is not None
    return person


async def known(work: Work, person: Subscriber) -> dict[str, list[str]]:
    values = (await field_store.values_of(work, [person.no])).get(person.no, {})
    names: dict[int, Field] = await field_store.by_nos(work, values)
    return {names[no].slug: said for no, said in values.items()}


async def test_what_was_answered_is_written_when_they_say_yes_and_not_before(
    cast: Cast, work: Work
) -> None:
    form = await made(work, cast)
    confirmation = await sign_up(work, form, "new@example.org")
    new = await found(work, "new@example.org")
    assert (new.first_name, new.city, new.language) == ("", "", "fr")
    assert await groups.of(work, new.no) == []
    assert await known(work, new) == {}

    await answering.confirm(work, confirmation.no)

    new = await found(work, "new@example.org")
    assert (new.first_name, new.last_name, new.city, new.postcode) == (
        "Noor",
        "Aziz",
        "Leeds",
        "LS1 4AP",
    )
    assert new.name_key == "aziz noor"
    assert [group.no for group in await groups.of(work, new.no)] == [cast.harbour.no]
    assert await known(work, new) == {"age": ["44"], "can-drive": ["yes"]}
    assert [tag.name for tag in await tags.of(work, new.no)] == ["Picket line"]
    tier = await tiers.chosen(work, new.no)
    assert tier is not None
    assert tier.slug == "supporter"
    assert confirmation.answers == {}
    kinds = await activity.kinds(work, new.no)
    assert kinds.count("form_answered") == 1
    await answering.confirm(work, confirmation.no)
    assert await activity.kinds(work, new.no) == kinds


async def test_the_six_digits_bring_the_answers_too(cast: Cast, work: Work) -> None:
    form = await made(work, cast)
    confirmation = await sign_up(work, form, "new@example.org")
    code = consent.code_of(work, confirmation)
    await answering.confirm_by_code(work, confirmation.uid, code)
    assert (await found(work, "new@example.org")).first_name == "Noor"


async def test_where_the_level_is_not_asked_they_begin_on_the_lowest(
    cast: Cast, work: Work
) -> None:
    form = await made(work, cast, asks_for=[], tag_no=None)
    await sign_up(work, form, "new@example.org", {})
    new = await found(work, "new@example.org")
    tier = await tiers.chosen(work, new.no)
    assert tier is not None
    assert (tier.slug, new.language) == ("follower", "en")


async def test_nothing_that_is_known_is_written_over(cast: Cast, work: Work) -> None:
    form = await made(work, cast)
    age = await field_store.by_slug(work, "age")
    assert age is not None
    await fields.set_value(work, cast.dana, age, "61")
    later = make.later(work, days=3)
    confirmation = await sign_up(later, form, "dana@example.org")

    await answering.confirm(later, confirmation.no)

    dana = await found(work, "dana@example.org")
    assert (dana.first_name, dana.last_name, dana.language) == ("Dana", "Aziz", "en")
    assert await known(work, dana) == {"age": ["61"], "can-drive": ["yes"]}
    tier = await tiers.chosen(work, dana.no)
    assert tier is not None
    assert tier.slug != "supporter"


@pytest.mark.parametrize("address", ["bo@example.org", "gone@example.org"])
async def test_where_nobody_can_say_yes_nothing_waits(cast: Cast, work: Work, address: str) -> None:
    await consent.suppress_many(work, ["gone@example.org"], SuppressionReason.IMPORTED)
    form = await made(work, cast)
    later = make.later(work, days=3)
    before = await activity.kinds(work, cast.bo.no)

    confirmation = await sign_up(later, form, address)

    assert (confirmation.subscriber_no, confirmation.form_no) == (None, None)
    assert confirmation.answers == {}
    assert await activity.kinds(work, cast.bo.no) == before


async def test_who_signs_up_again_does_not_change_the_first_answers(cast: Cast, work: Work) -> None:
    form = await made(work, cast)
    first = await sign_up(work, form, "new@example.org")
    again = await sign_up(work, form, "new@example.org", {**SAID, "first_name": ["Mallory"]})
    assert again == first
    await answering.confirm(work, first.no)
    assert (await found(work, "new@example.org")).first_name == "Noor"


async def test_a_fresh_letter_brings_the_answers_along(cast: Cast, work: Work) -> None:
    form = await made(work, cast)
    confirmation = await sign_up(work, form, "new@example.org")
    later = make.later(work, days=8)
    fresh = await consent.renew(later, confirmation.no)
    assert fresh != confirmation
    await answering.confirm(later, fresh.no)
    assert (await found(work, "new@example.org")).first_name == "Noor"


async def test_where_the_list_asks_for_no_letter_answers_are_written_at_once(
    cast: Cast, work: Work
) -> None:
    alerts = await make.mailing_list(work, double_opt_in=False)
    form = await made(work, cast, list_no=alerts.no)
    await sign_up(work, form, "new@example.org")
    new = await found(work, "new@example.org")
    assert new.first_name == "Noor"
    assert [tag.name for tag in await tags.of(work, new.no)] == ["Picket line"]


async def test_what_was_closed_meanwhile_is_left_out(cast: Cast, work: Work) -> None:
    form = await made(work, cast)
    confirmation = await sign_up(work, form, "new@example.org")
    age = await field_store.by_slug(work, "age")
    tag = await tags.by_no(work, form.tag_no or 0)
    assert age is not None
    assert tag is not None
    await fields.close(work, age)
    await tagging.close(work, tag)
    await forms.close(work, form)

    await answering.confirm(work, confirmation.no)

    new = await found(work, "new@example.org")
    assert await known(work, new) == {"can-drive": ["yes"]}
    assert await tags.of(work, new.no) == []
    with pytest.raises(answering.FormClosed):
        await sign_up(work, form, "newer@example.org")


async def test_a_group_that_there_is_none_of_is_for_an_organiser_to_read(
    cast: Cast, work: Work
) -> None:
    form = await made(work, cast)
    confirmation = await sign_up(work, form, "new@example.org", {**SAID, "group": ["Branch 9"]})
    await answering.confirm(work, confirmation.no)
    new = await found(work, "new@example.org")
    [line] = await activity.lines_of(work, new.no, kinds=["group_named"])
    assert line.facts == {"name": "Branch 9"}


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"first_name": []}, TextMissing),
        ({"first_name": ["\u202e \u200b"]}, TextMissing),
        ({"city": ["x" * 121]}, TextTooLong),
        ({"postcode": ["x" * 4001]}, "answer_too_long"),
        ({"level": ["pope"]}, NotOffered),
        ({"level": []}, TextMissing),
        ({"language": ["xx"]}, NotOffered),
        ({"field:age": ["old"]}, "number_wrong"),
        ({"field:can-drive": ["yes", "no"]}, NotOffered),
    ],
)
async def test_a_wrong_answer_is_refused_at_its_question(
    cast: Cast, work: Work, wrong: dict[str, list[str]], refusal: object
) -> None:
    form = await made(work, cast)
    [asked] = wrong

    said = await answering.wrong_answers(work, form, {**SAID, **wrong})

    assert list(said) == [asked]
    assert await answering.wrong_answers(work, form, SAID) == {}
    people = await subscribers.how_many(work)
    with pytest.raises(Exception) as refused:  # noqa: PT011  # which one is looked at below
        await sign_up(work, form, "new@example.org", {**SAID, **wrong})
    kind = type(refused.value)
    assert refusal in {kind, getattr(refused.value, "code", "")}
    assert refused.value.facts["field"] == asked  # type: ignore[attr-defined]
    assert await subscribers.how_many(work) == people


async def test_where_people_came_from_is_forgotten_within_the_hour(
    cast: Cast, house: House
) -> None:
    async with house.work() as work:
        await consent.note_sign_up(work, "192.0.2.0/24")
        await consent.note_sign_up(make.later(work, hours=-2), "192.0.2.0/24")

    await forget_some(house)

    async with house.work() as work:
        [left] = await work.session.scalars(select(SignUpTally))
    assert left.number == 1
    assert "192.0.2" not in left.network


async def test_answers_that_nobody_says_yes_to_are_forgotten(cast: Cast, house: House) -> None:
    async with house.work() as work:
        form = await made(work, cast)
        old = await sign_up(make.later(work, days=-31), form, "old@example.org")
        new = await sign_up(work, form, "new@example.org")
    assert not await forget_some(house)
    async with house.work() as work:
        kept = {one: await consents.confirmation_by_no(work, one) for one in (old.no, new.no)}
        assert [one.answers == {} for one in kept.values() if one] == [True, False]
        assert await forget_answers(work) == 0
        assert await forget_answers(make.later(work, days=31)) == 1
        await answering.confirm(work, old.no)
        assert (await found(work, "old@example.org")).first_name == ""
