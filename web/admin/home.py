"""The first page: what needs somebody today, and the ladder; on the first days, what to do next.

Every number is counted when the page is asked for, and each part is there only for those whose role
lets them do something about it.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
from litestar import get
from litestar.response import Template

from mailer.accounts.model import Account, Power
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign, CampaignState
from mailer.consent import store as consent
from mailer.deliveries import store as deliveries
from mailer.deliveries import unread
from mailer.followups.model import Rank
from mailer.followups.queue import store as queue
from mailer.followups.queue.store import View
from mailer.imports import store as imports
from mailer.imports.model import ImportState
from mailer.kit.i18n import _, in_language, ngettext
from mailer.kit.work import Work
from mailer.organisation import store as organisation
from mailer.outbox import store as outbox
from mailer.outbox.model import DeliveryState
from mailer.subscribers import store as subscribers
from mailer.tiers import store as tiers
from mailer.tiers.census.counting import census
from web.admin import home_asks
from web.admin.campaigns import Working
from web.admin.people import called
from web.admin.telling import counted_at, day, moment, number, people
from web.kit.pages import page
from web.kit.security import account_of, gated
from web.kit.sessions import Asked

LATELY = timedelta(days=30)
LOOKED_AT = 3  # campaigns, the newest, whose doubts are counted: each costs a pass over its rows

BEGUN = {CampaignState.SENDING, CampaignState.PAUSED, CampaignState.SENT}


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Something that needs a person."""

    title: str
    words: str
    sign: str
    href: str
    button: str
    urgent: bool = False


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Something to do before the first newsletter can go."""

    title: str
    words: str
    sign: str
    href: str
    button: str
    done: bool
    may: bool


@get("/", opt=gated())
async def show_home(request: Asked, work: Working) -> Template:
    """Show what needs somebody, or on the first days what to do next."""
    account = account_of(request)
    newest = (await campaigns.all_campaigns(work)).rows
    steps = await _steps(work, account, newest)
    done = sum(step.done for step in steps)
    jobs = await _jobs(work, account, newest)
    is_new = done < len(steps)
    sees = account.may(Power.SEE_PEOPLE)
    everybody = await subscribers.how_many(work) if sees else 0
    return page(
        request,
        "admin/home/home.html",
        title=_checklist_title(len(steps)) if is_new else _jobs_title(len(jobs)),
        told=_("%(done)s of %(all)s done.") % {"done": done, "all": len(steps)}
        if is_new
        else day(work.now) + ".",
        is_new=is_new,
        steps=steps,
        next_step=next((at for at, step in enumerate(steps) if not step.done), None),
        done=done,
        jobs=jobs,
        may_write=account.may(Power.WRITE),
        sees=sees,
        everybody=everybody,
        **(await _ladder(work) if everybody else {"ladder": [], "paused": None, "counted": ""}),
        asks=await home_asks.under_way(work),
        last=await _last(work, newest) if account.may(Power.WRITE) else None,
    )


def _checklist_title(steps: int) -> str:
    return ngettext(
        "One step to your first email", "%(count)s steps to your first email", steps
    ) % {"count": number(steps)}


def _jobs_title(jobs: int) -> str:
    if not jobs:
        return _("Nothing needs you today")
    return ngettext("One thing needs you today", "%(count)s things need you today", jobs) % {
        "count": number(jobs)
    }


# --- the first days -----------------------------------------------------------------------------


async def _steps(work: Work, account: Account, newest: Sequence[Campaign]) -> list[Step]:
    """Give what stands between an empty house and its first newsletter, with what is done."""
    us = await organisation.the_one(work)
    written = next((one for one in newest if one.revision_no is not None), None)
    sent = any(one.state in BEGUN for one in newest)
    writing = f"/admin/campaigns/{written.uid}" if written else "/admin/campaigns/new"
    return [
        Step(
            title=_("Name your organisation"),
            words=_("Its postal address and the address its emails are from. Both stand in each."),
            sign="settings",
            href="/admin/organisation",
            button=_("Change") if us.may_send else _("Name it"),
            done=us.may_send,
            may=account.may(Power.SETTINGS),
        ),
        Step(
            title=_("Import people, or share the join page"),
            words=_("A CSV file, and how they agreed. You see every line before anything changes."),
            sign="upload",
            href="/admin/import",
            button=_("Import"),
            done=sent or await subscribers.how_many(work) > 0,
            may=account.may(Power.IMPORT),
        ),
        Step(
            title=_("Write a campaign"),
            words=_("Its words in each language. Nobody gets it before it was reviewed."),
            sign="pen-line",
            href=writing,
            button=_("Open it") if written else _("Write"),
            done=written is not None,
            may=account.may(Power.WRITE),
        ),
        Step(
            title=_("Send a test to yourself"),
            words=_("Read it on your telephone, and tap each link."),
            sign="mail",
            href=writing,
            button=_("Send a test"),
            done=sent or await outbox.any_of(work, "test-newsletter"),
            may=account.may(Power.WRITE),
        ),
        Step(
            title=_("Send it"),
            words=_("You type how many people get it, and can undo it for some minutes."),
            sign="send",
            href=writing,
            button=_("Review it"),
            done=sent,
            may=account.may(Power.SEND),
        ),
    ]


# --- what needs somebody ------------------------------------------------------------------------


async def _jobs(work: Work, account: Account, newest: Sequence[Campaign]) -> list[Job]:
    jobs: list[Job] = []
    if account.may(Power.SEND):
        jobs += [job for one in newest if (job := _campaign_job(one))]
        jobs += await _doubts(work, newest)
    if account.may(Power.CHANGE_PEOPLE):
        jobs += await _follow_ups(work, account)
        jobs += await _unread_alerts(work)
        jobs += await _requests(work)
    if account.may(Power.IMPORT):
        jobs += await _files(work)
    return sorted(jobs, key=lambda job: not job.urgent)


def _campaign_job(campaign: Campaign) -> Job | None:
    named = {"name": campaign.name}
    count = people(campaign.recipients or 0) + "."
    href = f"/admin/campaigns/{campaign.uid}"
    match campaign.state:
        case CampaignState.HELD:
            return Job(
                title=_("“%(name)s” is held") % named,
                words=campaign.reason,
                sign="octagon-x",
                href=href,
                button=_("Look"),
                urgent=True,
            )
        case CampaignState.PAUSED:
            return Job(
                title=_("“%(name)s” is paused") % named,
                words=campaign.reason or _("The rest waits until somebody lets it go on."),
                sign="pause",
                href=href,
                button=_("Look"),
                urgent=True,
            )
        case CampaignState.FROZEN:
            return Job(
                title=_("“%(name)s” waits to be confirmed") % named,
                words=count,
                sign="users",
                href=f"{href}/review",
                button=_("Review"),
            )
        case CampaignState.SCHEDULED if campaign.send_at:
            return Job(
                title=_("“%(name)s” goes out on %(when)s")
                % {**named, "when": moment(campaign.send_at)},
                words=count,
                sign="send",
                href=href,
                button=_("Look"),
            )
        case _:
            return None


async def _doubts(work: Work, newest: Sequence[Campaign]) -> list[Job]:
    """Ask for a decision where nobody can tell whether messages arrived."""
    jobs = []
    begun = [one for one in newest if one.state in BEGUN][:LOOKED_AT]
    for campaign in begun:
        doubts = (await deliveries.progress(work, campaign)).of(DeliveryState.IN_DOUBT)
        if doubts:
            title = ngettext(
                "Nobody can tell whether one message arrived",
                "Nobody can tell whether %(count)s messages arrived",
                doubts,
            )
            jobs.append(
                Job(
                    title=title % {"count": number(doubts)},
                    words=_("Of “%(name)s”. Send again, or leave it.") % {"name": campaign.name},
                    sign="circle-question-mark",
                    href=f"/admin/campaigns/{campaign.uid}/doubt",
                    button=_("Decide"),
                )
            )
    return jobs


async def _follow_ups(work: Work, account: Account) -> list[Job]:
    """Tell how many wait for this account, or for whoever comes to them."""
    count = await queue.counts(work, View(account_no=account.no))
    if not count.all:
        return []
    helps = count.by_rank.get(Rank.HELP, 0)
    asked = ngettext(
        "One was promised help or a call.", "%(count)s were promised help or a call.", helps
    )
    late = ngettext("One waits for too long.", "%(count)s wait for too long.", count.overdue)
    parts = [
        asked % {"count": number(helps)} if helps else "",
        late % {"count": number(count.overdue)} if count.overdue else "",
    ]
    return [
        Job(
            title=ngettext(
                "One person waits to hear from us",
                "%(count)s people wait to hear from us",
                count.all,
            )
            % {"count": number(count.all)},
            words=" ".join(part for part in parts if part),
            sign="life-buoy",
            href="/admin/followups",
            button=_("Look who is next"),
            urgent=count.overdue > 0,
        )
    ]


async def _unread_alerts(work: Work) -> list[Job]:
    """Remind of alerts of which nobody calls those who have not said that they read them."""
    return [
        Job(
            title=_("Not everybody has read “%(name)s”") % {"name": alert.name},
            words=_("It went out more than a day ago, and nobody is called about it yet."),
            sign="megaphone",
            href=f"/admin/campaigns/{alert.uid}/unread",
            button=_("See how many"),
        )
        for alert in await unread.unfollowed(work)
    ]


async def _requests(work: Work) -> list[Job]:
    waiting = await tiers.open_requests(work)
    if not waiting:
        return []
    request, person, tier = waiting[0]
    title = ngettext(
        "One person asks for a level", "%(count)s people ask for a level", len(waiting)
    )
    longest = _("%(name)s has waited for “%(level)s” since %(day)s.")
    return [
        Job(
            title=title % {"count": number(len(waiting))},
            words=longest
            % {
                "name": called(person),
                "level": in_language(tier.name),
                "day": day(request.made_at),
            },
            sign="hand",
            href="/admin/requests",
            button=_("Answer them"),
            urgent=work.now - request.made_at > timedelta(days=5),
        )
    ]


async def _files(work: Work) -> list[Job]:
    return [
        Job(
            title=_("“%(file)s” was read, and waits") % {"file": one.file_name},
            words=_("Nobody of it is imported before somebody says how they agreed."),
            sign="upload",
            href=f"/admin/import/{one.uid}",
            button=_("Decide"),
        )
        for one in await imports.recent(work)
        if one.state is ImportState.REHEARSED and one.usable and work.now - one.made_at < LATELY
    ]


# --- the ladder ---------------------------------------------------------------------------------


async def _ladder(work: Work) -> dict[str, Any]:
    counted = await census(work)
    counts = counted.people
    moves = await tiers.moves_since(work, work.now - LATELY)
    most = max([*counts.values(), 1])
    paused = await consent.how_many_paused(work)
    return {
        "ladder": [
            {
                "name": in_language(tier.name),
                "shown": number(counts[tier.no]),
                "share": 99 * counts[tier.no] / most,
                "up": number(moves[tier.no][0]),
                "down": number(moves[tier.no][1]),
            }
            for tier in await tiers.ladder(work)
        ],
        "paused": number(paused),
        "counted": counted_at(counted.at),
    }


async def _last(work: Work, newest: Sequence[Campaign]) -> dict[str, str] | None:
    """Tell what the newest campaign that has begun did."""
    campaign = next((one for one in newest if one.started_at is not None), None)
    if campaign is None or campaign.started_at is None:
        return None
    moved = await tiers.through(work, campaign.no)
    moves = [
        ngettext("One stepped up.", "%(count)s stepped up.", moved.ups)
        % {"count": number(moved.ups)},
        ngettext("One stepped down.", "%(count)s stepped down.", moved.downs)
        % {"count": number(moved.downs)},
    ]
    sent = _("%(day)s, %(people)s.") % {
        "day": day(campaign.started_at),
        "people": people(campaign.recipients or 0),
    }
    return {
        "name": campaign.name,
        "href": f"/admin/campaigns/{campaign.uid}",
        "words": " ".join([sent, *await home_asks.moved(work, campaign.no), *moves]),
    }


HANDLERS: list[Any] = [show_home]
