"""What the record says of each act: a sentence without its subject, who stands in a column beside.

Acts are noted by verbs all over `mailer`; a test finds each of them and asks for its words here.
Lines hold numbers. What they name is looked up when a page is shown, so that a renamed group goes
by its new name, and somebody who was erased by none.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from mailer.accounts import store as accounts
from mailer.accounts.model import Role
from mailer.asks import store as asks
from mailer.audit.model import AuditLine
from mailer.bulk import store as bulk
from mailer.bulk.model import Deed
from mailer.campaigns import store as campaigns
from mailer.consent import store as consent
from mailer.fields import store as fields
from mailer.forms import store as forms
from mailer.groups import store as groups
from mailer.imports import store as imports
from mailer.imports.model import Basis
from mailer.kit.i18n import N_, _, in_language
from mailer.kit.work import Door, Work
from mailer.records.erasing import GROUNDS, Ground
from mailer.relays import store as relays
from mailer.segments import store as segments
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import SuppressionReason
from mailer.tags import store as tags
from mailer.tiers import store as tiers
from web.admin.telling import people
from web.kit.pages import role_name

SENTENCES: Mapping[str, str] = {
    # signing in
    "signed_in": N_("Signed in"),
    "recovery_code_used": N_("Signed in with a recovery code"),
    "factor_confirmed": N_("Set up two-factor"),
    "sessions_revoked": N_("Signed %(account)s out everywhere"),
    "password_changed": N_("Changed the password of %(account)s"),
    "factor_reset": N_("Reset the two-factor of %(account)s"),
    "account_opened": N_("Opened an account for %(account)s: %(role)s"),
    "account_disabled": N_("Closed the account of %(account)s"),
    "account_enabled": N_("Opened the account of %(account)s again"),
    # what we say of ourselves
    "organisation_described": N_("Changed what is said of the organisation"),
    "tier_described": N_("Changed the level “%(tier)s”"),
    "tier_added": N_("Added the level “%(tier)s”"),
    "tier_moved": N_("Moved the level “%(tier)s” to another place"),
    "tier_closed": N_("Took the level “%(tier)s” out"),
    "tier_held": N_("Held %(subscriber)s back as doubtful: %(why)s"),
    "tier_hold_lifted": N_("Let %(subscriber)s go, who was held back"),
    "follow_up_taken": N_("Took the follow-up of %(subscriber)s, to call them"),
    "tier_request_reopened": N_("Took back the answer to the level that %(subscriber)s asked for"),
    "list_opened": N_("Opened the list “%(list)s”"),
    "list_described": N_("Changed the list “%(list)s”"),
    "list_closed": N_("Closed the list “%(list)s”"),
    "list_reopened": N_("Opened the list “%(list)s” again"),
    "group_founded": N_("Founded the group “%(group)s”"),
    "group_described": N_("Changed what is said of the group “%(group)s”"),
    "group_closed": N_("Closed the group “%(group)s”"),
    "group_reopened": N_("Opened the group “%(group)s” again"),
    "tag_made": N_("Made the tag “%(tag)s”"),
    "tag_renamed": N_("Renamed the tag “%(tag)s”"),
    "tag_closed": N_("Closed the tag “%(tag)s”"),
    "tag_reopened": N_("Opened the tag “%(tag)s” again"),
    "field_made": N_("Made the field “%(field)s”"),
    "field_described": N_("Changed what the field “%(field)s” asks"),
    "field_closed": N_("Closed the field “%(field)s”"),
    "field_reopened": N_("Opened the field “%(field)s” again"),
    "form_made": N_("Made the form “%(form)s”"),
    "form_described": N_("Changed the form “%(form)s”"),
    "form_closed": N_("Closed the form “%(form)s”"),
    "form_reopened": N_("Opened the form “%(form)s” again"),
    "signing_key_made": N_("Made the key %(selector)s for the signature"),
    "signing_key_switched_on": N_("Let the key %(selector)s sign our emails"),
    "signing_key_retired": N_("Retired the key %(selector)s of the signature"),
    # how we send
    "relay_added": N_("Added the mail server “%(relay)s”"),
    "relay_described": N_("Changed where the mail server “%(relay)s” is"),
    "relay_limited": N_("Changed how much the mail server “%(relay)s” carries"),
    "relay_warmed_up": N_("Began to warm up the mail server “%(relay)s”"),
    "relay_warm": N_("Ended the warm-up of the mail server “%(relay)s”"),
    "relay_switched_off": N_("Switched off the mail server “%(relay)s”"),
    "relay_switched_on": N_("Switched on the mail server “%(relay)s”"),
    "relay_removed": N_("Removed the mail server “%(relay)s”"),
    "sending_hours_set": N_("Changed the quiet hours"),
    "brakes_set": N_("Changed the brakes"),
    "domain_slowed": N_("Slowed emails to %(domain)s down"),
    "domain_let_go": N_("Let emails to %(domain)s go as fast as others"),
    # people
    "tier_assigned": N_("Moved %(subscriber)s to the level “%(tier)s”"),
    "tier_request_granted": N_("Said yes to the level that %(subscriber)s asked for"),
    "tier_request_declined": N_("Said no to the level that %(subscriber)s asked for"),
    "subscriber_stopped": N_("Stopped all emails to %(subscriber)s, silently"),
    "subscriber_started_again": N_("Let emails go to %(subscriber)s again"),
    "subscriber_erased": N_("Erased somebody for good: %(ground)s"),
    "subscriber_taken_off": N_("Took %(subscriber)s off all emails: %(reason)s"),
    "subscriber_put_back": N_("Allowed writing to %(subscriber)s again"),
    "subscribers_taken_off": N_("Took %(people)s off all emails: %(reason)s"),
    "subscribers_put_back": N_("Allowed writing to %(people)s again"),
    "people_merged": N_("Made two entries of %(subscriber)s one"),
    "merging_undone": N_("Made two entries of %(subscriber)s again"),
    "kept_apart": N_("Said that %(subscriber)s and somebody alike are two people"),
    "addresses_suppressed": N_("Put %(people)s on the list of those never written to: %(reason)s"),
    # questions that are kept
    "segment_saved": N_("Saved the segment “%(segment)s”"),
    "segment_revised": N_("Changed what the segment “%(segment)s” asks"),
    "segment_renamed": N_("Renamed the segment “%(segment)s”"),
    "segment_closed": N_("Closed the segment “%(segment)s”"),
    # what people are asked to do
    "demand_raised": N_("Raised the demand “%(demand)s”"),
    "demand_described": N_("Changed what the demand “%(demand)s” says"),
    "demand_opened": N_("Opened the demand “%(demand)s”"),
    "demand_won": N_("Told that the demand “%(demand)s” is won"),
    "demand_closed": N_("Closed the demand “%(demand)s”"),
    "demand_reopened": N_("Opened the demand “%(demand)s” again"),
    "demand_thrown_away": N_("Threw the draft of the demand “%(title)s” away"),
    "ask_drafted": N_("Wrote the ask “%(ask)s”"),
    "ask_revised": N_("Changed the ask “%(ask)s”"),
    "ask_opened": N_("Opened the ask “%(ask)s”"),
    "ask_closed": N_("Closed the ask “%(ask)s”"),
    "ask_thrown_away": N_("Threw the draft of the ask “%(title)s” away"),
    # done to many
    "bulk_confirmed": N_("Decided for %(people)s: %(deed)s"),
    "bulk_stopped": N_("Stopped what was being done to many, with %(people)s changed"),
    "bulk_done": N_("Finished what was decided, with %(people)s changed"),
    "bulk_undo_begun": N_("Began to undo what had changed %(people)s"),
    "bulk_undone": N_("Undid what was decided, for %(people)s"),
    # files
    "import_received": N_("Said what the columns of %(import)s are"),
    "import_rehearsed": N_("Read the file %(import)s"),
    "import_confirmed": N_("Confirmed the import of %(import)s: %(basis)s"),
    "import_cancelled": N_("Stopped the import of %(import)s"),
    "import_applied": N_("Imported %(import)s to the end"),
    "import_undone": N_("Began to undo the import of %(import)s"),
    "import_taken_back": N_("Undid the import of %(import)s to the end"),
    "people_exported": N_("Took %(people)s out in a file: “%(why)s”"),
    # campaigns
    "campaign_begun": N_("Began the campaign “%(campaign)s”"),
    "campaign_frozen": N_("Counted who gets “%(campaign)s”: %(people)s"),
    "campaign_confirmed": N_("Confirmed “%(campaign)s” for %(people)s"),
    "campaign_called_off": N_("Brought “%(campaign)s” back to draft"),
    "campaign_paused": N_("Paused “%(campaign)s”"),
    "campaign_resumed": N_("Let “%(campaign)s” go on"),
    "campaign_cancelled": N_("Stopped “%(campaign)s” for good"),
    "campaign_held": N_("Held “%(campaign)s” back"),
    "campaign_released": N_("Released “%(campaign)s”"),
    "doubt_sent_again": N_("Sent “%(campaign)s” again to %(people)s in doubt"),
    "failed_tried_again": N_("Tried “%(campaign)s” again for %(people)s whom it had not reached"),
    "refused_tried_again": N_("Tried “%(campaign)s” again for %(people)s who were refused"),
    "correction_begun": N_("Began a correction of “%(campaign)s”"),
    "doubt_left": N_("Left it at that for %(people)s in doubt about “%(campaign)s”"),
}

DOORS: Mapping[Door, str] = {
    Door.ADMIN: N_("Admin pages"),
    Door.PAGE: N_("Public pages"),
    Door.EMAIL: N_("A link in an email"),
    Door.API: N_("Another program"),
    Door.IMPORT: N_("A file"),
    Door.CLI: N_("The server’s shell"),
    Door.SYSTEM: N_("By itself"),
}

REASONS: Mapping[SuppressionReason, str] = {
    SuppressionReason.ASKED: N_("they asked for it"),
    SuppressionReason.COMPLAINT: N_("they complained to their mail provider"),
    SuppressionReason.BOUNCE: N_("there is no such address"),
    SuppressionReason.IMPORTED: N_("they had left in another tool"),
    SuppressionReason.ERASED: N_("they had their data erased"),
}

BASES: Mapping[Basis, str] = {
    Basis.AGREED: N_("they have agreed"),
    Basis.ASK: N_("they are asked again"),
}

DEEDS: Mapping[Deed, str] = {
    Deed.TAG: N_("they get a tag"),
    Deed.UNTAG: N_("they lose a tag"),
    Deed.TIER: N_("they move to another level"),
    Deed.LIST: N_("they are asked whether they want a list"),
    Deed.LEAVE_LIST: N_("they are taken off a list"),
    Deed.GROUP: N_("they are put into a group"),
    Deed.LEAVE_GROUP: N_("they are taken out of a group"),
    Deed.PAUSE: N_("their emails are paused"),
    Deed.TAKE_OFF: N_("they are taken off all emails"),
}

ALONE = frozenset({"signed_in", "recovery_code_used", "factor_confirmed"})
"""Acts before anybody is signed in: the account that the line is about is the one that acted."""


class Told(msgspec.Struct, frozen=True):
    """One line of the record in words, with the page of what it is about."""

    line: AuditLine
    who: str
    words: str
    href: str
    door: str


class _Thing(msgspec.Struct, frozen=True):
    """Something that a line names: what it is called, and its page."""

    name: str
    href: str = ""


async def tell(work: Work, lines: Sequence[AuditLine]) -> list[Told]:
    """Say lines in words, looking up all that they name at once."""
    things = await _things(work, lines)
    return [_told(line, things) for line in lines]


def key_of(line: AuditLine) -> str:
    """Give the key of a line's sentence: an answer is told by what it was."""
    if line.act == "tier_request_answered":
        return "tier_request_granted" if line.facts["granted"] else "tier_request_declined"
    return line.act


