"""Finishing: what becomes of a campaign as its rows come to an end, and what organisers are told.

The reasons that stand beside a campaign are written in the organisation's language.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

from mailer.campaigns import sending
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign, CampaignState
from mailer.deliveries import ending, store
from mailer.deliveries.model import last_word
from mailer.deliveries.transport import Trouble
from mailer.kit.i18n import _, speaking
from mailer.kit.work import Work
from mailer.organisation import store as organisations

OpenWork = Callable[..., AbstractAsyncContextManager[Work]]
"""Begins a unit of work, as `House.work` does."""

UNIT = 2000
"""Rows that are changed in one unit of work: about 10 ms, so that others may write between."""

SILENCE = timedelta(hours=1)
"""After so long without any worker, what was being sent is asked about before it goes on."""


# --- steps of the worker --------------------------------------------------------------------------


async def start_due(open_work: OpenWork) -> bool:
    """Begin the campaigns whose time has come."""
    async with open_work(reading=True) as work:
        if not await campaigns.due(work):
            return False
    async with open_work() as work:
        await store.count_afresh(work)
    async with open_work() as work:
        with speaking((await organisations.the_one(work)).language):
            await sending.start_due(work)
    return True


async def sweep_cancelled(open_work: OpenWork) -> bool:
    """Turn what is left of cancelled campaigns into `skipped`, in small units."""
    async with open_work(reading=True) as work:
        unswept = await ending.unswept(work)
    for campaign in unswept:
        after: int | None = 0
        while after is not None:
            async with open_work() as work:
                after = await ending.sweep(work, campaign, after=after, limit=UNIT)
        await note_mailed(open_work, campaign)
        async with open_work() as work:
            await ending.end_swept(work, campaign)
    return False  # what a body still holds open is looked at again after the pause


async def finish(open_work: OpenWork, no: int) -> None:
    """Call a campaign sent, if every row is accounted for."""
    async with open_work(reading=True) as work:
        campaign = await campaigns.by_no(work, no)
    if campaign is None or campaign.state is not CampaignState.SENDING:
        return
    await note_mailed(open_work, campaign)
    async with open_work() as work:
        await ending.finish(work, campaign)


async def note_mailed(open_work: OpenWork, campaign: Campaign) -> None:
    """Note for each person whose server accepted it that they were mailed, in small units."""
    after: int | None = 0
    while after is not None:
        async with open_work() as work:
            after = await ending.note_mailed(work, campaign, after=after, limit=UNIT)


async def hold_after_silence(
    work: Work, *, seen_at: datetime | None, is_restored: bool
) -> list[Campaign]:
    """Hold what was being sent if nobody has worked for long, and all if a backup was put back.

    After a restore the ledger does not know what went out since the backup was made.
    """
    if not is_restored and (seen_at is None or work.now - seen_at < SILENCE):
        return []
    states = [CampaignState.SENDING, *([CampaignState.SCHEDULED] if is_restored else [])]
    with speaking((await organisations.the_one(work)).language):
        reason = (
            _("A backup was put back: what has gone out since is not known here.")
            if is_restored
            else _("Nothing was running for more than an hour. Release it if it still fits.")
        )
        return [
            await sending.hold(work, campaign, reason=reason)
            for campaign in await campaigns.in_states(work, states)
        ]


# --- what organisers are told ---------------------------------------------------------------------


async def pause(work: Work, no: int, why: Callable[[], str]) -> None:
    """Pause a campaign because of a fault of ours; somebody may have stopped it already."""
    campaign = await campaigns.by_no(work, no)
    if campaign is None or campaign.state is not CampaignState.SENDING:
        return
    with speaking((await organisations.the_one(work)).language):
        await sending.pause(work, campaign, reason=why())


async def tell(work: Work, numbers: Sequence[int], why: Callable[[], str] | None) -> None:
    """Write beside campaigns that are being sent what keeps them, or (None) that nothing does."""
    with speaking((await organisations.the_one(work)).language):
        await ending.tell(work, numbers, why() if why else "")


def refused_as_senders(code: int, reply: str) -> str:
    """Say that servers refuse us, and not the people we write to."""
    return _("The mail server refuses us as a sender: %(reply)s") % {"reply": f"{code} {reply}"}


def shut_out(words: str) -> str:
    """Say that we are not let in, or that we would not go in."""
    return _("The mail server does not let us in: %(reply)s") % {"reply": last_word(words)}


def no_answer(kind: Trouble, since: datetime, words: str) -> str:
    """Say since when the mail server cannot be used."""
    if kind is Trouble.SHUT:
        return shut_out(words)
    named = {"time": f"{since:%H:%M}", "reply": last_word(words)}
    return _("The mail server does not answer since %(time)s UTC: %(reply)s") % named
