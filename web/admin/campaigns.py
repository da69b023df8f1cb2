"""Campaigns: the list, a new one, and the page where its words are written.

Every button that leads on saves what was typed, so that nobody loses words by asking for a test or
a review. Saving adds a revision; the older ones stay.
"""

import contextlib
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, SkipValidation
from litestar.response import Template

from mailer.accounts import store as accounts
from mailer.accounts.model import Power
from mailer.campaigns import composing
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign, Kind, OnDoubt, Revision
from mailer.content.merge import FIELDS
from mailer.deliveries import testing
from mailer.kit.errors import NotFound, Refusal
from mailer.kit.i18n import LANGUAGES, _, language, own_name
from mailer.kit.work import Door, Work
from web.admin import audience as audiences
from web.admin import offering, previewing
from web.admin.corrected import first_of, still_going
from web.admin.telling import language_name, moment, number, said, shortly
from web.kit.forms import Form, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import account_of, gated
from web.kit.sessions import Asked, visit_of

Working = NamedDependency[SkipValidation[Work]]


class CampaignUnknown(NotFound):
    """There is no such campaign."""


async def campaign_at(work: Work, uid: str) -> Campaign:
    """Find the campaign that an address names."""
    found = await campaigns.by_uid(work, uid)
    if found is None:
        raise CampaignUnknown
    return found


def at(campaign: Campaign, page: str = "") -> str:
    """Give the address of a campaign, or of one of its pages."""
    return f"/admin/campaigns/{campaign.uid}{page}"


def base_of(request: Asked) -> str:
    """Give the public address of the pages, as it stands in mails."""
    return visit_of(request).house.settings.public_url


# --- the list -----------------------------------------------------------------------------------


@get("/campaigns", opt=gated(Power.WRITE))
async def show_campaigns(request: Asked, work: Working, after: FromQuery[int] = 0) -> Template:
    """Show all campaigns, the newest first."""
    found = await campaigns.all_campaigns(work, after)
    return page(
        request,
        "admin/campaigns/list.html",
        campaigns=[_listed(one) for one in found.rows],
        next=f"?after={found.next_after}" if found.next_after else "",
        before="/admin/campaigns" if after else "",
    )


def _listed(campaign: Campaign) -> dict[str, Any]:
    at = campaign.ended_at or campaign.started_at or campaign.send_at
    begun = _("begun %(when)s") % {"when": shortly(campaign.made_at)}
    return {
        "uid": campaign.uid,
        "name": campaign.name,
        "state": campaign.state,
        "when": shortly(at) if at else begun,
        "people": "" if campaign.recipients is None else number(campaign.recipients),
    }


@get("/campaigns/new", opt=gated(Power.WRITE))
async def show_new_campaign(request: Asked) -> Template:
    """Ask for a name."""
    return _new_page(request, name="", kind=Kind.NEWSLETTER, why="", errors={})


@post("/campaigns/new", opt=gated(Power.WRITE))
async def begin_campaign(request: Asked, work: Working) -> Response[Any]:
    """Begin a draft, and lead on to its words."""
    form = await read_form(request)
    async with attempt(work) as tried:
        name = form.text("name", limit=200)
        if form.raw("kind") == Kind.ALERT:
            why = form.text("why_urgent", limit=300)
            begun = await composing.begin_alert(work, name=name, why=why)
        else:
            begun = await composing.begin(work, name=name)
    if tried.refusal:
        return _new_page(
            request,
            name=form.raw("name"),
            kind=form.raw("kind"),
            why=form.raw("why_urgent"),
            errors=tried.errors,
        )
    return redirect(at(begun, "/write"))


def _new_page(
    request: Asked, *, name: str, kind: str, why: str, errors: dict[str, str]
) -> Template:
    return page(
        request,
        "admin/campaigns/new.html",
        status=422 if errors else 200,
        name=name,
        kind=kind or Kind.NEWSLETTER.value,
        why=why,
        kinds=[
            (
                Kind.NEWSLETTER.value,
                _("A newsletter"),
                _("Whoever has had as many as their level promises is left out."),
            ),
            (
                Kind.ALERT.value,
                _("An alert, because it cannot wait"),
                _("It goes to all of them. Four a year at most, and each says why."),
            ),
        ],
        errors=errors,
    )


# --- writing ------------------------------------------------------------------------------------


