"""Erasing a person: nothing that says who they were remains, in any table."""

import asyncio
import sqlite3
from collections.abc import Collection

import pytest
from sqlalchemy import func, select

from mailer.audit.model import AuditLine
from mailer.bootstrap import House
from mailer.consent import actions as consent
from mailer.deliveries.model import Delivery, Reason
from mailer.imports.model import Import
from mailer.kit.db import sqlite_file
from mailer.kit.orm import Base
from mailer.kit.work import Door
from mailer.outbox.model import DeliveryState, Letter
from mailer.records import erasing
from mailer.records.erasing import Ground, Remains
from mailer.subscribers import store as people
from mailer.subscribers.actions import SubscriberUnknown, add, stop_silently
from mailer.subscribers.model import Suppression, SuppressionReason, mark_of
from tests import makers as make
from tests.cast import Cast
from tests.records.a_life import NAMES_THEM, lived, tables_about_people
from tests.support.dumps import everything
from tests.support.mails import Mail
from tests.support.relay import Relay
from tests.support.sending import PATIENCE, counts, no_letters, ready, rows, until_sent, working

OF_CAMPAIGNS = {"delivery"}
"""Tables that keep a row of somebody who was erased: by number alone, for the counts."""


async def erase(
    house: House,
    no: int,
    remains: Remains = Remains.MARK,
    ground: Ground = Ground.ASKED,
    account: int | None = None,
) -> None:
    async with house.work(door=Door.ADMIN, account=account) as work:
        person = await people.by_no(work, no)
        assert person is not None
        await erasing.erase(work, person, remains=remains, ground=ground)


def marks(house: House, *addresses: str) -> set[str]:
    return {mark_of(house.keys, address) for address in addresses}


async def suppressed(house: House) -> dict[str, SuppressionReason]:
    async with house.work(reading=True) as work:
        found = await work.session.scalars(select(Suppression))
        return {one.mark: one.reason for one in found}


def naming(dump: dict[str, list[str]], words: Collection[str]) -> list[str]:
    """Find the rows that hold one of these words, however it is written."""
    return [
        f"{table}: {row}"
        for table, rows in dump.items()
        for row in rows
        for word in words
        if word.casefold() in row.casefold()
    ]


HIS = ("bo@example.org", "bo.before@example.org", "bo.merged@example.org")


@pytest.mark.parametrize("remains", list(Remains))
async def test_a_dump_of_the_whole_database_names_them_nowhere(
    house: House, cast: Cast, remains: Remains
) -> None:
    bo, before = await lived(house, cast)
    uids = (bo.uid, before.uid)
    alive = await everything(house)
    assert {word for word in NAMES_THEM if not naming(alive, [word])} == {"+442079460991"}

    await erase(house, bo.no, remains, Ground.DIED)

    dump = await everything(house)
    kept = marks(house, *HIS) if remains is Remains.MARK else set()
    assert naming(dump, [*NAMES_THEM, *uids]) == []
    assert naming(dump, marks(house, *NAMES_THEM) - kept) == []
    assert await suppressed(house) == {
        mark: SuppressionReason.BOUNCE
        if mark in marks(house, "bo.before@example.org")
        else SuppressionReason.ERASED
        for mark in kept
    }


async def test_every_table_about_people_forgets_them(house: House, cast: Cast) -> None:
    bo, before = await lived(house, cast)
    assert await still_there(house, {bo.no, before.no}) == tables_about_people() - {"subscriber"}

    await erase(house, bo.no)

    assert await still_there(house, {bo.no, before.no}) == OF_CAMPAIGNS


async def still_there(house: House, numbers: Collection[int]) -> set[str]:
    """Name the tables with a row that points to one of these people; not their own."""
    found = set()
    async with house.work(reading=True) as work:
        for table in Base.metadata.sorted_tables:
            for column in table.columns:
                points = any(key.column.table.name == "subscriber" for key in column.foreign_keys)
                if table.name == "subscriber" or not (points or column.name == "subscriber_no"):
                    continue
                if await work.session.scalar(
                    select(func.count()).select_from(table).where(column.in_(numbers))
                ):
                    found.add(table.name)
    return found


