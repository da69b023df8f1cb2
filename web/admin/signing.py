"""The signature: keys of our own, for mail servers that do not sign what they send for us."""

from collections.abc import Sequence
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.kit.errors import NotFound
from mailer.kit.i18n import N_, _
from mailer.kit.work import Door, Work
from mailer.organisation import store as organisations
from mailer.signing import actions, store
from mailer.signing.dkim import Algorithm, in_strings
from mailer.signing.model import SigningKey, Stage
from web.admin.campaigns import Working
from web.admin.telling import day
from web.kit.forms import Tried, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import account_of, gated
from web.kit.sessions import Asked, visit_of

HERE = "/admin/signing"

KINDS = {
    Algorithm.RSA: ("RSA", N_("Every mail server reads it. Begin with this one.")),
    Algorithm.ED25519: (
        "Ed25519",
        N_("Shorter and newer. Many servers do not read it yet, so only beside an RSA key."),
    ),
}


class KeyUnknown(NotFound):
    """There is no such key."""


async def key_at(work: Work, selector: str) -> SigningKey:
    """Find the key that an address names."""
    found = await store.by_selector(work, selector)
    if found is None:
        raise KeyUnknown
    return found


@get("/signing", opt=gated(Power.SETTINGS))
async def show_keys(request: Asked, work: Working) -> Template:
    """Show what signs our emails, and what is to be done so that it does."""
    return await _keys_page(request, work, Tried())


@post("/signing", opt=gated(Power.SETTINGS))
async def make_key(request: Asked) -> Response[Any]:
    """Make a key. That takes a moment, in which nothing is locked."""
    kind = (await read_form(request)).raw("algorithm")
    key = await actions.generate(Algorithm.ED25519 if kind == "ed25519" else Algorithm.RSA)
    visit = visit_of(request)
    async with visit.house.work(
        scope=visit.scope, account=account_of(request).no, door=Door.ADMIN
    ) as work:
        async with attempt(work) as tried:
            made = await actions.new_key(work, key)
        if tried.refusal:
            return await _keys_page(request, work, tried)
        told = _("The key %(key)s is made. It signs nothing until its record is published.")
        return redirect(HERE, notice=told % {"key": made.selector})


@post("/signing/{selector:str}/use", opt=gated(Power.SETTINGS))
async def switch_on(request: Asked, work: Working, selector: FromPath[str]) -> Response[Any]:
    """Sign with a key from now on, once somebody has said that it is published."""
    key = await key_at(work, selector)
    is_published = (await read_form(request)).flag("published")
    async with attempt(work) as tried:
        await actions.switch_on(work, key, is_published=is_published)
    if tried.refusal:
        return await _keys_page(request, work, tried, about=key)
    told = _("From now on, emails from %(domain)s are signed with %(key)s.")
    return redirect(HERE, notice=told % {"domain": key.domain, "key": key.selector})


@get("/signing/{selector:str}/retirement", opt=gated(Power.SETTINGS))
async def ask_to_retire(request: Asked, work: Working, selector: FromPath[str]) -> Response[Any]:
    """Say what retiring a key would do, and ask."""
    key = await key_at(work, selector)
    if key.stage is Stage.RETIRED:
        return redirect(HERE)
    return page(request, "admin/signing/retire.html", key=key, effects=await _effects(work, key))


async def _effects(work: Work, key: SigningKey) -> list[str]:
    gone = _("Its secret half is destroyed. It cannot be switched on again.")
    if key.stage is Stage.MADE:
        return [gone, _("It has signed nothing, so its record may leave your DNS at once.")]
    others = [one for one in await store.signing(work, key.domain) if one.no != key.no]
    after = (
        _("Emails are still signed with %(key)s.") % {"key": others[0].selector}
        if others
        else _("Emails then leave here unsigned: large providers may refuse them.")
    )
    stays = _("Its record has to stay in your DNS for two weeks: emails are still on their way.")
    return [after, gone, stays]


@post("/signing/{selector:str}/retirement", opt=gated(Power.SETTINGS))
async def retire(request: Asked, work: Working, selector: FromPath[str]) -> Response[Any]:
    """Retire a key, if that is the answer."""
    key = await key_at(work, selector)
    if (await read_form(request)).raw("answer") != "yes":
        return redirect(HERE, notice=_("Nothing has changed."), kind="info")
    await actions.retire(work, key)
    return redirect(HERE, notice=_("The key %(key)s is retired.") % {"key": key.selector})


async def _keys_page(
    request: Asked, work: Work, tried: Tried, *, about: SigningKey | None = None
) -> Template:
    us = await organisations.the_one(work)
    keys = await store.all_keys(work)
    domain = store.domain_of(us)
    return page(
        request,
        "admin/signing/keys.html",
        status=422 if tried.refusal else 200,
        domain=domain,
        signs=any(key.domain == domain and key.stage is Stage.SIGNING for key in keys),
        keys=[_shown(key, domain) for key in keys if key.stage is not Stage.RETIRED],
        retired=_retired(keys),
        kinds=[(kind.value, name, _(words)) for kind, (name, words) in KINDS.items()],
        errors={about.selector if about else "": tried.words} if tried.refusal else {},
        summary=[
            (f"published-{about.selector}", _("Published"), tried.words)
            if about
            else ("main", _("Make a key"), tried.words)
        ],
    )


def _shown(key: SigningKey, domain: str) -> dict[str, Any]:
    return {
        "selector": key.selector,
        "kind": KINDS[key.algorithm][0],
        "signs_since": day(key.signs_since) if key.signs_since else "",
        "made_on": day(key.made_at),
        "record_name": key.record_name,
        "record": key.record,
        "strings": in_strings(key.record),
        "domain": key.domain,
        "is_elsewhere": key.domain != domain,
    }


def _retired(keys: Sequence[SigningKey]) -> list[tuple[str, str, str]]:
    """List retired keys: where each stands in DNS, since when, and until when it has to stay."""
    return [
        (key.record_name, day(key.retired_at), day(key.published_until))
        for key in keys
        if key.retired_at and key.published_until
    ]


HANDLERS = [show_keys, make_key, switch_on, ask_to_retire, retire]
