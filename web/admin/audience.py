"""Who gets a campaign, as the page of a draft offers it: a list, and whom of those on it."""

from collections.abc import Sequence
from typing import Any, Protocol

from mailer.campaigns.model import OnDoubt
from mailer.consent import store as consent
from mailer.consent.model import SubscriptionState
from mailer.kit.errors import Refusal
from mailer.kit.i18n import _, in_language, ngettext
from mailer.kit.work import Work
from mailer.segments import asking, telling
from mailer.segments import store as segments
from mailer.segments.model import Segment
from mailer.tiers import store as tiers
from web.admin.telling import number, people
from web.kit.forms import Form


class Chosen(Protocol):
    """What of a draft says who gets it, and how."""

    @property
    def list_no(self) -> int | None: ...  # noqa: D102
    @property
    def to_everybody(self) -> bool: ...  # noqa: D102
    @property
    def tier_nos(self) -> list[int]: ...  # noqa: D102
    @property
    def segment_no(self) -> int | None: ...  # noqa: D102
    @property
    def on_doubt(self) -> OnDoubt: ...  # noqa: D102
    @property
    def in_archive(self) -> bool: ...  # noqa: D102


def typed(form: Form) -> dict[str, Any]:
    """Read who gets it from the form; what does not go with the chosen reach is left out."""
    reach, segment = form.raw("reach"), form.raw("segment")
    return {
        "list_no": _number(form.raw("list")),
        "to_everybody": reach == "everybody",
        "tier_nos": [int(one) for one in form.many("tier") if one.isdecimal()]
        if reach != "segment"
        else [],
        # 0 is a segment that is not chosen yet: it is refused at its field, and the reach stays.
        "segment_no": (_number(segment) or 0) if reach == "segment" else None,
    }


def _number(said: str) -> int | None:
    return int(said) or None if said.isdecimal() and len(said) < 19 else None


async def choices(work: Work, chosen: Chosen) -> dict[str, Any]:
    """Give the choices of who gets it, each with the number of people."""
    lists = await consent.lists(work)
    on_list = {
        no: counts[SubscriptionState.CONFIRMED]
        for no, counts in (await consent.counts_by_list(work)).items()
    }
    on_tier = await tiers.counts(work)
    list_no = chosen.list_no or (lists[0].no if len(lists) == 1 else 0)
    saved = await segments.all_segments(work)
    return {
        "audience": {
            "list_no": list_no,
            "reach": _reach(chosen),
            "segment_no": chosen.segment_no or 0,
            "tiers": [str(no) for no in chosen.tier_nos],
            "on_doubt": chosen.on_doubt.value,
            "in_archive": chosen.in_archive,
        },
        "lists": [
            *([] if len(lists) == 1 else [(0, _("Choose a list"))]),
            *[
                (one.no, f"{in_language(one.name)}, {people(on_list.get(one.no, 0))}")
                for one in lists
            ],
        ],
        "reaches": [
            (
                "everybody",
                _("Everybody on the list"),
                _("Whatever their level. Today that is %(people)s.")
                % {"people": people(on_list.get(list_no, 0))},
            ),
            ("levels", _("Only these levels")),
            *([("segment", _("Only those who answer to a segment"))] if saved else []),
        ],
        "segments": [(0, _("Choose a segment")), *[(one.no, one.name) for one in saved]],
        "segment": await _of_segment(work, chosen, saved),
        "tiers": [
            (str(one.no), in_language(one.name), people(on_tier.get(one.no, 0)))
            for one in await tiers.ladder(work)
        ],
        "doubts": [
            (
                "hold",
                _("List it, and ask us"),
                _("Nobody gets it twice. You decide about a few people by name."),
            ),
            (
                "resend",
                _("Send it again"),
                _("A few may get it twice. For what must arrive."),
            ),
        ],
    }


def _reach(chosen: Chosen) -> str:
    if chosen.to_everybody:
        return "everybody"
    return "segment" if chosen.segment_no is not None else "levels"


async def _of_segment(
    work: Work, chosen: Chosen, saved: Sequence[Segment]
) -> dict[str, str] | None:
    """Tell what the chosen segment asks, and how many answer to it now."""
    segment = next((one for one in saved if one.no == chosen.segment_no), None)
    if segment is None:
        return None
    try:
        counted = await asking.counted(work, segment.tree)
    except Refusal as refusal:
        answer = refusal.said()
    else:
        told = ngettext(
            "%(people)s answers to it today, and %(reachable)s could be written to.",
            "%(people)s answer to it today, and %(reachable)s could be written to.",
            counted.people,
        )
        answer = told % {"people": people(counted.people), "reachable": number(counted.reachable)}
    return {
        "uid": segment.uid,
        "sentence": await telling.sentence(work, segment.tree),
        "answer": answer,
    }
