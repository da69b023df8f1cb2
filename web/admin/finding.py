"""Finding anything by its name: from every page, while one types, or as a page of its own."""

from typing import Any

from litestar import get
from litestar.params import FromQuery
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.kit.i18n import _
from mailer.kit.work import Work
from mailer.records import finding
from mailer.records.finding import Kind, Thing
from mailer.subscribers.model import Subscriber
from web.admin.campaigns import Working
from web.admin.people import at, called
from web.kit.pages import page
from web.kit.security import account_of, gated
from web.kit.sessions import Asked

LONGEST = 200


@get("/find", opt=gated(Power.SEE_PEOPLE))
async def find(request: Asked, work: Working, q: FromQuery[str] = "") -> Template:
    """Find by a few letters; htmx asks for the list alone while somebody types."""
    typed = q[:LONGEST]
    fragment = request.headers.get("hx-request") == "true"
    sorts = await _found(request, work, typed)
    return page(
        request,
        "admin/find/_found.html" if fragment else "admin/find/page.html",
        q=typed,
        sorts=sorts,
        how_many=sum(len(some) for _heading, some in sorts),
        fragment=fragment,
    )


async def _found(request: Asked, work: Work, typed: str) -> list[tuple[str, list[dict[str, Any]]]]:
    """Give what was found under its headings; what there is nothing of is left out."""
    may_write = account_of(request).may(Power.WRITE)
    found = await finding.find(work, typed, campaigns_too=may_write)
    sorts = [(_("People"), [_person(one) for one in found.people])]
    for kind, heading in (
        (Kind.SEGMENT, _("Segments")),
        (Kind.CAMPAIGN, _("Campaigns")),
        (Kind.GROUP, _("Groups")),
        (Kind.TAG, _("Tags")),
        (Kind.LIST, _("Lists")),
    ):
        sorts.append((heading, [_thing(one) for one in found.things if one.kind is kind]))
    return [(heading, some) for heading, some in sorts if some]


def _person(subscriber: Subscriber) -> dict[str, Any]:
    name = called(subscriber)
    more = subscriber.address if subscriber.address != name else ""
    return {"name": name, "more": more or subscriber.city, "href": at(subscriber)}


def _thing(thing: Thing) -> dict[str, Any]:
    addresses = {
        Kind.SEGMENT: f"/admin/segments/{thing.key}",
        Kind.CAMPAIGN: f"/admin/campaigns/{thing.key}",
        Kind.GROUP: f"/admin/people?group={thing.key}",
        Kind.TAG: f"/admin/people?tag={thing.key}",
        Kind.LIST: f"/admin/people?list={thing.key}",
    }
    return {"name": thing.name, "more": "", "href": addresses[thing.kind]}


HANDLERS = [find]
