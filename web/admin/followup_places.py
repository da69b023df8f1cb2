"""Where in the queue an organiser is: which tab, whose group, for which reason.

Every form and link of a case carries it, so that after a call they are back where they were.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from mailer.accounts.model import Account
from mailer.followups.model import CaseKind, FollowUp
from mailer.followups.queue.store import View, Whose
from mailer.groups import store as groups
from mailer.kit.work import Work

HERE = "/admin/followups"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the queue, as it stands in an address."""

    show: str = ""
    group: str = ""
    why: str = ""

    @property
    def fields(self) -> dict[str, str]:
        """Give what is not blank, for a form."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value}

    def query(self, path: str, **more: str) -> str:
        """Give an address with this part of the queue in it."""
        said = self.fields | {name: value for name, value in more.items() if value}
        return f"{path}?{urlencode(said)}" if said else path

    def queue(self, **more: str) -> str:
        """Give the address of this part of the queue."""
        return self.query(HERE, **more)

    def case(self, case: FollowUp) -> str:
        """Give the address of a case that was opened from here."""
        return self.query(f"{HERE}/{case.uid}")


def place_of(said: Mapping[str, Any]) -> Place:
    """Read where somebody is; what makes no sense is left out."""
    show, why = str(said.get("show", "")), str(said.get("why", ""))
    return Place(
        show=show if show in set(Whose) else "",
        group=str(said.get("group", ""))[:36],
        why=why if why in set(CaseKind) else "",
    )


async def view_of(work: Work, account: Account, place: Place) -> View:
    """Give the part of the queue that is asked for; a group that is not the account's is none."""
    found = await groups.by_uid(work, place.group) if place.group else None
    if found is not None and work.scope is not None and found.no not in work.scope:
        found = None
    return View(
        account_no=account.no,
        whose=Whose(place.show) if place.show else Whose.NEXT,
        kind=CaseKind(place.why) if place.why else None,
        group_no=found.no if found else None,
    )
