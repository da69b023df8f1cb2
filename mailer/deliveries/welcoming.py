"""The letter of welcome that organisers write for a list: written down once it can be sent."""

from mailer import content
from mailer.consent import actions as consent
from mailer.consent.model import MailingList
from mailer.deliveries.writing import letter_brand
from mailer.kit.i18n import in_language
from mailer.kit.orm import Localised
from mailer.kit.work import Work
from mailer.organisation import store as organisations
from mailer.tiers import store as tiers

_NOWHERE = "https://preview.invalid/my"


async def write_welcome(
    work: Work,
    mailing_list: MailingList,
    *,
    welcome_subject: Localised,
    welcome: Localised,
    landing: Localised,
) -> MailingList:
    """Change what a list says to who has just joined.

    A letter that could not be written is refused here, and not when somebody waits for it.
    """
    written = await consent.greet(
        work, mailing_list, welcome_subject=welcome_subject, welcome=welcome, landing=landing
    )
    for language in written.welcome:
        await preview_welcome(
            work,
            written,
            subject=written.welcome_subject,
            words=written.welcome,
            language=language,
        )
    return written


async def preview_welcome(
    work: Work,
    mailing_list: MailingList,
    *,
    subject: Localised,
    words: Localised,
    language: str,
) -> content.RenderedLetter:
    """Write the letter as somebody on the lowest level gets it; its link leads nowhere."""
    organisation = await organisations.the_one(work)
    tier = (await tiers.ladder(work))[0]
    facts = {
        "own_subject": in_language(subject, language),
        "own_words": in_language(words, language),
        "list_name": in_language(mailing_list.name, language),
        "level_name": in_language(tier.name, language),
        "promise_get": in_language(tier.you_get, language),
        "promise_ask": in_language(tier.we_ask, language),
        "often": in_language(tier.often, language),
        "preferences_link": _NOWHERE,
    }
    try:
        return content.render_letter(
            "welcome", language=language, facts=facts, brand=letter_brand(organisation)
        )
    except content.Unfit as refusal:
        refusal.facts |= {"field": "welcome", "language": language}
        raise
