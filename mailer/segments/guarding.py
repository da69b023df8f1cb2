"""Guarding: what segments stand on is not closed while they do.

Tags, fields and lists stand below segments and cannot ask them, so that whoever closes one asks
here.
"""

from mailer.consent import listing
from mailer.consent.model import MailingList
from mailer.fields import actions as fields
from mailer.fields.model import Field
from mailer.kit.errors import Conflict
from mailer.kit.work import Work
from mailer.segments import saving
from mailer.tags import actions as tags
from mailer.tags.model import Tag


class InUse(Conflict):
    """Segments ask about this: %(segments)s. Change or close them first."""


async def refuse_while_used(work: Work, what: tuple[str, int]) -> None:
    """Refuse, naming the segments that stand on something of ours: `("tag", 7)`."""
    users = await saving.users_of(work, what)
    if users:
        raise InUse(segments=", ".join(f"“{segment.name}”" for segment in users))


async def close_tag(work: Work, tag: Tag) -> Tag:
    """Close a tag, unless a segment asks for it."""
    await refuse_while_used(work, ("tag", tag.no))
    return await tags.close(work, tag)


async def close_field(work: Work, field: Field) -> Field:
    """Close a field, unless a segment asks for it."""
    await refuse_while_used(work, ("field", field.no))
    return await fields.close(work, field)


async def close_list(work: Work, mailing_list: MailingList) -> MailingList:
    """Close a list, unless a segment asks for it."""
    await refuse_while_used(work, ("list", mailing_list.no))
    return await listing.close_list(work, mailing_list)
