"""Noting who opens somebody's page: for that person, who sees the role and the hour of it."""

from mailer.records import looking
from mailer.subscribers import store as subscribers
from web.kit.security import account_of
from web.kit.sessions import Asked, visit_of


async def note_look(request: Asked) -> None:
    """Write down that the account opens this person's page, before it is made.

    An observation: it has a unit of work of its own, at most once in a quarter of an hour for each
    account and person.
    """
    visit, account = visit_of(request), account_of(request)
    uid = request.path_params["uid"]
    async with visit.house.work(reading=True, scope=visit.scope, account=account.no) as work:
        person = await subscribers.by_uid(work, uid)
        if person is None or not await looking.is_new(work, person):
            return
    async with visit.house.work(scope=visit.scope, account=account.no) as work:
        await looking.note(work, person, account)
