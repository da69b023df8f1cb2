"""What people say of themselves beyond name and town, and that another address is theirs too."""

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.types import ControllerRouterHandler

from mailer.fields import actions as fields
from mailer.fields import special
from mailer.fields import store as field_store
from mailer.kit.addresses import masked
from mailer.kit.errors import NotFound, Refusal
from mailer.kit.i18n import _
from mailer.kit.tokens import LinkUnknown
from mailer.kit.work import Work
from mailer.records import also_me, merging
from mailer.records.model import AlsoMe, Merging
from mailer.records.pairs import store as pairs
from mailer.subscribers import store as subscribers
from web.kit import answers
from web.kit.forms import Form
from web.kit.security import member_link
from web.kit.sessions import Asked
from web.public import knowing
from web.public.opening import Answer, Opened, leads_nowhere
from web.public.preferences import done_through


class QuestionGone(NotFound):
    """This is not asked any more."""


# --- fields ---------------------------------------------------------------------------------------


@post("/my/{token:str}/fields", opt=member_link, status_code=200)
async def change_fields(
    request: Asked, work: NamedDependency[SkipValidation[Work]], token: FromPath[str]
) -> Answer:
    """Say something of oneself in the fields that the organisation has made."""
    return await done_through(request, work, token, _fill)


async def _fill(link: Opened, form: Form) -> str:
    for field in await knowing.plain_fields(link):
        typed = answers.typed_in(form, field)
        if typed is None:
            continue
        try:
            await fields.set_value(link.work, link.subscriber, field, typed)
        except Refusal as refusal:
            refusal.facts["field"] = answers.name_of(field)
            raise
    return _("Saved.")


@post("/my/{token:str}/protected", opt=member_link, status_code=200)
async def change_protected(
    request: Asked, work: NamedDependency[SkipValidation[Work]], token: FromPath[str]
) -> Answer:
    """Tell what is specially protected, with a consent of its own, or take it back."""
    return await done_through(request, work, token, _tell)


async def _tell(link: Opened, form: Form) -> str:
    field = await field_store.by_slug(link.work, form.text("protected"))
    if field is None or not field.is_special or field.closed_at is not None:
        raise QuestionGone
    typed = "" if form.flag("take_back") else answers.typed_in(form, field) or ""
    try:
        await special.tell(
            link.work, link.subscriber, field, typed, agreed=form.flag(f"agreed-{field.slug}")
        )
    except Refusal as refusal:
        refusal.facts["field"] = answers.name_of(field)
        raise
    if not typed:
        return _("Taken back. We keep nothing of it.")
    return _("Saved. It is encrypted, and nobody reads it but you.")


# --- another address of mine ----------------------------------------------------------------------


@post("/my/{token:str}/also", opt=member_link, status_code=200)
async def name_other_address(
    request: Asked, work: NamedDependency[SkipValidation[Work]], token: FromPath[str]
) -> Answer:
    """Say that another address is one's own too; a letter asks there."""
    return await done_through(request, work, token, _name)


async def _name(link: Opened, form: Form) -> str:
    await also_me.ask(link.work, link.subscriber, form.text("other_address", limit=320))
    return _("If that address is on the roll, we have written there. Say yes in that email.")


async def show_question(link: Opened) -> Answer:
    """Ask at the other address whether both are one person; afterwards say that they are."""
    wish = await _its_wish(link)
    other = await subscribers.by_address(link.work, wish.address)
    done = wish.merging_no is not None
    if not done and (other is None or other.no == link.subscriber.no):
        return leads_nowhere(link.request)
    # The reader is at the other address: that one stands on the page, and not who asked.
    here = masked(wish.address)
    return link.page("public/also_me/question.html", other=here, masked=here, done=done)


async def say_yes(link: Opened) -> str:
    """Make both one."""
    wish = await _its_wish(link)
    await also_me.confirm(link.work, wish.no)
    return link.here


async def show_merging(link: Opened) -> Answer:
    """Ask whether to make two of one again; afterwards say that they are two."""
    made = await _its_merging(link)
    return link.page("public/also_me/undo.html", undone=made.undone_at is not None)


async def undo_merging(link: Opened) -> str:
    """Make two of one again."""
    made = await _its_merging(link)
    await merging.undo(link.work, made.no)
    return link.here


async def _its_wish(link: Opened) -> AlsoMe:
    """Find what the link is about; it must be this person's, by whichever entry they said it."""
    wish = await pairs.also_me(link.work, link.claim.subject)
    if wish is None or wish.subscriber_no != link.claim.subscriber:
        raise LinkUnknown
    return wish


async def _its_merging(link: Opened) -> Merging:
    made = await pairs.merging(link.work, link.claim.subject)
    if made is None or made.kept_no != link.claim.subscriber:
        raise LinkUnknown
    return made


HANDLERS: list[ControllerRouterHandler] = [change_fields, change_protected, name_other_address]
