"""What a timeline says of somebody's telephone, and what becomes of it in a merge or an erasure."""

from base64 import b64decode, b64encode

from mailer.activity.model import Activity, Entry
from mailer.activity.record import Told, entry_of, lines
from mailer.consent import store as consents
from mailer.kit.i18n import _
from mailer.kit.known import Part, Row
from mailer.kit.orm import Facts
from mailer.kit.work import Work
from mailer.phones import store
from mailer.phones.model import Phone

KINDS = ("phone_noted", "phone_forgotten", "call_wishes")


async def entries(work: Work, subscriber_no: int) -> list[Entry]:
    """Tell when somebody gave a number and took it back, never the number itself."""
    found = await lines(work, subscriber_no, KINDS)
    if not found:
        return []
    records = await consents.records_of(work, subscriber_no)
    agreed = {record.no: record.wording for record in records}
    return [entry_of(line, _told(line, agreed)) for line in found]


def _told(line: Activity, agreed: dict[int, str]) -> Told:
    match line.kind:
        case "phone_noted":
            return {
                "words": _("Gave a telephone number"),
                "said": agreed.get(line.facts["record"], ""),
            }
        case "phone_forgotten":
            return {"words": _("The telephone number was taken away")}
        case _:
            never = _("They are never to be called.") if line.facts["never"] else ""
            return {"words": _("Said when to be called"), "details": never}


async def repoint(work: Work, from_no: int, to_no: int) -> Facts:
    """Give one person the number of another, where the first has none; wishes of either stand.

    Who is never to be called under one name is not called under the other.
    """
    theirs, ours = await store.of(work, from_no), await store.of(work, to_no)
    if theirs is None:
        return {}
    moved = {"had": _written(theirs), "stood": _written(ours) if ours else None}
    taken = {}
    if ours is None or ours.sealed is None:
        taken = {
            "sealed": theirs.sealed,
            "mark": theirs.mark,
            "consent_no": theirs.consent_no,
            "best_time": (ours.best_time if ours else "") or theirs.best_time,
        }
    never = theirs.never_call or (ours is not None and ours.never_call)
    given = await store.write(work, to_no, {**taken, "never_call": never})
    await store.remove(work, from_no)
    return {**moved, "given": _written(given)}


async def restore(work: Work, from_no: int, to_no: int, moved: Facts) -> None:
    """Take a `repoint` back; what was written since stands."""
    if not moved:
        return
    await store.write(work, from_no, _read(moved["had"]))
    now = await store.of(work, to_no)
    if now is None or _written(now) != moved["given"]:
        return
    if moved["stood"] is None:
        await store.remove(work, to_no)
    else:
        await store.write(work, to_no, _read(moved["stood"]))


async def forget(work: Work, subscriber_no: int) -> None:
    """Keep nothing of how somebody is called."""
    await store.remove(work, subscriber_no)


def _written(phone: Phone) -> Facts:
    """Write a row as plain JSON; the number stays encrypted."""
    return {
        "sealed": b64encode(phone.sealed).decode() if phone.sealed else None,
        "mark": phone.mark,
        "consent_no": phone.consent_no,
        "best_time": phone.best_time,
        "never_call": phone.never_call,
    }


def _read(written: Facts) -> Facts:
    sealed = written["sealed"]
    return {**written, "sealed": b64decode(sealed) if sealed else None}


async def known(work: Work, subscriber_no: int) -> list[Part]:
    """Give how somebody is called: their own number, opened for them."""
    phone = await store.of(work, subscriber_no)
    rows: list[Row] = []
    if phone is not None:
        rows = [
            {
                "number": store.opened(work, phone),
                "best_time": phone.best_time,
                "never_call": phone.never_call,
                "at": phone.at,
            }
        ]
    return [Part(name="phone", table="phone", words=_("Telephone"), rows=rows)]
