"""Undoing a whole import: the roll is again as it was, but for those who have acted since."""

import json
from collections.abc import Collection
from datetime import timedelta

import pytest
from sqlalchemy import inspect, select, text, update

from mailer.bootstrap import House
from mailer.consent import actions as consent
from mailer.fields.model import Field, FieldKind, FieldValue
from mailer.imports import actions as imports
from mailer.imports import store
from mailer.imports.model import Basis, Fate, Import, ImportState, Rule
from mailer.kit.errors import Refusal
from mailer.kit.work import Door, Work
from mailer.outbox import store as outbox
from mailer.outbox.model import DeliveryState, Letter
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import Subscriber, visible
from mailer.tags.model import Tag, Tagging
from tests import makers as make
from tests.cast import Cast

EVIDENCE = "Paper forms at the spring round table, 3 May 2026."
FILE = (
    "email,first name,city,level,language,group,tags,shoe,unsubscribed\n"
    "yasmin@example.org,Yasmin,Lille,organiser,fr,Dockers,left-handed; van,38,\n"
    "zora@example.org,Zora,,,,Northgate Transport Branch,,39,\n"
    "bo@example.org,Robert,Northgate,organiser,en,Dockers,van,40,\n"
    "dana@example.org,,Harbour,activist,en,,van,,\n"
    "gil@example.org,Gil,,,fr,Harbour Workers’ Centre,,,yes\n"
    "nobody@example.org,,,,,,,,yes\n"
    "not an address,Nobody,,,,,,,\n"
)
OURS = {"import", "import_line", "import_item", "import_name", "import_part", "audit_line"}


async def dump(house: House) -> dict[str, list[str]]:
    """Give every row of every table that an import may touch, but for numbers of sequences."""
    async with house.work(reading=True) as work:
        names = await work.session.run_sync(
            lambda session: inspect(session.connection()).get_table_names()
        )
        tables = {}
        for name in sorted(set(names) - OURS):
            asked = text(f'SELECT * FROM "{name}"').execution_options(unscoped="the test")
            rows = (await work.session.execute(asked)).mappings().all()
            tables[name] = sorted(
                json.dumps(dict(row), default=str, sort_keys=True) for row in rows
            )
        return tables


async def furnished(house: House, cast: Cast) -> None:
    """Let there be a field and a tag, and let Bo have something in both."""
    async with house.work() as work:
        field = Field(slug="shoe", kind=FieldKind.NUMBER, name={"en": "Shoe"}, made_at=work.now)
        tag = Tag(uid="van", name="van", name_key="van", made_at=work.now)
        work.session.add_all([field, tag])
        await work.session.flush()
        work.session.add_all(
            [
                FieldValue(subscriber_no=cast.bo.no, field_no=field.no, value="44", number=44.0),
                Tagging(subscriber_no=cast.bo.no, tag_no=tag.no, since=work.now),
            ]
        )


async def applied(
    house: House, cast: Cast, *, basis: Basis = Basis.AGREED, rule: Rule = Rule.OVERWRITE
) -> str:
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        import_ = await imports.rehearse(
            work,
            file_name="spring.csv",
            content=FILE.encode(),
            list_no=cast.bulletin.no,
            rule=rule,
        )
        evidence = EVIDENCE if basis is Basis.AGREED else ""
        await imports.choose_basis(work, import_, basis=basis, evidence=evidence)
    await imports.drive(house, import_.uid)
    return import_.uid


async def undone(house: House, uid: str) -> Import:
    async with house.work(door=Door.ADMIN) as work:
        import_ = await store.by_uid(work, uid)
        assert import_
        await imports.undo(work, import_)
    return await imports.drive(house, uid)


async def nos(house: House, names: Collection[str]) -> dict[str, bool]:
    async with house.work(reading=True) as work:
        return {
            name: await subscribers.by_address(work, f"{name}@example.org") is not None
            for name in names
        }


@pytest.mark.parametrize("rule", list(Rule))
@pytest.mark.parametrize("basis", list(Basis))
async def test_the_roll_is_again_exactly_as_it_was(
    house: House, cast: Cast, basis: Basis, rule: Rule
) -> None:
    await furnished(house, cast)
    before = await dump(house)

    uid = await applied(house, cast, basis=basis, rule=rule)
    between = await dump(house)
    import_ = await undone(house, uid)

    assert between["subscriber"] != before["subscriber"]
    assert between["suppression"] != before["suppression"]
    assert import_.state is ImportState.UNDONE
    after = await dump(house)
    assert {name: rows for name, rows in after.items() if rows != before[name]} == {}
    assert (import_.done["undone"], import_.done["kept"]) == (6, 0)


async def test_the_rules_say_what_a_file_may_change(house: House, cast: Cast) -> None:
    await furnished(house, cast)
    found = {}
    for rule in Rule:
        uid = await applied(house, cast, rule=rule)
        async with house.work(reading=True) as work:
            bo = await subscribers.by_no(work, cast.bo.no)
            assert bo
            values = select(FieldValue.value).where(FieldValue.subscriber_no == bo.no)
            found[rule] = (bo.first_name, bo.city, list(await work.session.scalars(values)))
        await undone(house, uid)
    assert found == {
        Rule.FILL: ("Bo", "Northgate", ["44"]),
        Rule.OVERWRITE: ("Robert", "Northgate", ["40"]),
        Rule.LEAVE: ("Bo", "", ["44"]),
    }


