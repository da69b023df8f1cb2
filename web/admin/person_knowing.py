"""What an organiser writes down of somebody: name, place, address, telephone, tags, fields.

Whoever is not in the reader's care is not there: the same 404 as for somebody nobody knows.
"""

from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from mailer.accounts.model import Power
from mailer.fields import actions as fields
from mailer.fields import store as field_store
from mailer.kit.errors import Invalid
from mailer.kit.i18n import _
from mailer.phones import actions as phones
from mailer.records import actions as records
from mailer.records.store import Person
from mailer.subscribers import actions as subscribers
from mailer.subscribers.details import Details
from mailer.tags import actions as tags
from mailer.tags import store as tag_store
from web.admin.campaigns import Working
from web.admin.people import known_language
from web.admin.person import changed, person_page, tags_part
from web.kit import answers
from web.kit.forms import Form, attempt, read_form
from web.kit.security import gated
from web.kit.sessions import Asked


class TagNeeded(Invalid):
    """Please write a tag."""


@post("/people/{uid:str}/details", opt=gated(Power.CHANGE_PEOPLE))
async def change_details(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Change what somebody is called, where they live and which language they read."""
    form = await read_form(request)

    async def change(person: Person) -> str:
        typed = _details(form)
        if "language" in typed:
            typed["language"] = known_language(typed["language"], person.subscriber.language)
        await subscribers.change_details(work, person.subscriber, **typed)
        return _("The details are changed.")

    return await changed(request, work, uid, form, change)


def _details(form: Form) -> Details:
    """Give what the form says of somebody; what it does not have stays as it is."""
    typed: Details = {}
    sent = set(form.names())
    for name in Details.__annotations__:
        if name in sent:
            typed[name] = form.text(name)  # type: ignore[literal-required]  # its own names
    return typed


@post("/people/{uid:str}/address", opt=gated(Power.CHANGE_PEOPLE))
async def change_address(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Change an address at once; the old one is told."""
    form = await read_form(request)

    async def change(person: Person) -> str:
        await subscribers.change_address(work, person.subscriber, form.text("address", limit=320))
        if person.subscriber.address is None:
            return _("The address is kept.")
        return _("The address is changed. The old one was told, with a way to undo it.")

    return await changed(request, work, uid, form, change)


@post("/people/{uid:str}/phone", opt=gated(Power.CHANGE_PEOPLE))
async def change_phone(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Write down how somebody is called, with the words they agreed to, or that they are not."""
    form = await read_form(request)

    async def change(person: Person) -> str:
        if form.flag("forget"):
            await phones.forget(work, person.subscriber)
            return _("The telephone number is forgotten.")
        await phones.note(
            work,
            person.subscriber,
            form.text("phone", limit=60),
            wording=form.text("wording", limit=2000),
            language=person.subscriber.language,
            best_time=form.text("best_time"),
            never_call=form.flag("never_call"),
        )
        return _("How they are called is noted.")

    return await changed(request, work, uid, form, change)


@post("/people/{uid:str}/tags", opt=gated(Power.CHANGE_PEOPLE))
async def change_tags(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Put a tag on somebody, or take one off. htmx is given the tags alone."""
    form = await read_form(request)
    if request.headers.get("hx-request") == "true":
        person = await records.person(work, uid)
        async with attempt(work) as tried:
            await _tag(work, person, form)
        return await tags_part(request, work, person, typed=form.text("tag"), tried=tried)

    async def change(person: Person) -> str:
        return await _tag(work, person, form)

    return await changed(request, work, uid, form, change)


async def _tag(work: Working, person: Person, form: Form) -> str:
    if form.text("off"):
        tag = await tag_store.by_uid(work, form.text("off"))
        if tag is None or not await tags.untag_many(work, [person.subscriber.no], tag):
            return _("Nothing has changed.")
        return _("No longer tagged “%(tag)s”.") % {"tag": tag.name}
    typed = form.text("tag")
    if not typed:
        raise TagNeeded(field="tag")
    try:
        tag = await tags.make(work, name=typed)
    except Invalid as refusal:
        refusal.facts["field"] = "tag"
        raise
    await tags.tag_many(work, [person.subscriber.no], tag)
    return _("Tagged “%(tag)s”.") % {"tag": tag.name}


@post("/people/{uid:str}/fields", opt=gated(Power.CHANGE_PEOPLE))
async def change_fields(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Write what is known of somebody into the fields that the organisation has made."""
    form = await read_form(request)
    said = {
        field: typed
        for field in await field_store.all_fields(work)
        if (typed := answers.typed_in(form, field)) is not None
    }
    if errors := answers.wrong_in(said):
        person = await records.person(work, uid)
        return await person_page(request, work, person, form=form, errors=errors, said=said)

    async def change(person: Person) -> str:
        for field, typed in said.items():
            await fields.set_value(work, person.subscriber, field, typed)
        return _("What we know of them is kept.")

    return await changed(request, work, uid, form, change)


HANDLERS = [
    change_details,
    change_address,
    change_phone,
    change_tags,
    change_fields,
]
