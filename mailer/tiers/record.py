"""What a timeline says of somebody's moves on the ladder."""

from mailer.activity.model import Activity, Entry, Undo, Undoes
from mailer.activity.record import Told, entry_of, lines
from mailer.kit.i18n import N_, _, in_language
from mailer.kit.work import Work
from mailer.tiers import store
from mailer.tiers.model import UNDO_FOR, Source, Tier, TierChange

KINDS = (
    "tier_chosen",
    "tier_changed",
    "tier_requested",
    "tier_request_withdrawn",
    "tier_request_granted",
    "tier_request_refused",
)

_HOW = {
    Source.SELF_LINK: N_("By themselves, from an email."),
    Source.SELF_FORM: N_("By themselves, on a page."),
    Source.ASSIGNED: N_("Moved by an organiser, who told them why."),
    Source.ACCEPTED: N_("As they had asked."),
    Source.LAPSED: N_("They had not been heard of for long."),
    Source.IMPORT: N_("From a file."),
    Source.API: N_("By another program."),
    Source.UNDO: N_("A move was undone."),
}


async def entries(work: Work, subscriber_no: int) -> list[Entry]:
    """Tell each move, with its undo while there is one, and what was asked and answered."""
    found = await lines(work, subscriber_no, KINDS)
    if not found:
        return []
    tiers = {tier.no: tier for tier in await store.ladder(work)}
    changes = await store.changes_of(work, subscriber_no)
    newest = changes[0].no if changes else 0
    by_no = {change.no: change for change in changes}
    requests = {one.no: one.reason for one in await store.requests_of(work, subscriber_no)}
    return [
        entry_of(line, _moved(work, by_no[line.facts["change"]], tiers, newest))
        if "change" in line.facts
        else entry_of(line, _asked(line, tiers, requests))
        for line in found
    ]


def _moved(work: Work, change: TierChange, tiers: dict[int, Tier], newest: int) -> Told:
    to = tiers[change.to_no]
    named = {"to": in_language(to.name)}
    if change.from_no is None:
        words = _("Joined as %(to)s") % named
    else:
        left = tiers[change.from_no]
        named["left"] = in_language(left.name)
        up = _("Stepped up from %(left)s to %(to)s")
        down = _("Stepped down from %(left)s to %(to)s")
        words = (up if to.rank > left.rank else down) % named
    undo = None
    if change.no == newest and change.is_open_to_undo(work.now):
        undo = Undo(what=Undoes.TIER, no=change.no, until=change.made_at + UNDO_FOR)
    return {
        "words": words,
        "details": _(_HOW[change.source]),
        "said": change.reason,
        "undo": undo,
    }


def _asked(line: Activity, tiers: dict[int, Tier], reasons: dict[int, str]) -> Told:
    named = {"tier": in_language(tiers[line.facts["tier"]].name)}
    match line.kind:
        case "tier_requested":
            return {"words": _("Asked to become %(tier)s") % named}
        case "tier_request_withdrawn":
            return {"words": _("Took the request back: %(tier)s") % named}
        case "tier_request_granted":
            words = _("The request was granted: %(tier)s") % named
        case _:
            words = _("The request was refused: %(tier)s") % named
    return {"words": words, "said": reasons.get(line.facts["request"], "")}
