"""Adding what is missing."""

from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.subscribers.model import Suppression, SuppressionReason


async def test_rows_that_stand_are_left_and_the_others_are_given(work: Work) -> None:
    def row(mark: str) -> dict[str, object]:
        return {
            "mark": mark,
            "reason": SuppressionReason.ASKED,
            "at": work.now,
            "door": work.door,
        }

    assert await add_missing(work, Suppression, []) == []
    first = await add_missing(work, Suppression, [row(mark) for mark in "aab"])
    then = await add_missing(work, Suppression, [row(mark) for mark in "abc"])

    assert [one.mark for one in first] == ["a", "b"]
    assert [(one.mark, one.at) for one in then] == [("c", work.now)]
    assert await add_missing(work, Suppression, [row("a")]) == []
