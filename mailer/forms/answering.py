"""Signing up by a form, and what becomes of the answers.

Anybody can type anybody's address, so answers wait with the sign-up until the owner of the address
has said yes. Then they fill in what nobody has said of them yet, and never write over it.
"""

from collections.abc import Mapping, Sequence

from mailer.activity import actions as activity
from mailer.consent import actions as consent
from mailer.consent import store as lists
from mailer.consent.actions import Came
from mailer.consent.model import Confirmation
from mailer.fields import actions as fields
from mailer.fields import store as field_store
from mailer.fields.values import FieldWrong, read_value
from mailer.forms import store
from mailer.forms.model import SignUpForm
from mailer.forms.questions import (
    FIELD,
    GROUP,
    LANGUAGE,
    LEVEL,
    Question,
    asked_by,
    fields_of,
    read_answer,
)
from mailer.kit.errors import Conflict, Refusal
from mailer.kit.work import Work
from mailer.subscribers import filling
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import Subscriber
from mailer.tags import actions as tagging
from mailer.tags import store as tags
from mailer.tiers import joining
from mailer.tiers import store as tiers
from mailer.tiers.model import SignKind, Tier
from mailer.tiers.signs import note_sign

Typed = Mapping[str, Sequence[str]]
"""What somebody typed, by the names of questions."""


class FormClosed(Conflict):
    """Nobody can sign up here any more."""


async def wrong_answers(work: Work, form: SignUpForm, typed: Typed) -> dict[str, str]:
    """Say all that is wrong with the answers at once, by the question."""
    wrong = {}
    for question in await asked_by(work, form):
        try:
            await read_answer(work, question, typed.get(question.name, ()))
        except Refusal as refusal:
            wrong[question.name] = refusal.said()
    return wrong


async def sign_up(
    work: Work,
    form: SignUpForm,
    *,
    address: str,
    typed: Typed,
    language: str,
    wording: str,
) -> Confirmation:
    """Take a sign-up by a form; like that by the join page it tells nobody who is on the roll.

    `language` is of the emails, where the form does not ask for it.
    """
    mailing_list = await lists.list_by_no(work, form.list_no)
    if form.closed_at is not None or mailing_list is None:
        raise FormClosed
    answers = await _read(work, await asked_by(work, form), typed)
    tier = await _tier(work, answers.pop(LEVEL, ""))
    confirmation = await joining.sign_up_to(
        work,
        mailing_list,
        address=address,
        language=answers.pop(LANGUAGE, language),
        tier=tier,
        wording=wording,
        came=Came(form_no=form.no, answers=answers),
    )
    if confirmation.confirmed_at is not None:
        await _take_answers(work, confirmation)  # the list asks for no letter, and they are new
    return confirmation


async def confirm(work: Work, confirmation_no: int) -> Confirmation:
    """Take the owner's word, and with it the answers that wait for it."""
    return await _take_answers(work, await consent.confirm(work, confirmation_no))


async def confirm_by_code(work: Work, uid: str, code: str) -> Confirmation:
    """Take the six digits for the same word. A wrong try is written down, as in `consent`."""
    return await _take_answers(work, await consent.confirm_by_code(work, uid, code))


async def _read(work: Work, asked: Sequence[Question], typed: Typed) -> dict[str, str]:
    answers = {}
    for question in asked:
        if said := await read_answer(work, question, typed.get(question.name, ())):
            answers[question.name] = said
    return answers


async def _tier(work: Work, chosen: str) -> Tier:
    """Give the level that somebody chose; where the form does not ask, the lowest."""
    ladder = await tiers.ladder(work)
    return next((tier for tier in ladder if tier.slug == chosen), ladder[0])


async def _take_answers(work: Work, confirmation: Confirmation) -> Confirmation:
    """Write down what waited with a sign-up, once."""
    form = await store.by_no(work, confirmation.form_no or 0)
    person = await subscribers.hold(work, confirmation.subscriber_no or 0)
    if person is not None and confirmation.confirmed_at == work.now:
        await note_sign(work, person.no, SignKind.CONFIRMED, work.now)
    if form is None or person is None or not await lists.take_answers(work, confirmation):
        return confirmation
    await note_sign(work, person.no, SignKind.REPLIED, work.now)
    answers: dict[str, str] = confirmation.answers
    await activity.record(work, person.no, "form_answered", form=form.no)
    await filling.fill(work, person, answers)
    await joining.name_group(work, person, answers.get(GROUP, ""))
    await _fill_fields(work, person, answers)
    tag = await tags.by_no(work, form.tag_no or 0)
    if tag is not None and tag.closed_at is None:
        await tagging.tag_many(work, [person.no], tag)
    confirmation.answers = {}
    return confirmation


async def _fill_fields(work: Work, person: Subscriber, answers: Mapping[str, str]) -> None:
    said = {name: answer for name, answer in answers.items() if name.startswith(FIELD)}
    for name, field in (await fields_of(work, said)).items():
        if (await field_store.values_in(work, field.no, [person.no])).get(person.no):
            continue
        try:
            values = read_value(field, said[name])
        except FieldWrong:
            continue  # the field takes something else since: an answer to another question
        await fields.put_many(work, field, {person.no: values})