class Writing(msgspec.Struct, frozen=True, kw_only=True):
    """What the form of a draft holds: its words in one language, its ask, and who gets it how."""

    code: str
    document: dict[str, dict[str, str]]
    list_no: int | None
    to_everybody: bool
    tier_nos: list[int]
    segment_no: int | None
    ask_no: int | None
    best_ask: bool
    on_doubt: OnDoubt
    in_archive: bool

    @property
    def words(self) -> dict[str, str]:
        """Give the words of the language that is being written in."""
        return {part: self.document.get(self.code, {}).get(part, "") for part in composing.PARTS}

    def as_revision(self, campaign: Campaign) -> Revision:
        """Give the words as a revision that nobody keeps."""
        nothing = dict.fromkeys(composing.PARTS, "")
        document = {code: {**nothing, **words} for code, words in self.document.items()}
        return Revision(campaign_no=campaign.no, document=document)

    def as_campaign(self, campaign: Campaign) -> Campaign:
        """Give the campaign with what stands under its words, as one that nobody keeps."""
        return Campaign(
            no=campaign.no,
            kind=campaign.kind,
            state=campaign.state,
            list_no=self.list_no,
            why_urgent=campaign.why_urgent,
            ask_no=self.ask_no,
            best_ask=self.best_ask,
            asked=campaign.asked,
        )


async def _saved(work: Work, campaign: Campaign, code: str) -> Writing:
    revision = await campaigns.newest_revision(work, campaign)
    return Writing(
        code=code,
        document=revision.document if revision else {},
        list_no=campaign.list_no,
        to_everybody=campaign.to_everybody,
        tier_nos=campaign.tier_nos,
        segment_no=campaign.segment_no,
        ask_no=campaign.ask_no,
        best_ask=campaign.best_ask,
        on_doubt=campaign.on_doubt,
        in_archive=campaign.in_archive,
    )


async def _typed(work: Work, campaign: Campaign, form: Form) -> Writing:
    audience: dict[str, Any]
    code = _known(form.raw("language"))
    revision = await campaigns.newest_revision(work, campaign)
    words = {part: form.values.get(part, "") for part in composing.PARTS}
    if campaign.corrects_no is not None:  # its people are given, and the form does not ask
        audience = {
            "list_no": campaign.list_no,
            "to_everybody": campaign.to_everybody,
            "tier_nos": campaign.tier_nos,
            "segment_no": campaign.segment_no,
        }
    else:
        audience = audiences.typed(form)
    return Writing(
        code=code,
        document={**(revision.document if revision else {}), code: words},
        **audience,
        **offering.typed(form),
        on_doubt=OnDoubt.RESEND if form.raw("on_doubt") == OnDoubt.RESEND else OnDoubt.HOLD,
        in_archive=form.flag("in_archive"),
    )


def is_writing(form: Form) -> bool:
    """Say whether the words of a draft came along with a button."""
    return bool(form.raw("language"))


async def keep(work: Work, campaign: Campaign, form: Form) -> None:
    """Save what was typed: its words as a new revision, its ask, and who gets it how."""
    writing = await _typed(work, campaign, form)
    await composing.choose_audience(
        work,
        campaign,
        list_no=writing.list_no,
        to_everybody=writing.to_everybody,
        tier_nos=writing.tier_nos,
        segment_no=writing.segment_no,
        on_doubt=writing.on_doubt,
        in_archive=writing.in_archive,
    )
    await composing.choose_ask(work, campaign, ask_no=writing.ask_no, best=writing.best_ask)
    await composing.revise(
        work, campaign, words=writing.document, opened=await _opened(work, campaign, form)
    )


async def _opened(work: Work, campaign: Campaign, form: Form) -> dict[str, dict[str, str]] | None:
    """Give the words that stood in the form when it was opened."""
    number = form.raw("opened")
    if not number.isdecimal():
        return None
    revision = await campaigns.revision(work, int(number))
    return revision.document if revision and revision.campaign_no == campaign.no else {}