def _told(line: AuditLine, things: Mapping[tuple[str, int], _Thing]) -> Told:
    named = {
        kind: things.get((kind, line.facts[kind]), _Thing(_("something that is gone")))
        for kind in _KINDS
        if kind in line.facts
    }
    facts = defaultdict(lambda: "–", _said(line))
    facts.update({kind: thing.name for kind, thing in named.items()})
    sentence = SENTENCES.get(key_of(line))
    return Told(
        line=line,
        who=_who(line, things),
        words=_(sentence) % facts
        if sentence
        else _("Did what this version has no words for: %(act)s") % {"act": line.act},
        href=next((thing.href for thing in named.values() if thing.href), ""),
        door=_(DOORS[line.door]),
    )


def _who(line: AuditLine, things: Mapping[tuple[str, int], _Thing]) -> str:
    account = line.account_no or (line.facts.get("account") if line.act in ALONE else None)
    if account is not None:
        return things[("account", account)].name
    if line.act == "subscriber_erased" and line.door is Door.EMAIL:
        return _("The person themselves")
    return _("Somebody at the server") if line.door is Door.CLI else _("Rollcall itself")


def _said(line: AuditLine) -> dict[str, str]:
    """Say those facts of a line that name nothing: how many, why, as what."""
    facts, said = line.facts, {}
    for count in ("recipients", "count", "number"):
        if facts.get(count) is not None:
            said["people"] = people(facts[count])
    if "selector" in facts:
        said["selector"] = facts["selector"]
    if "title" in facts:
        said["title"] = facts["title"]
    if "role" in facts:
        said["role"] = role_name(Role(facts["role"]))
    if "reason" in facts:
        said["reason"] = _(REASONS[SuppressionReason(facts["reason"])])
    if "why" in facts:
        said["why"] = facts["why"]
    if "ground" in facts:
        said["ground"] = _(GROUNDS[Ground(facts["ground"])])
    if "deed" in facts:
        said["deed"] = _(DEEDS[Deed(facts["deed"])])
    if "domain" in facts:
        said["domain"] = facts["domain"]
    if "basis" in facts:
        said["basis"] = _(BASES[Basis(facts["basis"])])
    return said


