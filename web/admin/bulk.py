"""Doing one thing to many: what, to whom, the question before it, how far it is, undoing it.

What is chosen on the page of people comes along in the address. It is counted first, shown with the
exact number and with what each is told, and done when somebody says yes.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from mailer.accounts import store as accounts
from mailer.accounts.model import Power
from mailer.bulk import actions as bulk
from mailer.bulk import store
from mailer.bulk.actions import ActUnknown
from mailer.bulk.model import TYPED_FROM, UNDO_FOR, BulkAct, BulkState, Deed
from mailer.consent import store as lists
from mailer.groups import store as groups
from mailer.groups.facets import ROLES
from mailer.kit.errors import every_refusal, message_of
from mailer.kit.i18n import N_, _, in_language, ngettext
from mailer.kit.work import Door, Work
from mailer.segments import asking, telling
from mailer.segments.asking import Tree
from mailer.tags import store as tags
from mailer.tiers import store as ladder
from web.admin import building
from web.admin.campaigns import Working
from web.admin.telling import number, people, shortly
from web.kit.errors import status_of
from web.kit.forms import Form, NotANumber, Tried, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import account_of, gated
from web.kit.sessions import Asked, visit_of

AT_ONCE = 50
"""So few are done before the page answers; more are the worker's."""

PATIENCE = 5.0  # seconds that somebody waits for a page

MOST_ONE_BY_ONE = 200

USUAL_BREAK = 30  # days


class Family(msgspec.Struct, frozen=True):
    """What is chosen by one button of the page of people: a deed, and perhaps its contrary."""

    title: str  # N_()
    deeds: tuple[tuple[Deed, str], ...]  # with N_() words where there are two


FAMILIES = {
    "tag": Family(
        N_("Tag them"), ((Deed.TAG, N_("Put a tag on them")), (Deed.UNTAG, N_("Take a tag off")))
    ),
    "tier": Family(N_("Move them to another level"), ((Deed.TIER, ""),)),
    "group": Family(
        N_("Put them into a group"),
        ((Deed.GROUP, N_("Put them in")), (Deed.LEAVE_GROUP, N_("Take them out"))),
    ),
    "list": Family(
        N_("Lists"),
        (
            (Deed.LIST, N_("Ask them by email whether they want it")),
            (Deed.LEAVE_LIST, N_("Take them off")),
        ),
    ),
    "pause": Family(N_("Pause all emails to them"), ((Deed.PAUSE, ""),)),
    "take_off": Family(N_("Take them off all emails"), ((Deed.TAKE_OFF, ""),)),
}


def at(act: BulkAct, more: str = "") -> str:
    """Give the address of an act's page, or of one of its forms."""
    return f"/admin/bulk/{act.uid}{more}"


async def act_at(work: Work, uid: str) -> BulkAct:
    """Find an act that the reader may see."""
    found = await store.by_uid(work, uid)
    if found is None:
        raise ActUnknown
    return found


# --- what, and to whom --------------------------------------------------------------------------