@get("/campaigns/{uid:str}/write", opt=gated(Power.WRITE))
async def show_writing(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Show a draft in one language, as it was last saved."""
    campaign = await campaign_at(work, uid)
    if not campaign.is_editable:
        return redirect(at(campaign))
    code = _known(request.query_params.get("language") or language.get())
    return await _writing_page(request, work, campaign, await _saved(work, campaign, code))


@post("/campaigns/{uid:str}/write", opt=gated(Power.WRITE))
async def save_writing(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Save what was typed as a new revision."""
    campaign = await campaign_at(work, uid)
    form = await read_form(request)
    if not is_writing(form):
        return redirect(at(campaign, "/write"))
    async with attempt(work) as tried:
        await keep(work, campaign, form)
    if tried.refusal:
        return await mending_page(request, work, campaign, form, tried.refusal)
    then = _known(form.raw("then"))
    return redirect(at(campaign, f"/write?language={then}"), notice=_("Saved."))


@post("/campaigns/{uid:str}/test", opt=gated(Power.WRITE))
async def send_test(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Save what was typed, and send it to whoever asks, at their own address."""
    campaign = await campaign_at(work, uid)
    account = account_of(request)
    form = await read_form(request)
    code = _known(form.raw("language") or language.get())
    async with attempt(work) as tried:
        if is_writing(form):
            await keep(work, campaign, form)
        await testing.send_test(work, campaign, account, language=code)
    if tried.refusal and is_writing(form):
        return await mending_page(request, work, campaign, form, tried.refusal)
    if tried.refusal:
        raise tried.refusal
    told = _("A test is on its way to your own address, %(address)s, and to nobody else.")
    return redirect(
        at(campaign, f"/write?language={code}" if campaign.is_editable else ""),
        notice=told % {"address": account.address},
    )


async def mending_page(
    request: Asked, work: Work, campaign: Campaign, form: Form, refusal: Refusal
) -> Template:
    """Show what was typed with what is wrong in it. Nothing of it was saved."""
    return await _writing_page(
        request, work, campaign, await _typed(work, campaign, form), refusal=refusal
    )


async def _writing_page(
    request: Asked,
    work: Work,
    campaign: Campaign,
    writing: Writing,
    *,
    refusal: Refusal | None = None,
) -> Template:
    asked = request.query_params
    reader = await previewing.sample(work, tier=asked.get("as", ""), name=asked.get("name", ""))
    first = await first_of(work, campaign)
    errors = _errors(refusal, writing.code)
    return page(
        request,
        "admin/campaigns/write.html",
        status=422 if refusal else 200,
        campaign=campaign,
        saved=await _when_saved(work, campaign),
        may_send=account_of(request).may(Power.SEND),
        writing_in=writing.code,
        language_tabs=_tabs(writing),
        others=[
            (code, _("Save, then write in %(language)s") % {"language": language_name(code)})
            for code in LANGUAGES
            if code != writing.code
        ],
        words=writing.words,
        opened=campaign.revision_no or 0,
        fields=_fields(),
        **await audiences.choices(work, writing),
        **await offering.choices(work, writing),
        first=first,
        still=await still_going(work, first),
        reader=await previewing.choices(work, reader),
        sketch=await _sketch(request, work, campaign, writing, reader),
        typed=refusal is not None,
        errors=errors,
        summary=[
            (name, label, errors.get(name))
            for name, label in (
                ("writing", _("This draft")),
                ("subject", _("Subject")),
                ("preheader", _("Preview line")),
                ("headline", _("Headline")),
                ("markdown", _("Text")),
                ("ask", _("The ask")),
                ("list", _("List")),
                ("tier", _("Levels")),
                ("segment", _("Segment")),
            )
        ],
    )


def _errors(refusal: Refusal | None, code: str) -> dict[str, str]:
    """Give what is wrong by the field of this page that it is about, or by the whole."""
    if refusal is None:
        return {}
    words, field = said(refusal), refusal.facts.get("field")
    other = refusal.facts.get("language")
    if other and other != code:
        told = _("%(language)s: %(refusal)s")
        return {"writing": told % {"language": language_name(str(other)), "refusal": words}}
    shown = {*composing.PARTS, "ask", "list", "tier", "segment"}
    return {str(field) if field in shown else "writing": words}


async def _when_saved(work: Work, campaign: Campaign) -> str:
    revision = await campaigns.newest_revision(work, campaign)
    if revision is None:
        return _("A draft. Nothing has been written yet.")
    names = await accounts.names(work)
    facts = {"when": moment(revision.made_at), "who": names.get(revision.made_by or 0, "")}
    if facts["who"]:
        return _("A draft. Saved on %(when)s by %(who)s.") % facts
    return _("A draft. Saved on %(when)s.") % facts


def _tabs(writing: Writing) -> list[tuple[str, str, str]]:
    return [
        (
            code,
            own_name(code)
            if any(writing.document.get(code, {}).values())
            else _("%(language)s, empty") % {"language": own_name(code)},
            f"?language={code}",
        )
        for code in LANGUAGES
    ]


def _fields() -> list[tuple[str, str]]:
    """List what can be merged, as it is typed, with what it is."""
    words = {
        "first_name": _("First name"),
        "last_name": _("Last name"),
        "city": _("Town"),
        "group": _("Their group"),
        "tier": _("Their level"),
        "tier_promise": _("What their level promises"),
        "joined": _("The day they joined"),
        "list": _("The list it goes to"),
    }
    fallbacks = {"first_name": _("friend"), "group": _("your group"), "city": _("your town")}
    fields = [
        (
            f"{{{{ {name} }}}}"
            if field.everybody
            else f"{{{{ {name}|{fallbacks.get(name, _('friend'))} }}}}",
            words[name],
        )
        for name, field in FIELDS.items()
    ]
    return [
        *fields,
        ("[{}]({{{{ link.preferences }}}})".format(_("words")), _("A link to their preferences")),
        (
            "[{}]({{{{ link.tier.up }}}})".format(_("words")),
            _("A link to the level above theirs, or to their preferences"),
        ),
        (
            "[{}]({{{{ link.tier.down }}}})".format(_("words")),
            _("A link to the level below theirs"),
        ),
        ("[{}]({{{{ link.pause }}}})".format(_("words")), _("A link to take a break")),
    ]


def _known(code: str | None) -> str:
    return code if code in LANGUAGES else LANGUAGES[0]


# --- how it looks -------------------------------------------------------------------------------


@get("/campaigns/{uid:str}/preview/{code:str}", opt=gated(Power.WRITE))
async def show_preview(
    request: Asked, work: Working, uid: FromPath[str], code: FromPath[str]
) -> Response[Any]:
    """Show the saved words as one reader will get them."""
    campaign = await campaign_at(work, uid)
    asked = request.query_params
    reader = await previewing.sample(work, tier=asked.get("as", ""), name=asked.get("name", ""))
    writing = await _saved(work, campaign, _known(code))
    return await _framed(request, work, campaign, writing, reader)


@post("/campaigns/{uid:str}/preview/{code:str}", opt=gated(Power.WRITE), status_code=200)
async def show_typed(request: Asked, uid: FromPath[str], code: FromPath[str]) -> Response[Any]:
    """Show words that are typed and not saved."""
    form = await read_form(request)
    async with _looking(request) as work:
        campaign = await campaign_at(work, uid)
        reader = await previewing.sample(work, tier=form.raw("as"), name=form.raw("name"))
        writing = await _typed(work, campaign, form)
        return await _framed(
            request, work, campaign, msgspec.structs.replace(writing, code=_known(code)), reader
        )


async def _framed(
    request: Asked, work: Work, campaign: Campaign, writing: Writing, reader: previewing.Sample
) -> Response[Any]:
    try:
        seen = await previewing.see(
            work,
            writing.as_campaign(campaign),
            writing.as_revision(campaign),
            writing.code,
            reader,
            base=base_of(request),
        )
    except Refusal as refusal:
        return previewing.unshown(refusal)
    return previewing.document(seen.preview.html)


@post("/campaigns/{uid:str}/sketch", opt=gated(Power.WRITE), status_code=200)
async def show_sketch(request: Asked, uid: FromPath[str]) -> Template:
    """Say of words that are typed and not saved what they lack, and how they read as text."""
    form = await read_form(request)
    async with _looking(request) as work:
        campaign = await campaign_at(work, uid)
        reader = await previewing.sample(work, tier=form.raw("as"), name=form.raw("name"))
        writing = await _typed(work, campaign, form)
        sketch = await _sketch(request, work, campaign, writing, reader)
    return page(request, "admin/campaigns/_sketch.html", sketch=sketch, writing_in=writing.code)


async def _sketch(
    request: Asked, work: Work, campaign: Campaign, writing: Writing, reader: previewing.Sample
) -> previewing.Sketch:
    if not any(writing.words.values()):
        return previewing.Sketch([("off", _("Nothing has been written yet"), "")])
    try:
        return previewing.sketched(
            await previewing.see(
                work,
                writing.as_campaign(campaign),
                writing.as_revision(campaign),
                writing.code,
                reader,
                base=base_of(request),
            )
        )
    except Refusal as refusal:
        return previewing.unsketched(refusal)


def _looking(request: Asked) -> contextlib.AbstractAsyncContextManager[Work]:
    """Open a unit of work that only reads: what is typed is posted, and changes nothing.

    On SQLite it so waits for no writer, and no writer for somebody who types.
    """
    visit = visit_of(request)
    return visit.house.work(
        reading=True, scope=visit.scope, account=account_of(request).no, door=Door.ADMIN
    )


HANDLERS = [
    show_campaigns,
    show_new_campaign,
    begin_campaign,
    show_writing,
    save_writing,
    send_test,
    show_preview,
    show_typed,
    show_sketch,
]
