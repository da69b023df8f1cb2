"""What a timeline says of somebody's consent: asked, given, taken back, and never again."""

from mailer.activity.model import Activity, Entry, Undo, Undoes
from mailer.activity.record import Told, entry_of, lines
from mailer.consent import store
from mailer.consent.model import UNDO_FOR, ConsentRecord
from mailer.kit.i18n import N_, _, in_language
from mailer.kit.work import Work
from mailer.subscribers.model import SuppressionReason

KINDS = (
    "asked",
    "confirmed",
    "agreed",
    "unsubscribed",
    "came_back",
    "taken_off",
    "put_back",
)

_WHY = {
    SuppressionReason.ASKED: N_("They asked for it."),
    SuppressionReason.COMPLAINT: N_("They told their mail provider that our mail is unwanted."),
    SuppressionReason.BOUNCE: N_("Their mail server says that there is no such address."),
    SuppressionReason.IMPORTED: N_("They had left in the tool that was used before."),
    SuppressionReason.ERASED: N_("They had their data erased."),
}


async def entries(work: Work, subscriber_no: int) -> list[Entry]:
    """Tell what somebody agreed to and took back, in the words that were shown to them."""
    found = await lines(work, subscriber_no, KINDS)
    if not found:
        return []
    names = {one.no: in_language(one.name) for one in await store.all_lists(work)}
    records = {one.no: one for one in await store.records_of(work, subscriber_no)}
    undone = {line.facts["record"] for line in found if line.kind == "came_back"}
    return [entry_of(line, _told(work, line, names, records, undone)) for line in found]


def _told(
    work: Work,
    line: Activity,
    names: dict[int, str],
    records: dict[int, ConsentRecord],
    undone: set[int],
) -> Told:
    lists = line.facts.get("lists", [line.facts.get("list", 0)])
    named = {"list": "”, “".join(names.get(no, "–") for no in lists)}
    record = records.get(line.facts.get("record", 0))
    match line.kind:
        case "asked":
            return {"words": _("Was asked to confirm “%(list)s”") % named}
        case "confirmed":
            return {"words": _("Said yes to “%(list)s”") % named, **_evidence(record)}
        case "agreed":
            return {"words": _("Agreed to “%(list)s”") % named, **_evidence(record)}
        case "unsubscribed":
            return {"words": _("Left “%(list)s”") % named, "undo": _undo(work, line, undone)}
        case "came_back":
            return {"words": _("Came back to “%(list)s”") % named}
        case "taken_off":
            return {
                "words": _("Taken off all emails"),
                "details": _(_WHY[SuppressionReason(line.facts["reason"])]),
            }
        case _:
            return {"words": _("May be written to again")}


def _evidence(record: ConsentRecord | None) -> Told:
    return {"said": record.wording} if record is not None else {}


def _undo(work: Work, line: Activity, undone: set[int]) -> Undo | None:
    no, until = line.facts["record"], line.at + UNDO_FOR
    if no in undone or work.now > until:
        return None
    return Undo(what=Undoes.LEAVING, no=no, until=until)
