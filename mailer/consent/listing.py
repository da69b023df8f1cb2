"""Opening lists, and the words on them. What was once shown to somebody is kept as it was."""

from collections.abc import Mapping

from mailer.audit import actions as audit
from mailer.consent import store
from mailer.consent.model import ConsentText, MailingList
from mailer.kit.errors import Conflict
from mailer.kit.ids import slug
from mailer.kit.orm import Localised
from mailer.kit.rows import add_missing
from mailer.kit.texts import in_languages
from mailer.kit.work import Work
from mailer.organisation import store as organisation

LONGEST_WELCOME = 6000
LONGEST_LANDING = 1000


class TooManyAlike(Conflict):
    """There are too many lists of this name."""


_DEFAULT_NAME = {"en": "Bulletin", "fr": "Bulletin"}
_DEFAULT_ABOUT = {
    "en": "What happened, what is next, and what you can do.",
    "fr": "Ce qui s’est passé, ce qui vient, et ce que vous pouvez faire.",
}
_DEFAULT_CONSENT = {
    "en": (
        "Yes, %(organisation)s may email me, as often as the level I chose says. "
        "I can change that or leave at any time, from any email, in two taps."
    ),
    "fr": (
        "Oui, %(organisation)s peut m’écrire par e-mail, au rythme du niveau que j’ai choisi. "
        "Je peux changer d’avis ou partir à tout moment, depuis n’importe quel e-mail, "
        "en deux clics."
    ),
}


async def furnish(work: Work) -> None:
    """Put in the list that every organisation starts with; once there is any, nothing is done."""
    if await store.any_list(work):
        return
    row = {
        "slug": "bulletin",
        "name": _DEFAULT_NAME,
        "about": _DEFAULT_ABOUT,
        "consent_text": _DEFAULT_CONSENT,
        "is_public": True,
        "double_opt_in": True,
        "made_at": work.now,
    }
    for furnished in await add_missing(work, MailingList, [row]):
        await _keep_words(work, furnished)


async def open_list(
    work: Work,
    *,
    name: Localised,
    about: Localised,
    consent_text: Localised,
    is_public: bool,
    double_opt_in: bool = True,
) -> MailingList:
    """Open a list. Its slug is made of its name, with a number where that is taken."""
    described = _described(name, about, consent_text)
    called = slug(next(iter(described["name"].values())), longest=50)
    taken = {one.slug for one in await store.all_lists(work)}
    # In the addresses of pages "new" stands where the slug does: it is the list that is not yet.
    for number in range(2 if called == "new" else 1, 100):
        wanted = called if number == 1 else f"{called}-{number}"
        if wanted in taken:
            continue
        row = {
            "slug": wanted,
            "is_public": is_public,
            "double_opt_in": double_opt_in,
            "made_at": work.now,
            **described,
        }
        if opened := await add_missing(work, MailingList, [row]):
            await _keep_words(work, opened[0])
            await audit.note(work, "list_opened", list=opened[0].no)
            return opened[0]
    raise TooManyAlike(field="name")


async def describe_list(
    work: Work,
    mailing_list: MailingList,
    *,
    name: Localised,
    about: Localised,
    consent_text: Localised,
    is_public: bool,
    double_opt_in: bool = True,
) -> MailingList:
    """Change a list's words. What people have agreed to stays on record as it was shown.

    Another consent text is another version: each yes names the one that it was said to.
    """
    described = {
        **_described(name, about, consent_text),
        "is_public": is_public,
        "double_opt_in": double_opt_in,
    }
    mailing_list = await store.list_again(work, mailing_list)
    changed = _change(mailing_list, described)
    if "consent_text" in changed:
        mailing_list.consent_version += 1
        await _keep_words(work, mailing_list)
    if changed:
        await audit.note(work, "list_described", list=mailing_list.no, fields=changed)
    return mailing_list


async def greet(
    work: Work,
    mailing_list: MailingList,
    *,
    welcome_subject: Localised,
    welcome: Localised,
    landing: Localised,
) -> MailingList:
    """Change what somebody is told who has just joined: in the letter, and on the page.

    `welcome` is Markdown. Where it is empty the letter says only what every such letter says.
    """
    words = {
        "welcome_subject": in_languages(welcome_subject, longest=150, field="welcome_subject"),
        "welcome": in_languages(welcome, longest=LONGEST_WELCOME, field="welcome"),
        "landing": in_languages(landing, longest=LONGEST_LANDING, field="landing"),
    }
    mailing_list = await store.list_again(work, mailing_list)
    if changed := _change(mailing_list, words):
        await audit.note(work, "list_described", list=mailing_list.no, fields=changed)
    return mailing_list


async def close_list(work: Work, mailing_list: MailingList) -> MailingList:
    """Let nobody join a list any more. Who is on it stays, and no campaign can choose it.

    Segments that ask about it are asked before (`segments`).
    """
    mailing_list = await store.list_again(work, mailing_list)
    if mailing_list.closed_at is None:
        mailing_list.closed_at = work.now
        await audit.note(work, "list_closed", list=mailing_list.no)
    return mailing_list


async def reopen_list(work: Work, mailing_list: MailingList) -> MailingList:
    """Let people join a closed list again."""
    mailing_list = await store.list_again(work, mailing_list)
    if mailing_list.closed_at is not None:
        mailing_list.closed_at = None
        await audit.note(work, "list_reopened", list=mailing_list.no)
    return mailing_list


async def wording_of(work: Work, mailing_list: MailingList, language: str) -> str:
    """Give a list's consent text as it is shown to somebody, with our name filled in."""
    return mailing_list.wording(language, (await organisation.the_one(work)).name)


def _described(name: Localised, about: Localised, consent_text: Localised) -> dict[str, Localised]:
    return {
        "name": in_languages(name, longest=120, field="name", needed=True),
        "about": in_languages(about, longest=400, field="about"),
        "consent_text": in_languages(consent_text, longest=2000, field="consent_text", needed=True),
    }


def _change(mailing_list: MailingList, values: Mapping[str, object]) -> list[str]:
    """Write what is other than it was; give the names of that."""
    changed = [key for key, value in values.items() if getattr(mailing_list, key) != value]
    for key in changed:
        setattr(mailing_list, key, values[key])
    return changed


async def _keep_words(work: Work, mailing_list: MailingList) -> None:
    row = {
        "list_no": mailing_list.no,
        "version": mailing_list.consent_version,
        "words": mailing_list.consent_text,
        "made_at": work.now,
        "made_by": work.account,
    }
    await add_missing(work, ConsentText, [row])