class Whom(msgspec.Struct, frozen=True):
    """Who was chosen: all who answer to a question, or these."""

    who: str
    tree: Tree | None = None
    uids: tuple[str, ...] = ()

    @property
    def is_anybody(self) -> bool:
        """Say whether anybody was chosen at all."""
        return self.tree is not None or bool(self.uids)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Give it as the hidden fields of a form."""
        return [
            ("who", self.who),
            *([("tree", building.written(self.tree))] if self.tree is not None else []),
            *[("person", uid) for uid in self.uids],
        ]


def read_whom(who: str, tree: str, ticked: Sequence[str], shown: Sequence[str]) -> Whom:
    """Read who was chosen: "all" is whoever matches, which is everybody where nothing was asked."""
    if who == "all":
        return Whom(who, building.read_asked(tree) or asking.EVERYBODY)
    chosen = shown if who == "shown" else ticked
    return Whom("ticked", None, tuple(dict.fromkeys(chosen))[:MOST_ONE_BY_ONE])


@get("/bulk/new", opt=gated(Power.CHANGE_PEOPLE))
async def show_new_act(request: Asked, work: Working) -> Response[Any]:
    """Ask what exactly is to be done to those who were chosen."""
    said = request.query_params
    family = said.get("deed", "")
    whom = read_whom(
        said.get("who", ""),
        said.get("tree", ""),
        said.getall("person", []),
        said.getall("shown", []),
    )
    if not whom.is_anybody or family not in FAMILIES:
        back = "/admin/people" + building.query(building.read_asked(said.get("tree", "")))
        told = _("Nobody was ticked. Tick some people first, or choose everybody.")
        return redirect(back, notice=told, kind="info")
    return await _new_page(request, work, family, whom, {}, Tried())


@post("/bulk", opt=gated(Power.CHANGE_PEOPLE))
async def propose(request: Asked, work: Working) -> Response[Any]:
    """Count whom it would touch, and lead on to the question."""
    form = await read_form(request)
    family = form.raw("family")
    if family not in FAMILIES:
        return redirect("/admin/people")
    deeds = [deed for deed, _words in FAMILIES[family].deeds]
    deed = next((one for one in deeds if one.value == form.raw("deed")), deeds[0])
    whom = read_whom(form.raw("who"), form.raw("tree"), form.many("person"), [])
    async with attempt(work) as tried:
        facts = await _facts(work, form)
        act = await bulk.propose(work, deed, facts, tree=whom.tree, uids=list(whom.uids))
    if tried.refusal:
        return await _new_page(request, work, family, whom, form.values, tried)
    return redirect(at(act))


async def _facts(work: Work, form: Form) -> dict[str, Any]:
    """Read what was chosen, by its number; what a deed does not need it does not look at."""
    tag = await tags.by_uid(work, form.raw("tag"))
    tier = await ladder.by_slug(work, form.raw("tier"))
    group = await groups.by_uid(work, form.raw("group"))
    mailing_list = await lists.list_by_slug(work, form.raw("list"))
    return {
        "tag": tag.no if tag else 0,
        "tier": tier.no if tier else 0,
        "group": group.no if group else 0,
        "list": mailing_list.no if mailing_list else 0,
        "role": form.raw("role"),
        "reason": form.text("reason", limit=300),
        "days": form.whole("days"),
    }


_FIELDS = ("deed", "tag", "tier", "group", "list", "role", "reason", "days")


async def _new_page(
    request: Asked, work: Work, family: str, whom: Whom, typed: dict[str, str], tried: Tried
) -> Template:
    known = FAMILIES[family]
    usual = {"days": str(USUAL_BREAK), "deed": known.deeds[0][0].value}
    return page(
        request,
        "admin/bulk/new.html",
        status=status_of(tried.refusal) if tried.refusal else 200,
        family=family,
        title=_(known.title),
        ways=[(deed.value, _(words)) for deed, words in known.deeds if words],
        whom=await _who(work, whom),
        fields=whom.fields,
        back="/admin/people" + building.query(whom.tree if whom.tree != asking.EVERYBODY else None),
        values={name: typed.get(name, usual.get(name, "")) for name in _FIELDS},
        errors=tried.errors,
        tags=[(one.uid, one.name) for one in await tags.open_tags(work)],
        levels=[(one.slug, in_language(one.name)) for one in await ladder.ladder(work)],
        groups=[(one.uid, one.name) for one in await groups.open_groups(work)],
        roles=[(value, _(words)) for value, words in ROLES.items()],
        lists=[(one.slug, in_language(one.name)) for one in await lists.lists(work)],
    )


async def _who(work: Work, whom: Whom) -> str:
    if whom.tree is not None:
        return await telling.sentence(work, whom.tree)
    return _("%(people)s, chosen one by one") % {"people": people(len(whom.uids))}


# --- one act ------------------------------------------------------------------------------------


@get("/bulk", opt=gated(Power.CHANGE_PEOPLE))
async def show_acts(request: Asked, work: Working) -> Template:
    """Show what was done to many lately."""
    names = await accounts.names(work)
    return page(
        request,
        "admin/bulk/list.html",
        acts=[
            {
                "title": (await _words(work, act))["title"],
                "href": at(act),
                "state": _state(act),
                "when": shortly(act.confirmed_at or act.made_at),
                "who": names.get(act.made_by or 0, ""),
                "changed": number(act.changed - act.returned),
            }
            for act in await store.recent(work)
        ],
    )


@get("/bulk/{uid:str}", opt=gated(Power.CHANGE_PEOPLE))
async def show_act(request: Asked, work: Working, uid: FromPath[str]) -> Template:
    """Ask before an act, or show how far it is and what it has done."""
    return await _act_page(request, work, await act_at(work, uid), Tried())


@get("/bulk/{uid:str}/progress", opt=gated(Power.CHANGE_PEOPLE, by_itself=True))
async def show_progress(request: Asked, work: Working, uid: FromPath[str]) -> Template:
    """Show how far an act is: the part of its page that is asked for again and again."""
    act = await act_at(work, uid)
    answer = page(request, "admin/bulk/_progress.html", **_progress(act))
    if act.state not in {BulkState.WORKING, BulkState.UNDOING}:
        answer.headers["HX-Refresh"] = "true"
    return answer


@post("/bulk/{uid:str}/decision", opt=gated(Power.CHANGE_PEOPLE))
async def decide(request: Asked, uid: FromPath[str]) -> Response[Any]:
    """Do it, or leave it."""
    form = await read_form(request)
    visit = visit_of(request)
    async with visit.house.work(
        scope=visit.scope, account=account_of(request).no, door=Door.ADMIN
    ) as work:
        act = await act_at(work, uid)
        if form.raw("answer") != "yes":
            if form.raw("answer") == "no":
                await bulk.leave(work, act)
                return redirect("/admin/people", notice=_("Nothing has changed."))
            return redirect(at(act))
        async with attempt(work) as tried:
            await bulk.confirm(work, act, typed=_typed_number(form))
        if tried.refusal:
            return await _act_page(request, work, act, tried, typed=form.raw("number"))
    return await _carried_on(request, act)


def _typed_number(form: Form) -> int | None:
    """Read a number as people write it: "12,480" and "12 480" are one."""
    digits = "".join(letter for letter in form.raw("number") if letter.isdecimal())[:12]
    if form.raw("number").strip() and not digits:
        raise NotANumber(field="number")
    return int(digits) if digits else None


@post("/bulk/{uid:str}/stop", opt=gated(Power.CHANGE_PEOPLE))
async def stop(work: Working, uid: FromPath[str]) -> Response[Any]:
    """Stop an act before its next batch."""
    act = await act_at(work, uid)
    async with attempt(work) as tried:
        await bulk.stop(work, act)
    if tried.refusal:
        return redirect(at(act), notice=tried.words, kind="warn")
    return redirect(at(act), notice=_("Stopped. What was done stays until you undo it."))


@post("/bulk/{uid:str}/undo", opt=gated(Power.CHANGE_PEOPLE))
async def undo(request: Asked, uid: FromPath[str]) -> Response[Any]:
    """Take an act back."""
    visit = visit_of(request)
    async with visit.house.work(
        scope=visit.scope, account=account_of(request).no, door=Door.ADMIN
    ) as work:
        act = await act_at(work, uid)
        async with attempt(work) as tried:
            await bulk.undo(work, act)
    if tried.refusal:
        return redirect(at(act), notice=tried.words, kind="warn")
    return await _carried_on(request, act)


async def _carried_on(request: Asked, act: BulkAct) -> Response[Any]:
    """Do what is little at once, so that the page shows it done; the rest is the worker's."""
    if act.touches <= AT_ONCE:
        await bulk.drive(visit_of(request).house, act.uid, patience=PATIENCE)
    return redirect(at(act))


