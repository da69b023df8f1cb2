"""The record: what accounts did, newest first. Nothing on it can be changed."""

from litestar import get
from litestar.params import FromQuery
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.audit import store as audit
from web.admin.campaigns import Working
from web.admin.record_words import Told, tell
from web.admin.telling import dated
from web.kit.pages import page
from web.kit.security import gated
from web.kit.sessions import Asked


@get("/record", opt=gated(Power.SEE_RECORD))
async def show_record(request: Asked, work: Working, before: FromQuery[int] = 0) -> Template:
    """Show a page of the record; `before` is the last line of the page that was shown."""
    found = await audit.newest(work, before=before if before > 0 else None)
    return page(
        request,
        "admin/record/list.html",
        lines=[_shown(told) for told in await tell(work, found.rows)],
        next=f"?before={found.next_after}" if found.next_after else "",
        newest="/admin/record" if before > 0 else "",
    )


def _shown(told: Told) -> dict[str, str]:
    return {
        "iso": told.line.at.isoformat(timespec="seconds"),
        "when": dated(told.line.at),
        "who": told.who,
        "words": told.words,
        "href": told.href,
        "door": told.door,
    }


HANDLERS = [show_record]
