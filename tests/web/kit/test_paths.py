"""Odd paths: whatever stands in one, nothing breaks."""

import httpx
import pytest

ODD = [
    "%00",
    "%ff%fe",
    "a%0d%0ab",
    "..%2f..",
    "%f0%9f%90%a2",
    "x" * 3000,
    "%E2%80%A8",
    "'--",
    "{uid}",
]


@pytest.mark.parametrize("odd", ODD, ids=[one[:12] for one in ODD])
async def test_an_odd_part_of_a_path_is_found_to_be_nothing(
    admin: httpx.AsyncClient, odd: str
) -> None:
    for place in (
        "/admin/people/",
        "/admin/campaigns/",
        "/admin/import/",
        "/admin/lists/",
        "/admin/groups/",
        "/l/",
        "/u/",
        "/n/",
        "/join/",
        "/static/",
    ):
        answer = await admin.get(place + odd)
        assert answer.status_code in {404, 400}, (place, answer.status_code)


@pytest.mark.parametrize("odd", ODD, ids=[one[:12] for one in ODD])
async def test_an_odd_question_finds_nobody(admin: httpx.AsyncClient, odd: str) -> None:
    for place in ("/admin/people?q=", "/admin/people?group=", "/admin/people?after="):
        answer = await admin.get(place + odd)
        assert answer.status_code in {200, 400, 404, 422}, (place, answer.status_code)