async def _act_page(
    request: Asked, work: Work, act: BulkAct, tried: Tried, *, typed: str = ""
) -> Template:
    names = await accounts.names(work)
    who = Whom("all", act.tree) if act.tree else Whom("ticked", None, ("",) * act.touches)
    return page(
        request,
        "admin/bulk/confirm.html" if act.state is BulkState.WAITING else "admin/bulk/show.html",
        status=status_of(tried.refusal) if tried.refusal else 200,
        act=act,
        here=at(act),
        who=await _who(work, who),
        **await _words(work, act),
        told=_told(act),
        touches=number(act.touches),
        is_typed=act.touches >= TYPED_FROM,
        typed=typed,
        errors=tried.errors,
        state=_state(act),
        is_busy=act.state in {BulkState.WORKING, BulkState.UNDOING},
        may_undo=act.is_open_to_undo(work.now),
        by=names.get(act.made_by or 0, ""),
        when=shortly(act.confirmed_at) if act.confirmed_at else "",
        days=UNDO_FOR.days,
        why_ended=_why_ended(act),
        **_progress(act),
    )


# --- its words ----------------------------------------------------------------------------------


async def _words(work: Work, act: BulkAct) -> dict[str, str]:
    """Say what an act does: as a question, as a button, and as a heading afterwards."""
    facts = {"people": people(act.touches), "what": await _what(work, act)}
    question, yes, title = _SAID[act.deed]
    if act.deed is Deed.PAUSE:
        days = int(act.facts["days"])
        facts["what"] = ngettext("%(count)s day", "%(count)s days", days) % {"count": number(days)}
    if act.deed is Deed.GROUP:
        facts["role"] = _(ROLES[act.facts["role"]])
    return {"question": _(question) % facts, "yes": _(yes), "title": _(title) % facts}


