"""What is specially protected (GDPR article 9): told by its person alone, and only ever counted.

A value is encrypted with the root key, and each has a consent of its own. No organiser reads one,
nor whether somebody has one; a timeline does not tell. Numbers are shown from a threshold on,
inside what the reader may see.
"""

from collections import Counter

from mailer.consent import apart
from mailer.fields import store
from mailer.fields.actions import FieldClosed
from mailer.fields.model import SEAL, Field, FieldKind
from mailer.fields.values import PARTED_BY, read_value, written
from mailer.kit.errors import Conflict, Invalid
from mailer.kit.i18n import in_language
from mailer.kit.work import Work
from mailer.subscribers.actions import held
from mailer.subscribers.model import Subscriber

CHANNEL = "field"


class NotSpecial(Conflict):
    """This field is not specially protected."""


class ConsentMissing(Invalid):
    """Please tick that you agree, or leave it empty: we keep this only with your consent."""


async def tell(
    work: Work, subscriber: Subscriber, field: Field, typed: str, *, agreed: bool
) -> bool:
    """Keep what somebody says of themselves in a protected field; say whether it is new.

    Blank takes it back, at once and with its consent.
    """
    if not field.is_special:
        raise NotSpecial(field=field.slug)
    if field.closed_at is not None:
        raise FieldClosed(field=field.slug)
    values = written([value for value, _number in read_value(field, typed)])
    subscriber = await held(work, subscriber)
    standing = await store.sealed_of(work, subscriber.no, field.no)
    before = work.keys.unseal(SEAL, standing) if standing is not None else ""
    if values == before:
        return False
    if not values:
        return await _take_back(work, subscriber, field)
    if not agreed:
        raise ConsentMissing(field=field.slug)
    [record] = await apart.keep(
        work,
        [subscriber.no],
        purpose=field.slug,
        channel=CHANNEL,
        given=True,
        wording=in_language(field.consent_text, subscriber.language),
        language=subscriber.language,
    )
    await store.seal(
        work, subscriber.no, field.no, sealed=work.keys.seal(SEAL, values), consent_no=record.no
    )
    return True


async def _take_back(work: Work, subscriber: Subscriber, field: Field) -> bool:
    await store.unseal(work, subscriber.no, field.no)
    await apart.keep(
        work,
        [subscriber.no],
        purpose=field.slug,
        channel=CHANNEL,
        given=False,
        wording="",
        language=subscriber.language,
    )
    return True


async def told(work: Work, subscriber: Subscriber, field: Field) -> list[str]:
    """Give what somebody has said of themselves: for their own page, and for nobody else's."""
    standing = await store.sealed_of(work, subscriber.no, field.no)
    return _values(work.keys.unseal(SEAL, standing)) if standing is not None else []


async def counts(work: Work, field: Field) -> dict[str, int | None]:
    """Count what was chosen among those whom the actor may see; None is fewer than the threshold.

    Nobody and a few are not told apart. No sum is given: with it, the one that is missing could be
    reckoned from the others.
    """
    found: Counter[str] = Counter()
    async for sealed in store.every_sealed(work, field.no):
        found.update(_values(work.keys.unseal(SEAL, sealed)))
    answers = (
        ["yes", "no"]
        if field.kind is FieldKind.YES_NO
        else [str(one["slug"]) for one in field.choices]
    )
    return {
        answer: found[answer] if found[answer] >= field.threshold else None for answer in answers
    }


def _values(text: str) -> list[str]:
    return [value for value in text.split(PARTED_BY) if value]
