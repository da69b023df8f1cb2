"""Noting how somebody is called, and forgetting it. Repeating any of it changes nothing more."""

from collections.abc import Collection, Mapping

from mailer.activity import actions as activity
from mailer.consent import apart
from mailer.kit.errors import Invalid
from mailer.kit.texts import lines, one_line
from mailer.kit.work import Work
from mailer.phones import store
from mailer.phones.model import Phone
from mailer.phones.reading import read_number
from mailer.subscribers import store as subscribers
from mailer.subscribers.actions import held
from mailer.subscribers.model import Subscriber

PURPOSE = "phone"


class EvidenceMissing(Invalid):
    """Please write when and how they agreed to be called."""


async def note(
    work: Work,
    subscriber: Subscriber,
    number: str,
    *,
    wording: str,
    language: str,
    best_time: str = "",
    never_call: bool = False,
) -> Phone | None:
    """Write down how somebody is called, or that they are not; None where nothing is left to say.

    `number` is as they wrote it, read as one of their country; blank is none. A new one needs the
    words that they agreed to (`wording`), which are kept as evidence. A wish not to be called
    stands also without a number.
    """
    subscriber = await held(work, subscriber)
    wanted = read_number(number, subscriber.country) if number.strip() else ""
    wishes = (one_line(best_time, longest=80, field="best_time"), never_call)
    standing = await store.of(work, subscriber.no)
    wished = (standing.best_time, standing.never_call) if standing else ("", False)
    await note_many(work, {subscriber.no: wanted}, wording=wording, language=language)
    if wishes != wished:
        await store.write(work, subscriber.no, {"best_time": wishes[0], "never_call": wishes[1]})
        await activity.record(work, subscriber.no, "call_wishes", never=never_call)
    if not wanted and not any(wishes):
        await store.remove(work, subscriber.no)
        return None
    return await store.of(work, subscriber.no)


async def forget(work: Work, subscriber: Subscriber) -> None:
    """Keep nothing of how somebody is called; their consent ends with it."""
    await note(work, subscriber, "", wording="", language=subscriber.language)


async def note_many(
    work: Work,
    numbers: Mapping[int, str],
    *,
    wording: str,
    language: str,
    import_no: int | None = None,
) -> dict[int, str]:
    """Write down the numbers of many; give what stood there before, for whom it is new.

    Numbers are in the form of E.164 (`reading.read_number`), blank is none; an undo is the same
    verb with the answer. What they wish about being called stands. Who may not be seen is left out.
    """
    held_nos = await subscribers.hold_nos(work, numbers)
    standing = await store.of_many(work, held_nos)
    before = {no: store.opened(work, standing[no]) if no in standing else "" for no in held_nos}
    changed = [no for no in held_nos if numbers[no] != before[no]]
    given = [no for no in changed if numbers[no]]
    wording = lines(wording, longest=2000, field="wording")
    if given and not wording:
        raise EvidenceMissing(field="wording")
    agreed = await _keep(work, given, given=True, wording=wording, language=language, of=import_no)
    for no in given:
        await store.write(work, no, {**store.closed(work, numbers[no]), "consent_no": agreed[no]})
        await activity.record(work, no, "phone_noted", record=agreed[no])
    gone = [no for no in changed if not numbers[no]]
    await _keep(work, gone, given=False, wording="", language=language, of=import_no)
    for no in gone:
        await store.write(work, no, store.closed(work, ""))
        await activity.record(work, no, "phone_forgotten")
    return {no: before[no] for no in changed}


async def _keep(
    work: Work, nos: Collection[int], *, given: bool, wording: str, language: str, of: int | None
) -> dict[int, int]:
    """Keep the evidence; give the number of each record by its subscriber."""
    if not nos:
        return {}
    kept = await apart.keep(
        work,
        nos,
        purpose=PURPOSE,
        channel=PURPOSE,
        given=given,
        wording=wording,
        language=language,
        import_no=of,
    )
    return {record.subscriber_no: record.no for record in kept}
