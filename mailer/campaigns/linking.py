"""Links that organisers write into a text by hand: to an ask's answers, and *I have read this*.

They are merge fields like others, and mean something only where there is what they lead to. A
refusal names the part, the language and the line.
"""

import re
from collections.abc import Iterator, Mapping

from mailer.asks import store as asks
from mailer.asks.model import AskState
from mailer.campaigns.model import Campaign
from mailer.content import merge
from mailer.kit.errors import Invalid
from mailer.kit.work import Work

_ANSWER = re.compile(r"link\.ask\.(\d{1,18})\.[a-z]+")
_READ = "link.read"
_LARGEST = 2**31 - 1  # of a number that PostgreSQL can compare with an ask's


class ReadIsForAlerts(Invalid):
    """Only an alert asks whether it was read. Take this link out: {{ link.read }}."""


class AnswersNothing(Invalid):
    """No ask has the number %(number)s, or it is still a draft. Take out the link to it."""


class AnswersWhatIsClosed(Invalid):
    """The ask number %(number)s is not open any more. Take out the link to it."""


async def ask_for_answers(
    work: Work, campaign: Campaign, document: Mapping[str, Mapping[str, str]], *, now: bool = False
) -> None:
    """Refuse links that lead nowhere; `now`, before a mail goes, also to asks that are closed."""
    found = list(_links(document))
    numbers = {int(answer[1]) for name, _facts in found if (answer := _ANSWER.fullmatch(name))}
    named = await asks.by_nos(work, {number for number in numbers if number <= _LARGEST})
    for name, facts in found:
        if name == _READ and not campaign.is_urgent:
            raise ReadIsForAlerts(**facts)
        answer = _ANSWER.fullmatch(name)
        if answer is None:
            continue
        ask = named.get(int(answer[1]))
        if ask is None or ask.state is AskState.DRAFT:
            raise AnswersNothing(number=answer[1], **facts)
        if now and not ask.is_open(work.now):
            raise AnswersWhatIsClosed(number=answer[1], **facts)


def _links(
    document: Mapping[str, Mapping[str, str]],
) -> Iterator[tuple[str, dict[str, str | int]]]:
    """Give the fields of each text, with where each stands."""
    for language, parts in document.items():
        for part, text in parts.items():
            for name, line in merge.named_in(text):
                where: dict[str, str | int] = {"field": part, "language": language}
                yield name, where | ({"line": line} if part == "markdown" else {})
