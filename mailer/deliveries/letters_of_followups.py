"""The facts of the letters of follow-ups: to organisers who waits, and theirs to who does."""

from mailer.accounts import store as accounts
from mailer.deliveries.letter_facts import Find, Pointless, Recipient, Said
from mailer.followups import caring
from mailer.followups import store as followups
from mailer.followups.rounds import digest
from mailer.followups.subjects import store as subjects
from mailer.kit.i18n import in_language
from mailer.kit.links import Links
from mailer.kit.work import Work
from mailer.outbox.model import Letter
from mailer.subscribers import store as subscribers


async def _digest(work: Work, letter: Letter, _to: Recipient, links: Links) -> Said:
    account = await accounts.by_no(work, letter.account_no or 0)
    if account is None or account.disabled_at is not None:
        raise Pointless
    today = await digest.today_of(work, account)
    if today.is_quiet:
        raise Pointless
    return {
        "late_count": today.late,
        "today_count": today.today,
        "free_count": today.nobodys,
        "alert_count": today.alerts,
        "queue_link": links.page("/admin/followups"),
    }


async def _follow_up(work: Work, letter: Letter, to: Recipient, _links: Links) -> Said:
    step = await followups.step_by_no(work, letter.facts["step"])
    case = await followups.by_no(work, step.case_no) if step is not None else None
    if step is None or case is None:
        raise Pointless
    person = await subscribers.by_no(work, to.subscriber)
    if person is None or not await caring.may_write(work, case, person, since=step.at):
        raise Pointless
    about = (await subjects.pledges_about(work, [case])).get(case.no)
    title = in_language(about[1].title, letter.language) if about is not None else ""
    account = await accounts.by_no(work, step.account_no or 0)
    if account is None:
        raise Pointless
    return {
        "own_words": followups.words_of(work, step),
        "by_name": account.name,
        "about": title,
    }


FACTS: dict[str, Find] = {digest.KIND: _digest, "follow-up": _follow_up}