_SAID = {
    Deed.TAG: (
        N_("Put the tag “%(what)s” on %(people)s?"),
        N_("Yes, tag them"),
        N_("The tag “%(what)s” for %(people)s"),
    ),
    Deed.UNTAG: (
        N_("Take the tag “%(what)s” off %(people)s?"),
        N_("Yes, take it off"),
        N_("The tag “%(what)s” off %(people)s"),
    ),
    Deed.TIER: (
        N_("Move %(people)s to the level “%(what)s”?"),
        N_("Yes, move them"),
        N_("%(people)s to the level “%(what)s”"),
    ),
    Deed.LIST: (
        N_("Ask %(people)s whether they want “%(what)s”?"),
        N_("Yes, ask them"),
        N_("“%(what)s” offered to %(people)s"),
    ),
    Deed.LEAVE_LIST: (
        N_("Take %(people)s off “%(what)s”?"),
        N_("Yes, take them off"),
        N_("%(people)s off “%(what)s”"),
    ),
    Deed.GROUP: (
        N_("Put %(people)s into %(what)s, each as %(role)s?"),
        N_("Yes, put them in"),
        N_("%(people)s into %(what)s, each as %(role)s"),
    ),
    Deed.LEAVE_GROUP: (
        N_("Take %(people)s out of %(what)s?"),
        N_("Yes, take them out"),
        N_("%(people)s out of %(what)s"),
    ),
    Deed.PAUSE: (
        N_("Pause all emails to %(people)s for %(what)s?"),
        N_("Yes, pause them"),
        N_("No emails to %(people)s for %(what)s"),
    ),
    Deed.TAKE_OFF: (
        N_("Take %(people)s off all emails?"),
        N_("Yes, take them off"),
        N_("%(people)s off all emails"),
    ),
}


