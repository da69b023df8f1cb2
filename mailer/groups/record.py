"""What a timeline says of somebody's groups."""

from mailer.activity.model import Activity, Entry
from mailer.activity.record import Told, entry_of, lines
from mailer.groups import store
from mailer.kit.i18n import _
from mailer.kit.work import Work


async def entries(work: Work, subscriber_no: int) -> list[Entry]:
    """Tell which groups somebody joined and left."""
    found = await lines(work, subscriber_no, ("group_joined", "group_left", "group_named"))
    names = await store.names_of(work, {line.facts.get("group", 0) for line in found})
    return [entry_of(line, _told(line, names)) for line in found]


def _told(line: Activity, names: dict[int, str]) -> Told:
    if line.kind == "group_named":
        return {
            "words": _("Named a group that we do not know"),
            "said": str(line.facts["name"]),
        }
    group = {"group": names.get(line.facts["group"], "–")}
    if line.kind == "group_left":
        return {"words": _("Left %(group)s") % group}
    return {"words": _("Joined %(group)s") % group}
