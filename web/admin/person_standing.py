"""What an organiser decides about somebody: their level, groups, lists, breaks, and an end.

Whoever is not in the reader's care is not there: the same 404 as for somebody nobody knows.
"""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.consent import actions as consent
from mailer.consent import seldom
from mailer.consent import store as lists
from mailer.groups import actions as groups
from mailer.groups import store as group_store
from mailer.imports import entering
from mailer.kit.i18n import _, in_language
from mailer.records import actions as records
from mailer.records.store import Person
from mailer.subscribers import actions as subscribers
from mailer.subscribers import reading
from mailer.subscribers.model import GroupRole
from mailer.tiers import actions as tiers
from mailer.tiers import store as ladder
from web.admin.campaigns import Working
from web.admin.people import at, called
from web.admin.person import USUAL_BREAK, changed
from web.admin.telling import day
from web.kit.forms import read_form
from web.kit.pages import page
from web.kit.security import gated
from web.kit.sessions import Asked


@post("/people/{uid:str}/tier", opt=gated(Power.CHANGE_PEOPLE))
async def assign_tier(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Move somebody to another level, with a reason that they are told."""
    form = await read_form(request)

    async def change(person: Person) -> str:
        tier = await ladder.by_slug(work, form.text("tier"))
        if tier is None:
            raise entering.LevelNeeded(field="tier")
        moved = await tiers.assign(
            work, person.subscriber, tier, reason=form.text("reason", limit=300)
        )
        if isinstance(moved, tiers.Unchanged):
            return _("They are on that level already.")
        return _("Moved. They are told why, and can undo it for 30 days.")

    return await changed(request, work, uid, form, change)


@post("/people/{uid:str}/groups", opt=gated(Power.CHANGE_PEOPLE))
async def change_groups(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Put somebody into a group, change their role in one, or end their membership."""
    form = await read_form(request)

    async def change(person: Person) -> str:
        group = await group_store.by_uid(work, form.text("leave") or form.text("group"))
        if group is None:
            raise subscribers.GroupNeeded(field="group")
        named = {"group": group.name}
        if form.text("leave"):
            await groups.leave(work, person.subscriber, group)
            return _("No longer in %(group)s.") % named
        role = form.text("role")
        as_what = GroupRole(role) if role in set(GroupRole) else GroupRole.MEMBER
        if group.no in {one.no for one in person.groups}:
            await groups.change_role(work, person.subscriber, group, as_what)
            return _("Their role in %(group)s is changed.") % named
        await groups.join(work, person.subscriber, group, role=as_what)
        return _("Now in %(group)s.") % named

    return await changed(request, work, uid, form, change)


@post("/people/{uid:str}/lists", opt=gated(Power.CHANGE_PEOPLE))
async def change_lists(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Ask somebody by email whether they want a list, or take them off one."""
    form = await read_form(request)

    async def change(person: Person) -> str:
        mailing_list = await lists.list_by_slug(work, form.text("leave") or form.text("ask"))
        if mailing_list is None:
            return _("Nothing has changed.")
        named = {"list": in_language(mailing_list.name)}
        if form.text("leave"):
            await consent.unsubscribe(work, person.subscriber, list_no=mailing_list.no)
            return _("Off the list: %(list)s. They get one email that says so.") % named
        spoken = person.subscriber.language
        await consent.ask(
            work,
            person.subscriber,
            mailing_list,
            wording=await consent.wording_of(work, mailing_list, spoken),
            language=spoken,
        )
        return _("Asked by email: %(list)s. They are on it when they say yes.") % named

    return await changed(request, work, uid, form, change)


@post("/people/{uid:str}/writing", opt=gated(Power.CHANGE_PEOPLE))
async def change_writing(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Choose for somebody how often at most, and in which form, they are written to."""
    form = await read_form(request)

    async def change(person: Person) -> str:
        is_rarer = await seldom.hear_at_most(work, person.subscriber, form.text("pace"))
        is_other = await reading.write_as(work, person.subscriber, form.text("mail_form"))
        return _("Saved.") if is_rarer or is_other else _("Nothing has changed.")

    return await changed(request, work, uid, form, change)


@post("/people/{uid:str}/pause", opt=gated(Power.CHANGE_PEOPLE))
async def pause(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Write nothing to somebody for some days."""
    form = await read_form(request)

    async def change(person: Person) -> str:
        days = form.whole("days")
        until = await subscribers.pause(
            work, person.subscriber, days=USUAL_BREAK if days is None else days
        )
        return _("Paused until %(day)s.") % {"day": day(until)}

    return await changed(request, work, uid, form, change)


@post("/people/{uid:str}/pause/lifting", opt=gated(Power.CHANGE_PEOPLE))
async def resume(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """End a pause before its time."""

    async def change(person: Person) -> str:
        await subscribers.resume(work, person.subscriber)
        return _("The pause is over.")

    return await changed(request, work, uid, await read_form(request), change)


@post("/people/{uid:str}/stop", opt=gated(Power.CHANGE_PEOPLE))
async def stop(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Never write to somebody again, and tell nobody."""

    async def change(person: Person) -> str:
        await subscribers.stop_silently(work, person.subscriber)
        return _("Stopped. Nothing more is sent, and nobody is told.")

    return await changed(request, work, uid, await read_form(request), change)


@post("/people/{uid:str}/stop/lifting", opt=gated(Power.CHANGE_PEOPLE))
async def start_again(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Take a silent stop back."""

    async def change(person: Person) -> str:
        await subscribers.start_again(work, person.subscriber)
        return _("No longer stopped.")

    return await changed(request, work, uid, await read_form(request), change)


@get("/people/{uid:str}/suppression", opt=gated(Power.CHANGE_PEOPLE))
async def ask_to_take_off(request: Asked, work: Working, uid: FromPath[str]) -> Template:
    """Say what taking somebody off all emails does, and ask."""
    person = await records.person(work, uid)
    return page(
        request,
        "admin/people/take_off.html",
        here=at(person.subscriber),
        name=called(person.subscriber),
    )


@post("/people/{uid:str}/suppression", opt=gated(Power.CHANGE_PEOPLE))
async def take_off(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Take somebody off all emails, if that is the answer. They get no letter about it."""
    form = await read_form(request)

    async def change(person: Person) -> str:
        if form.raw("answer") != "yes":
            return _("Nothing has changed.")
        await consent.take_off(work, person.subscriber)
        return _("Off all emails, for good. No file and no form can add this address again.")

    return await changed(request, work, uid, form, change)


@post("/people/{uid:str}/suppression/lifting", opt=gated(Power.CHANGE_PEOPLE))
async def put_back(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Take back that somebody is never written to, because they asked or it was a mistake."""

    async def change(person: Person) -> str:
        await consent.put_back(work, person.subscriber)
        return _("May be written to again, on the lists they had agreed to.")

    return await changed(request, work, uid, await read_form(request), change)


HANDLERS = [
    assign_tier,
    change_groups,
    change_lists,
    change_writing,
    pause,
    resume,
    stop,
    start_again,
    ask_to_take_off,
    take_off,
    put_back,
]
