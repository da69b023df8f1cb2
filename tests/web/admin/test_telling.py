"""Hours and lengths in words."""

from datetime import UTC, datetime, timedelta

import pytest

from mailer.kit.i18n import speaking
from web.admin.telling import about, soon


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0.5, "less than a minute"),
        (12, "12 minutes"),
        (100, "100 minutes"),
        (5 * 60, "5 hours"),
        (50 * 60, "50 hours"),
        (100 * 60, "4 days"),
    ],
)
def test_a_length_is_told_as_exactly_as_anybody_knows(minutes: float, words: str) -> None:
    with speaking("en"):
        assert about(timedelta(minutes=minutes)) == words


def test_an_hour_of_another_day_comes_with_its_day() -> None:
    now = datetime(2026, 6, 11, 22, 0, tzinfo=UTC)
    with speaking("en"):
        assert soon(now + timedelta(hours=1), now) == "23:00"
        assert soon(now + timedelta(hours=3), now) == "12 June, 01:00"
