"""The facts of the letters of follow-ups: to organisers who waits, and theirs to who does."""

from mailer.accounts import store as accounts
from mailer.deliveries.letter_facts import Find, Pointless, Recipient, Said, ask_for_reader
from mailer.followups import store as followups
from mailer.followups.model import OF_A_PLEDGE
from mailer.followups.rounds import digest
from mailer.kit.i18n import in_language
from mailer.kit.links import Links
from mailer.kit.work import Work
from mailer.outbox.model import Letter


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
        "queue_link": links.page("/admin/followups"),
    }


async def _follow_up(work: Work, letter: Letter, to: Recipient, _links: Links) -> Said:
    step = await followups.step_by_no(work, letter.facts["step"])
    case = await followups.by_no(work, step.case_no) if step is not None else None
    if step is None or case is None:
        raise Pointless
    title = ""
    if case.kind in OF_A_PLEDGE:
        found = (await followups.pledges(work, [case.subject_no])).get(case.subject_no)
        title = in_language(found[1].title, letter.language) if found is not None else ""
    else:
        await ask_for_reader(work, to)
    account = await accounts.by_no(work, step.account_no or 0)
    if account is None:
        raise Pointless
    return {
        "own_words": followups.words_of(work, step),
        "by_name": account.name,
        "about": title,
    }


FACTS: dict[str, Find] = {digest.KIND: _digest, "follow-up": _follow_up}