async def test_others_keep_all_they_have(house: House, cast: Cast) -> None:
    bo, before = await lived(house, cast)
    mine = {f"subscriber: {no}" for no in (bo.no, before.no)}
    assert mine
    earlier = await everything(house, but=("audit_line", "suppression", "letter"))

    await erase(house, bo.no)

    later = await everything(house, but=("audit_line", "suppression", "letter"))
    lost = {table: set(earlier[table]) - set(later[table]) for table in earlier}
    about_gil = [row for rows in lost.values() for row in rows if "gil@example.org" in row]
    # He had said that Bo's address is his, and a file's head showed them together.
    assert len(about_gil) == 1
    assert "first_rows" in about_gil[0]
    assert [row for row in lost["activity"] if f", {cast.gil.no}, " in row[:12]] == []
    assert lost["membership"] == {
        row for row in earlier["membership"] if row.startswith(f"({bo.no},")
    }
    async with house.work(reading=True) as work:
        [file] = await work.session.scalars(select(Import))
    assert file.found["first_rows"] == [["gil@example.org"]]


async def test_campaigns_still_sum_to_what_was_frozen(house: House, cast: Cast) -> None:
    bo, _before = await lived(house, cast)

    await erase(house, bo.no)

    async with house.work(reading=True) as work:
        left = (await work.session.scalars(select(Delivery))).all()
    assert {(one.subscriber_no, one.state, one.code, one.reply) for one in left} == {
        (bo.no, DeliveryState.REFUSED, 550, None),
        (cast.gil.no, DeliveryState.SENT, None, None),
    }


async def test_the_row_stays_empty_and_its_links_lead_nowhere(house: House, cast: Cast) -> None:
    await erase(house, cast.bo.no)

    async with house.work(reading=True) as work:
        row = await people.by_no(work, cast.bo.no)
        assert row is not None
        assert (row.address, row.mark, row.shown_name) == (None, None, "")
        assert row.erased_at is not None
        assert await people.by_uid(work, cast.bo.uid) is None
        assert await people.by_address(work, "bo@example.org") is None


async def test_what_remains_keeps_a_file_from_adding_them_again(house: House, cast: Cast) -> None:
    await erase(house, cast.bo.no, Remains.MARK)
    await erase(house, cast.gil.no, Remains.NOTHING)

    async with house.work() as work:
        again = [
            await add(work, address=address) for address in ("bo@example.org", "gil@example.org")
        ]
        agreed = await consent.agree_many(
            work,
            [one.no for one in again],
            cast.bulletin,
            wording="In a file.",
            language="en",
        )
        assert len(agreed) == 1


async def test_nothing_takes_off_the_list_also_what_was_asked_before(
    house: House, cast: Cast
) -> None:
    async with house.work() as work:
        await consent.take_off(work, cast.bo)
    assert set(await suppressed(house)) == marks(house, "bo@example.org")

    await erase(house, cast.bo.no, Remains.NOTHING)

    assert await suppressed(house) == {}


async def test_a_former_address_that_is_another_s_by_now_is_left_alone(
    house: House, cast: Cast
) -> None:
    await lived(house, cast)
    async with house.work() as work:
        await add(work, address="bo.before@example.org")

    await erase(house, cast.bo.no, Remains.MARK)

    kept = marks(house, "bo@example.org", "bo.merged@example.org", "bo.before@example.org")
    assert set(await suppressed(house)) == kept  # the bounce was there before, and stays
    assert (await suppressed(house))[marks(house, "bo.before@example.org").pop()] == "bounce"