# --- what lines name ----------------------------------------------------------------------------

# What a line is about comes first, and is what it leads to: PostgreSQL keeps no order of facts.
_KINDS = (
    "subscriber",
    "campaign",
    "import",
    "list",
    "group",
    "tier",
    "relay",
    "account",
    "bulk",
    "segment",
    "tag",
    "field",
    "form",
    "ask",
    "demand",
)


async def _things(work: Work, lines: Iterable[AuditLine]) -> dict[tuple[str, int], _Thing]:
    """Find what lines name, by kind and number. People are found as far as the reader sees them."""
    nos: dict[str, set[int]] = {kind: set() for kind in _KINDS}
    for line in lines:
        for kind in _KINDS:
            nos[kind] |= {line.facts[kind]} if kind in line.facts else set()
    found: dict[str, dict[int, _Thing]] = {
        "account": {no: _Thing(name) for no, name in (await accounts.names(work)).items()},
        "tier": {
            tier.no: _Thing(in_language(tier.name), "/admin/levels")
            for tier in await tiers.every_tier(work)
        },
        "list": {
            one.no: _Thing(in_language(one.name), f"/admin/lists/{one.slug}")
            for one in await consent.all_lists(work)
        },
        "group": {
            no: _Thing(group.name, f"/admin/groups/{group.uid}")
            for no, group in (await groups.by_nos(work, nos["group"])).items()
        },
        "relay": {
            no: _Thing(relay.name or _("of the settings"), "/admin/relays")
            for no, relay in (await relays.by_nos(work, nos["relay"])).items()
        },
        "subscriber": dict.fromkeys(nos["subscriber"], _Thing(_("somebody"))),
        "import": {
            no: _Thing(import_.file_name, f"/admin/import/{import_.uid}")
            for no, import_ in (await imports.by_nos(work, nos["import"])).items()
        },
        "form": {
            no: _Thing(in_language(form.title), f"/admin/forms/{form.slug}")
            for no, form in (await forms.by_nos(work, nos["form"])).items()
        },
        "ask": {
            no: _Thing(in_language(ask.title), f"/admin/asks/{ask.uid}")
            for no, ask in (await asks.by_nos(work, nos["ask"])).items()
        },
        "demand": {
            no: _Thing(in_language(demand.title), f"/admin/demands/{demand.uid}")
            for no, demand in (await asks.demands_by_nos(work, nos["demand"])).items()
        },
        "bulk": {
            no: _Thing(_("what was done to many"), f"/admin/bulk/{act.uid}")
            for no, act in (await bulk.by_nos(work, nos["bulk"])).items()
        },
        "segment": {
            no: _Thing(segment.name, "" if segment.closed_at else f"/admin/segments/{segment.uid}")
            for no, segment in (await segments.by_nos(work, nos["segment"])).items()
        },
        "tag": {
            no: _Thing(name, "/admin/tags")
            for no, name in (await tags.names_of(work, nos["tag"])).items()
        },
        "field": {
            no: _Thing(in_language(field.name), f"/admin/fields/{field.slug}")
            for no, field in (await fields.by_nos(work, nos["field"])).items()
        },
        "campaign": {
            no: _Thing(campaign.name, f"/admin/campaigns/{campaign.uid}")
            for no, campaign in (await campaigns.by_nos(work, nos["campaign"])).items()
        },
    }
    for no, one in (await subscribers.by_nos(work, nos["subscriber"])).items():
        if one.erased_at is not None:
            continue
        name = one.shown_name or one.address or _("somebody without a name")
        found["subscriber"][no] = _Thing(name, f"/admin/people/{one.uid}")
    return {(kind, no): thing for kind, of in found.items() for no, thing in of.items()}
