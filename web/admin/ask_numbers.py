"""The numbers of asks as they are written: every one, or small ones withheld for others' eyes.

A sum is withheld with any of its parts that is, for it would tell it.
"""

from collections.abc import Mapping, Sequence

from mailer.asks.counting.store import Counts
from mailer.asks.model import PledgeState
from web.admin.sharing import NOT_TOLD, Say, is_told, total
from web.admin.telling import number

DONE = (PledgeState.DONE, PledgeState.VERIFIED)


def in_each_state(counted: Counts) -> dict[PledgeState, int]:
    """Give how many stand at each answer; who is asked anew after having done it stands at yes."""
    return {
        PledgeState.PLEDGED: counted.to_do - counted.in_progress - counted.blocked,
        PledgeState.IN_PROGRESS: counted.in_progress,
        PledgeState.BLOCKED: counted.blocked,
        PledgeState.DONE: counted.pledged - counted.to_do - counted.verified,
        PledgeState.VERIFIED: counted.verified,
        PledgeState.DECLINED: counted.declined,
    }


def is_done_told(counted: Counts, say: Say) -> bool:
    """Say whether the number of who did it tells no small one: of who is asked anew neither."""
    each = in_each_state(counted)
    its = [each[state] for state in DONE]
    return all(is_told(count, say) for count in [*its, counted.done, counted.done - sum(its)])


def is_yes_told(counted: Counts, say: Say) -> bool:
    """Say whether the number of who said yes tells no small one."""
    yes = [count for state, count in in_each_state(counted).items() if state is not _NO]
    return is_done_told(counted, say) and all(is_told(count, say) for count in yes)


_NO = PledgeState.DECLINED


def said_yes(counted: Counts, say: Say) -> str:
    """Write how many said yes."""
    return number(counted.pledged) if is_yes_told(counted, say) else NOT_TOLD


def done(counted: Counts, say: Say) -> str:
    """Write how many did it, once at least."""
    return say(counted.done) if is_done_told(counted, say) else NOT_TOLD


def told(counted: Counts, say: Say) -> dict[str, str]:
    """Write what became of one ask."""
    return {
        "offered": number(counted.offered),
        "pledged": said_yes(counted, say),
        "done": done(counted, say),
        "declined": say(counted.declined),
        "blocked": say(counted.blocked),
    }


def told_of_all(of: Sequence[Counts], say: Say) -> Mapping[str, str]:
    """Write what became of several asks together."""
    is_all_yes = all(is_yes_told(one, say) for one in of)
    is_all_done = all(is_done_told(one, say) for one in of)
    return {
        "offered": number(sum(one.offered for one in of)),
        "pledged": number(sum(one.pledged for one in of)) if is_all_yes else NOT_TOLD,
        "done": number(sum(one.done for one in of)) if is_all_done else NOT_TOLD,
        "declined": total([one.declined for one in of], say),
        "blocked": total([one.blocked for one in of], say),
    }