async def test_the_audit_says_that_it_was_done_and_not_to_whom(house: House, cast: Cast) -> None:
    await erase(house, cast.bo.no, account=cast.amina.no)

    async with house.work(reading=True) as work:
        line = await work.session.scalar(select(AuditLine).filter_by(act="subscriber_erased"))
    assert line is not None
    assert line.account_no == cast.amina.no
    assert line.facts == {"subscriber": cast.bo.no, "remains": "mark", "ground": "asked"}


async def test_one_who_sees_some_groups_cannot_erase(house: House, cast: Cast) -> None:
    async with house.work() as work:
        scoped = make.seen_by(work, cast.harbour, account=cast.farid.no)
        with pytest.raises(erasing.ErasingIsForAll):
            await erasing.erase(scoped, cast.gil, remains=Remains.MARK, ground=Ground.ASKED)


async def test_who_was_erased_cannot_be_erased_again(house: House, cast: Cast) -> None:
    await erase(house, cast.bo.no)
    async with house.work() as work:
        with pytest.raises(SubscriberUnknown):
            await erasing.erase(work, cast.bo, remains=Remains.MARK, ground=Ground.ASKED)


# --- the letter -----------------------------------------------------------------------------------


async def test_one_letter_says_that_it_is_done_and_its_address_goes_with_it(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    await erase(house, cast.bo.no)

    async with working(house, relay), asyncio.timeout(PATIENCE):
        while not relay.letters or await has_address(house):
            await asyncio.sleep(0.05)

    [mail] = [Mail(one) for one in relay.letters]
    assert mail.to == "bo@example.org"
    assert "It is done" in str(mail.message["Subject"])
    for secret in ("Bo,", "/l/", "/u/", "supporter"):
        assert secret not in mail.text
    async with house.work(reading=True) as work:
        [letter] = await work.session.scalars(select(Letter))
    assert (letter.state, letter.address, letter.subscriber_no) == (DeliveryState.SENT, None, None)
    assert naming(await everything(house), ["bo@example.org"]) == []


async def has_address(house: House) -> bool:
    async with house.work(reading=True) as work:
        found = await work.session.scalar(
            select(func.count(Letter.no)).where(Letter.address.is_not(None))
        )
    return bool(found)


@pytest.mark.parametrize("why", ["never written to", "stopped", "died", "no address"])
async def test_nobody_is_told_who_is_not_written_to(house: House, cast: Cast, why: str) -> None:
    await no_letters(house)
    no, ground = cast.bo.no, Ground.ASKED
    async with house.work() as work:
        match why:
            case "never written to":
                await consent.take_off(work, cast.bo)
            case "stopped":
                await stop_silently(work, cast.bo)
            case "died":
                ground = Ground.DIED
            case _:
                no = (await add(work, address=None, first_name="Paper")).no

    await erase(house, no, ground=ground)

    async with house.work(reading=True) as work:
        assert await work.session.scalar(select(func.count(Letter.no))) == 0


# --- while a campaign is being sent ---------------------------------------------------------------


async def test_a_campaign_that_is_frozen_leaves_them_out_and_keeps_its_sum(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    no = await ready(house)
    await erase(house, cast.bo.no, ground=Ground.DIED)

    async with working(house, relay):
        await until_sent(house, no)

    assert [Mail(one).to for one in relay.letters] == ["gil@example.org"]
    assert await counts(house, no) == {DeliveryState.SENT: 1, DeliveryState.SKIPPED: 1}
    assert (await rows(house, no))[cast.bo.no].reply == Reason.ERASED


async def test_the_file_itself_holds_nothing_either(house: House, cast: Cast) -> None:
    """SQLite overwrites what it deletes where it was built so; the journal goes when emptied."""
    file = sqlite_file(house.settings.database_url)
    if file is None:
        return
    await lived(house, cast)
    await erase(house, cast.bo.no, ground=Ground.DIED)
    await house.engine.dispose()
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = file.read_bytes()
    assert [word for word in NAMES_THEM if word.encode() in content] == []
