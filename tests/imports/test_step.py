"""Steps: a file in parts is read by the worker, a piece at a time, and goes on where it stopped."""

import csv
import io
from pathlib import Path

import pytest

from mailer.bootstrap import House
from mailer.imports import actions as imports
from mailer.imports import feeding, receiving, store
from mailer.imports.model import Basis, Fate, Import, ImportState
from mailer.imports.writing import every_line, refused_lines
from mailer.kit.tables import BOM
from mailer.subscribers import store as subscribers
from tests.cast import Cast

TEXT = "email,first name\n" + "".join(
    f'person{no}@example.org,"Somebody, number {no}"\n' for no in range(300)
)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "PIECE", 700)


async def received(house: House, cast: Cast, text: str = TEXT, size: int = 1000) -> str:
    content = text.encode()
    async with house.work(account=cast.amina.no) as work:
        import_ = await receiving.receive(work, file_name="x.csv", list_no=cast.bulletin.no)
        for part, at in enumerate(range(0, len(content), size)):
            await receiving.keep_part(work, import_, part, content[at : at + size])
        await receiving.received(work, import_)
        await receiving.understand(work, import_, columns=import_.columns)
        return import_.uid


async def found(house: House, uid: str) -> Import:
    async with house.work(reading=True) as work:
        import_ = await store.by_uid(work, uid)
        assert import_
        return import_


async def test_a_file_is_read_in_pieces_whatever_its_parts_are(house: House, cast: Cast) -> None:
    uid = await received(house, cast)
    seen = set()
    while await imports.read_some(house, seconds=0):
        seen.add(int((await found(house, uid)).read_to["octet"]))
    import_ = await found(house, uid)
    assert len(seen) > 10
    assert (import_.state, import_.counts[Fate.NEW]) == (ImportState.REHEARSED, 300)
    async with house.work(reading=True) as work:
        # Somebody may still say that the columns are others: the file is kept till they decide.
        assert await store.lengths_of_parts(work, import_)
        rows = (await store.lines(work, import_, limit=1000)).rows
        assert [row.line for row in rows] == list(range(2, 302))
    async with house.work() as work:
        decided = await store.by_uid(work, uid)
        assert decided
        await imports.choose_basis(work, decided, basis=Basis.ASK)
        assert not await store.lengths_of_parts(work, decided)


async def test_many_pieces_in_one_step_are_the_same(house: House, cast: Cast) -> None:
    uid = await received(house, cast, size=333)
    assert (await imports.drive(house, uid)).counts[Fate.NEW] == 300


async def test_what_is_understood_anew_is_read_anew(house: House, cast: Cast) -> None:
    uid = await received(house, cast)
    await imports.read_some(house, seconds=0)
    async with house.work() as work:
        import_ = await store.by_uid(work, uid)
        assert import_
        await receiving.understand(work, import_, columns=["address", ""])
    assert (await imports.drive(house, uid)).counts[Fate.NEW] == 300


async def test_a_file_on_the_disk_is_left_to_the_command_that_reads_it(
    house: House, cast: Cast, tmp_path: Path
) -> None:
    path = tmp_path / "x.csv"
    path.write_text(TEXT)
    async with house.work() as work:
        import_ = await receiving.receive(work, file_name="x.csv", list_no=cast.bulletin.no)
        await receiving.received(work, import_, path=path)
        await receiving.understand(work, import_, columns=import_.columns)
    assert await imports.read_some(house) is False
    read = await imports.drive(house, import_.uid, path=path)
    assert read.counts[Fate.NEW] == 300
    async with house.work(reading=True) as work:
        assert await store.left_reading(work, "x.csv", path.stat().st_size) is None


async def test_a_file_of_headings_alone_is_told_as_unreadable(house: House, cast: Cast) -> None:
    uid = await received(house, cast, "email,name\n" + ",\n" * 3 + " ,x\n")
    import_ = await imports.drive(house, uid)
    assert import_.counts[Fate.REFUSED] == 1
    async with house.work() as work:
        again = await store.by_uid(work, uid)
        assert again
        with pytest.raises(imports.NobodyToImport):
            await imports.choose_basis(work, again, basis=Basis.ASK)


async def test_refused_lines_are_mended_and_read_again(house: House, cast: Cast) -> None:
    """What is downloaded is a file that is read like any other, whatever its lines hold."""
    async with house.work() as work:
        await subscribers.change(work, cast.bo, {"stopped_at": work.now})
    text = 'email,first name,tags\nbo@example.org,"=Bo","a; b"\nbad,"Ana ""the"" first",c\n'
    uid = await received(house, cast, text)
    import_ = await imports.drive(house, uid)
    written = "".join([some async for some in refused_lines(house, import_)])
    rows = list(csv.reader(io.StringIO(written.removeprefix(BOM))))
    assert [row[2:] for row in rows] == [
        ["email", "first name", "tags"],
        ["bo@example.org", "'=Bo", "a; b"],
        ["bad", 'Ana "the" first', "c"],
    ]
    mended = written.replace("bad,", "mended@example.org,").replace("bo@", "other@")
    again = await imports.drive(house, await received(house, cast, mended))
    assert (again.counts[Fate.NEW], again.columns) == (2, ["", "", "address", "first_name", "tags"])
    async with house.work(reading=True) as work:
        names = [row.first_name for row in (await store.lines(work, again)).rows]
    assert names == ["=Bo", 'Ana "the" first']
    told = "".join([some async for some in every_line(house, again)])
    assert told.count("\r\n") == 3


async def test_a_worker_looks_once_for_all_imports_and_does_what_waits(
    house: House, cast: Cast
) -> None:
    assert await imports.work_some(house) is False
    async with house.work() as work:
        file = await receiving.receive(work, file_name="a.csv", list_no=cast.bulletin.no)
        await receiving.keep_part(work, file, 0, b"email\nana@example.org\n")
        await receiving.received(work, file)
        await receiving.understand(work, file, columns=file.columns)

    while await imports.work_some(house):
        pass
    async with house.work() as work:
        read = await store.by_uid(work, file.uid)
        assert read
        assert read.state is ImportState.REHEARSED
        await imports.choose_basis(work, read, basis=Basis.ASK, evidence="")

    while await imports.work_some(house):
        pass
    async with house.work(reading=True) as work:
        done = await store.by_uid(work, file.uid)
    assert done
    assert done.state is ImportState.APPLIED
