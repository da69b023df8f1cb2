"""Tests: a campaign sent to the account that asks, and to nobody else."""

from mailer.accounts.model import Account
from mailer.campaigns import composing
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign
from mailer.deliveries.letters import TEST
from mailer.kit.work import Work
from mailer.outbox.actions import Post, post
from mailer.outbox.model import Lane, Needs

# What is compiled here is only looked at for refusals; the worker writes the mail.
_NOWHERE = "https://nowhere.invalid"


async def send_test(
    work: Work, campaign: Campaign, account: Account, *, language: str | None = None
) -> list[str]:
    """Owe an account the newest words of a campaign, in each language or in one; give which.

    Refuses what could not be sent to anybody else either. It is marked as a test in its subject,
    and its links open pages that say so and do nothing.
    """
    compiled = await composing.program(work, campaign, base=_NOWHERE)
    revision = await campaigns.newest_revision(work, campaign)
    assert revision is not None
    languages = [one for one in compiled.programs if language in {None, one}]
    for one in languages:
        await post(
            work,
            Post(
                kind=TEST,
                dedupe_key=f"test:{revision.no}:{one}:{account.no}:{work.now.timestamp()}",
                language=account.language,
                facts={"campaign": campaign.no, "revision": revision.no, "language": one},
                account=account.no,
                lane=Lane.URGENT,
                needs=Needs.NOTHING,
            ),
        )
    return languages