async def _what(work: Work, act: BulkAct) -> str:
    """Name the tag, level, list or group that an act is about."""
    facts = act.facts
    if "tag" in facts:
        return (await tags.names_of(work, [facts["tag"]])).get(facts["tag"], "–")
    if "group" in facts:
        return (await groups.names_of(work, [facts["group"]])).get(facts["group"], "–")
    if "tier" in facts:
        tier = await ladder.by_no(work, facts["tier"])
        return in_language(tier.name) if tier else "–"
    if "list" in facts:
        mailing_list = await lists.list_by_no(work, facts["list"])
        return in_language(mailing_list.name) if mailing_list else "–"
    return ""


def _told(act: BulkAct) -> list[str]:
    """Say what an act does to people, what they are told of it, and how it is undone."""
    told = _(_TOLD.get(act.deed, N_("Nobody gets an email about it.")))
    back = _(
        "You can undo it for %(days)s days: it is taken back for those who were changed and have "
        "not changed since."
    )
    return [_would(act), told % {"people": people(act.letters)}, back % {"days": UNDO_FOR.days}]


_TOLD = {
    Deed.TIER: N_("%(people)s get an email with your reason and a way to undo it."),
    Deed.PAUSE: N_("%(people)s get an email that says until when, and how to end it."),
    Deed.LIST: N_(
        "%(people)s get an email that asks them, and are on the list when they say yes. "
        "Who has left it is not asked again."
    ),
    Deed.TAKE_OFF: N_(
        "Nothing is sent to them from now on, by any list, and what waits is dropped. "
        "Nobody gets an email about it, and no file and no form brings them back."
    ),
}


def _would(act: BulkAct) -> str:
    if act.would == act.touches:
        return ngettext(
            "It really changes this one person.",
            "It really changes each of the %(count)s people.",
            act.would,
        ) % {"count": number(act.would)}
    return ngettext(
        "It really changes one of them; the others are so already, or cannot be.",
        "It really changes %(count)s of them; the others are so already, or cannot be.",
        act.would,
    ) % {"count": number(act.would)}


def _progress(act: BulkAct) -> dict[str, Any]:
    if act.state in {BulkState.UNDOING, BulkState.UNDONE}:
        come_to, total = act.returned + act.left, act.changed
        figures = [
            (_("Taken back"), number(act.returned), ""),
            (_("Left alone, for they have changed since"), number(act.left), ""),
        ]
        said = _("%(come)s of %(all)s looked at")
    else:
        come_to, total = act.done, act.touches
        figures = [
            (_("Really changed"), number(act.changed), ""),
            (_("Were so already, or could not be"), number(act.done - act.changed), ""),
        ]
        said = _("%(come)s of %(all)s done")
    return {
        "bar": {
            "now": come_to,
            "total": total,
            "said": said % {"come": number(come_to), "all": number(total)},
        },
        "figures": figures,
    }


def _state(act: BulkAct) -> tuple[str, str, str]:
    return {
        BulkState.WAITING: ("info", _("Not decided yet"), "clock"),
        BulkState.WORKING: ("info", _("Being done"), "refresh-cw"),
        BulkState.DONE: ("ok", _("Done"), "check"),
        BulkState.STOPPED: ("warn", _("Stopped"), "octagon-x"),
        BulkState.UNDOING: ("info", _("Being undone"), "undo-2"),
        BulkState.UNDONE: ("off", _("Undone"), "undo-2"),
    }[act.state]


def _why_ended(act: BulkAct) -> str:
    """Say in words which refusal has ended an act before its end."""
    if act.refused is None:
        return ""
    kind = next((one for one in every_refusal() if one.__name__ == act.refused), None)
    if kind is None or "%(" in message_of(kind):
        return _("It could not go on.")
    return _(message_of(kind))


HANDLERS = [
    show_acts,
    show_new_act,
    propose,
    show_act,
    show_progress,
    decide,
    stop,
    undo,
]
