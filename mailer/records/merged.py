"""What a timeline says of rows that were made one."""

from mailer.activity.model import Activity, Entry, Undo, Undoes
from mailer.activity.record import Told, entry_of, lines
from mailer.kit.i18n import _
from mailer.kit.work import Work
from mailer.records.merging import UNDO_FOR, may_merge
from mailer.records.model import Merging
from mailer.records.pairs import store as pairs

KINDS = ("merged", "unmerged", "also_me_asked")


async def entries(work: Work, subscriber_no: int) -> list[Entry]:
    """Tell that two entries of somebody were made one, and two again; with an undo while it may."""
    found = await lines(work, subscriber_no, KINDS)
    if not found:
        return []
    mergings = {one.no: one for one in await pairs.mergings_of(work, subscriber_no)}
    standing = [one.no for one in mergings.values() if one.undone_at is None]
    addresses = await pairs.addresses_of(work, [one.merged_no for one in mergings.values()])

    def told(line: Activity) -> Told:
        if line.kind == "also_me_asked":
            return {"words": _("Said that another address is theirs too")}
        if line.kind == "unmerged":
            return {"words": _("Two entries were made of one again")}
        merging = mergings.get(line.facts["merging"])
        address = addresses.get(merging.merged_no, "") if merging else ""
        return {
            "words": _("Two entries were made one"),
            "details": _("They are also known by %(address)s.") % {"address": address}
            if address
            else "",
            "undo": _undo(work, merging)
            if merging and merging.no == max(standing, default=0)
            else None,
        }

    return [entry_of(line, told(line)) for line in found]


def _undo(work: Work, merging: Merging) -> Undo | None:
    until = merging.made_at + UNDO_FOR
    if work.now > until or not may_merge(work):
        return None
    return Undo(what=Undoes.MERGING, no=merging.no, until=until)
