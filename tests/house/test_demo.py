"""What exists only while `rollcall demo` runs must exist nowhere else."""

import httpx


async def test_no_inbox_outside_the_demo(web: httpx.AsyncClient) -> None:
    for path in ("/demo/inbox", "/demo/inbox/000001", "/demo/inbox/000001/document"):
        assert (await web.get(path)).status_code == 404