async def test_who_has_acted_since_stays_as_they_are(house: House, cast: Cast) -> None:
    uid = await applied(house, cast)
    async with house.work(door=Door.PAGE) as work:
        yasmin = await subscribers.by_address(work, "yasmin@example.org")
        assert yasmin
        await consent.unsubscribe(work, yasmin, list_no=None)
    async with house.work() as work:  # the notice of leaving has not gone out yet
        await work.session.execute(
            update(Letter)
            .values(state=DeliveryState.QUEUED)
            .where(Letter.subscriber_no.is_not(None))
        )
    import_ = await undone(house, uid)
    assert import_.done["kept"] == 1
    assert await nos(house, ("yasmin", "zora", "bo")) == {"yasmin": True, "zora": False, "bo": True}


async def test_what_was_changed_since_is_better_known(house: House, cast: Cast) -> None:
    uid = await applied(house, cast)
    async with house.work() as work:
        await work.session.execute(
            update(Subscriber)
            .where(Subscriber.no == cast.bo.no, visible(work))
            .values(city="Elsewhere")
            .execution_options(synchronize_session=False)
        )
    await undone(house, uid)
    async with house.work(reading=True) as work:
        bo = await subscribers.by_no(work, cast.bo.no)
        assert bo
        assert (bo.first_name, bo.city) == ("Bo", "Elsewhere")


async def test_letters_that_wait_are_taken_back_unsent(house: House, cast: Cast) -> None:
    uid = await applied(house, cast, basis=Basis.ASK)
    async with house.work(reading=True) as work:
        zora = await subscribers.by_address(work, "zora@example.org")
        assert zora
        [letter] = await outbox.letters_to(work, zora.no)
        assert letter.due_at - letter.made_at == timedelta(hours=1)
    await undone(house, uid)
    async with house.work(reading=True) as work:
        assert not await outbox.letters_to(work, zora.no)


async def _to_undo(work: Work, uid: str) -> Import:
    import_ = await store.by_uid(work, uid)
    assert import_
    return import_


async def test_once_somebody_was_written_to_it_is_too_late(house: House, cast: Cast) -> None:
    uid = await applied(house, cast)
    async with house.work() as work:
        zora = await subscribers.by_address(work, "zora@example.org")
        assert zora
        await subscribers.change(work, zora, {"last_mailed_at": work.now})
    async with house.work() as work:
        with pytest.raises(imports.AlreadyMailed):
            await imports.undo(work, await _to_undo(work, uid))


@pytest.mark.parametrize(("days", "refusal"), [(6.9, None), (7.1, imports.UndoTooLate)])
async def test_it_can_be_undone_for_seven_days(
    house: House, cast: Cast, days: float, refusal: type[Refusal] | None
) -> None:
    uid = await applied(house, cast)
    async with house.work() as work:
        later = make.later(work, days=days)
        import_ = await _to_undo(work, uid)
        if refusal is None:
            await imports.undo(later, import_)
            assert (await imports.undo(later, import_)).state is ImportState.UNDOING
        else:
            with pytest.raises(refusal):
                await imports.undo(later, import_)


async def test_what_was_not_imported_cannot_be_undone(cast: Cast, work: Work) -> None:
    import_ = await imports.rehearse(
        work, file_name="x", content=FILE.encode(), list_no=cast.bulletin.no
    )
    with pytest.raises(imports.NothingToUndo):
        await imports.undo(work, import_)
    await imports.choose_basis(work, import_, basis=Basis.ASK)
    with pytest.raises(imports.StillApplying):
        await imports.undo(work, import_)


async def test_a_stopped_import_is_undone_as_far_as_it_came(house: House, cast: Cast) -> None:
    before = await dump(house)
    async with house.work(account=cast.amina.no) as work:
        import_ = await imports.rehearse(
            work, file_name="x", content=FILE.encode(), list_no=cast.bulletin.no
        )
        await imports.choose_basis(work, import_, basis=Basis.AGREED, evidence=EVIDENCE)
    for _ in range(3):
        await imports.apply_some(house, uid=import_.uid, limit=1, seconds=0)
    async with house.work() as work:
        await imports.cancel(work, await _to_undo(work, import_.uid))
    assert await dump(house) != before
    await undone(house, import_.uid)
    assert await dump(house) == before


async def test_lines_keep_their_fates(house: House, cast: Cast) -> None:
    uid = await applied(house, cast)
    await undone(house, uid)
    async with house.work(reading=True) as work:
        import_ = await _to_undo(work, uid)
        refused = await store.lines(work, import_, fate=Fate.REFUSED)
        assert [line.line for line in refused.rows] == [8]
        assert refused.rows[0].cells
