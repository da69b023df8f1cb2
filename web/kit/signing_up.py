"""Signing up by a form: what it offers, what was typed, and what its template shows."""

from typing import Any

import msgspec

from mailer.consent import store as lists
from mailer.consent.model import MailingList
from mailer.forms import questions, stamping
from mailer.forms.model import SignUpForm
from mailer.forms.questions import Question
from mailer.groups import store as groups
from mailer.kit import i18n
from mailer.kit.i18n import LANGUAGES, in_language, own_name
from mailer.kit.orm import Localised
from mailer.kit.work import Work
from mailer.organisation.model import Organisation
from mailer.tiers import store as tiers
from web.kit.agreements import agreement, levels_of, mark_of
from web.kit.forms import Form

TRAP = "more"
"""A field that nobody sees. Programs fill it in."""


class Typed(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody typed: kept when it has to be mended. Nothing is pre-chosen."""

    address: str = ""
    answers: dict[str, list[str]] = {}
    agreed: bool = False
    shown: str = ""  # the mark of the words beside the box
    stamp: str = ""
    trapped: bool = False

    @classmethod
    def in_form(cls, form: Form, asked: list[Question]) -> "Typed":
        """Take what a form holds, however long it is: what is wrong with it is said later."""
        return cls(
            address=form.values.get("address", "").strip(),
            answers={one.name: form.many(one.name) for one in asked},
            agreed=form.flag("agreed"),
            shown=form.raw("shown"),
            stamp=form.raw("stamp")[:80],
            trapped=form.flag(TRAP),
        )


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A form that can be filled in: what it asks, and what one says yes to."""

    form: SignUpForm
    joins: MailingList
    asked: list[Question]
    wording: str

    def mark(self, work: Work) -> str:
        """Mark the words, to tell later that these were the ones."""
        return mark_of(work, self.wording)


async def offered(work: Work, form: SignUpForm, organisation: Organisation) -> Offer | None:
    """Find what a form offers; None if nobody can sign up by it."""
    joins = await lists.list_by_no(work, form.list_no)
    if form.closed_at is not None or joins is None or joins.closed_at is not None:
        return None
    asked = await questions.asked_by(work, form)
    levels = levels_of(await tiers.ladder(work))
    if questions.LEVEL not in {one.name for one in asked}:
        levels = levels[:1]  # where whoever is not asked begins
    wording = agreement(organisation, joins, levels)
    return Offer(form=form, joins=joins, asked=asked, wording=wording)


async def shown(work: Work, offer: Offer, typed: Typed, errors: dict[str, str]) -> dict[str, Any]:
    """Give what the template of a form shows, also in the preview of one."""
    mark = offer.mark(work)
    in_language_of_page = {questions.LANGUAGE: [i18n.language.get()]}
    answers = {name: said for name, said in typed.answers.items() if said}
    return {
        "form": offer.form,
        "title": in_language(offer.form.title),
        "intro": paragraphs(offer.form.intro),
        "asked": offer.asked,
        "answers": in_language_of_page | answers,
        "address": typed.address,
        "agreed": typed.agreed and typed.shown == mark,
        "agreement": offer.wording,
        "at_once": not offer.joins.double_opt_in,
        "shown": mark,
        "stamp": stamping.stamp(work, offer.form),
        "trap": TRAP,
        "groups": list(await groups.names(work)),
        "tongues": [(code, own_name(code)) for code in LANGUAGES],
        "errors": errors,
    }


def paragraphs(text: Localised) -> list[str]:
    """Give the paragraphs of what organisers wrote, in the reader's language."""
    return [part for part in in_language(text).split("\n\n") if part]
