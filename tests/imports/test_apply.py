"""Applying: what a person decided is done in small batches, and done once."""

import dataclasses

import pytest

from mailer.activity import store as activity
from mailer.audit import store as audit
from mailer.bootstrap import House
from mailer.consent import actions as consent
from mailer.consent import store as consents
from mailer.consent.model import SubscriberState, SubscriptionState
from mailer.groups import store as groups
from mailer.imports import actions as imports
from mailer.imports import joining, store
from mailer.imports.model import Basis, Fate, Import, ImportState, Why
from mailer.imports.writing import refused_lines
from mailer.kit.db import make_engine
from mailer.kit.errors import Invalid
from mailer.kit.work import Door, Work
from mailer.outbox import store as outbox
from mailer.records import actions as records
from mailer.records import store as record_store
from mailer.subscribers import actions as people
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import GroupRole, Subscriber, SuppressionReason
from mailer.tiers import store as tiers
from tests import makers as make
from tests.cast import Cast

EVIDENCE = "Paper forms at the spring round table, 3 May 2026."
FILE = """email,first name,level,language,group
yasmin@example.org,Yasmin,organiser,fr,Dockers
zora@example.org,Zora,,,Northgate Transport Branch
bo@example.org,Bo,organiser,en,dockers
gil@example.org,Gil,,fr,Harbour Workers’ Centre
dana@example.org,Dana,activist,en,
chidi@example.org,Chidi,,en,
not an address,Nobody,,en,
"""


async def begun(
    house: House,
    cast: Cast,
    text: str = FILE,
    *,
    basis: Basis = Basis.AGREED,
    evidence: str = EVIDENCE,
) -> str:
    """Read a file and choose its basis, as Amina; give its name."""
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        import_ = await imports.rehearse(
            work, file_name="spring.csv", content=text.encode(), list_no=cast.bulletin.no
        )
        await imports.choose_basis(work, import_, basis=basis, evidence=evidence)
        return import_.uid


async def applied(house: House, cast: Cast, text: str = FILE, **how: Basis) -> Import:
    return await imports.drive(house, await begun(house, cast, text, **how))


async def person(work: Work, name: str) -> Subscriber:
    found = await subscribers.by_address(work, f"{name}@example.org")
    assert found
    return found


def crowd(number: int) -> str:
    return "email\n" + "".join(f"one{no}@example.org\n" for no in range(number))


# --- agreed -------------------------------------------------------------------------------------


async def test_who_has_agreed_is_on_the_list_at_once(house: House, cast: Cast) -> None:
    import_ = await applied(house, cast)

    assert import_.state is ImportState.APPLIED
    assert {name: number for name, number in import_.done.items() if number} == {
        "lines": 4,
        "added": 2,
        "confirmed": 3,
        "placed": 2,
        "grouped": 3,
    }
    async with house.work(reading=True) as work:
        yasmin = await person(work, "yasmin")
        [record] = await consents.records_of(work, yasmin.no)
        assert (record.wording, record.door, record.account_no) == (
            EVIDENCE,
            Door.IMPORT,
            cast.amina.no,
        )
        assert await consent.state_of(work, yasmin) is SubscriberState.ACTIVE
        assert await consent.state_of(work, await person(work, "dana")) is SubscriberState.ACTIVE
        assert not await outbox.letters_to(work, yasmin.no)


async def test_new_people_stand_where_the_file_says_or_lowest(house: House, cast: Cast) -> None:
    await applied(house, cast)
    async with house.work(reading=True) as work:
        levels = {}
        for name in ("yasmin", "zora", "bo", "dana"):
            tier = await tiers.chosen(work, (await person(work, name)).no)
            levels[name] = tier.slug if tier else ""
        assert levels == {
            "yasmin": cast.organiser.slug,  # whoever imports vouches for them
            "zora": cast.follower.slug,
            "bo": cast.supporter.slug,  # a file moves nobody who has chosen
            "dana": cast.follower.slug,
        }


async def test_groups_are_founded_once_and_known_ones_joined(house: House, cast: Cast) -> None:
    await applied(house, cast)
    async with house.work(reading=True) as work:
        founded = await groups.by_name(work, "Dockers")
        assert founded
        assert [one.first_name for one in await groups.members_of(work, founded)] == [
            "Bo",
            "Yasmin",
        ]


async def test_what_a_file_lacks_is_filled_by_the_house(house: House, cast: Cast) -> None:
    await applied(house, cast)
    async with house.work(reading=True) as work:
        zora = await person(work, "zora")
        assert (zora.language, zora.door) == (cast.organisation.language, Door.IMPORT)
        assert (await person(work, "yasmin")).language == "fr"
        assert await activity.kinds(work, zora.no) == ["imported"]


async def test_nothing_is_done_before_somebody_says_on_what_ground(
    house: House, cast: Cast
) -> None:
    async with house.work() as work:
        await imports.rehearse(work, file_name="x", content=FILE.encode(), list_no=cast.bulletin.no)
    assert await imports.apply_some(house) is False
    async with house.work(reading=True) as work:
        assert await subscribers.by_address(work, "yasmin@example.org") is None


# --- asked --------------------------------------------------------------------------------------


async def test_who_is_asked_gets_one_letter_and_waits(house: House, cast: Cast) -> None:
    import_ = await applied(house, cast, basis=Basis.ASK)
    assert (import_.done["asked"], import_.done["confirmed"]) == (2, 0)
    async with house.work(reading=True) as work:
        yasmin = await person(work, "yasmin")
        assert await consent.state_of(work, yasmin) is SubscriberState.PENDING
        assert [letter.kind for letter in await outbox.letters_to(work, yasmin.no)] == ["confirm"]
        assert not await consents.records_of(work, yasmin.no)


async def test_who_was_asked_before_is_not_asked_again(house: House, cast: Cast) -> None:
    await applied(house, cast, basis=Basis.ASK)
    again = await applied(house, cast, basis=Basis.ASK)
    assert (again.done["asked"], again.done["added"]) == (0, 0)
    async with house.work(reading=True) as work:
        for name in ("yasmin", "dana"):
            letters = await outbox.letters_to(work, (await person(work, name)).no)
            assert [letter.kind for letter in letters] == ["confirm"]


async def test_the_words_they_are_asked_with_are_in_their_language(
    house: House, cast: Cast
) -> None:
    await applied(house, cast, basis=Basis.ASK)
    async with house.work(reading=True) as work:
        wordings = {}
        for name in ("yasmin", "zora"):
            mark = str((await person(work, name)).mark)
            [asked] = (await consents.asked_since_a_click(work, [mark]))[mark]
            wordings[name] = asked.wording
        assert "peut m’écrire" in wordings["yasmin"]
        assert wordings["zora"] == cast.wording


# --- in batches ---------------------------------------------------------------------------------


async def test_a_batch_and_its_cursor_are_one(house: House, cast: Cast) -> None:
    uid = await begun(house, cast, crowd(25))
    seen = []
    while await imports.apply_some(house, limit=10, seconds=0):
        async with house.work(reading=True) as work:
            import_ = await store.by_uid(work, uid)
            assert import_
            on_the_list = (await consents.counts_by_list(work))[cast.bulletin.no][
                SubscriptionState.CONFIRMED
            ]
            seen.append((import_.cursor, import_.done["lines"], on_the_list - 2))
    assert seen == [(11, 10, 10), (21, 20, 20), (26, 25, 25)]


class Cut(Exception):
    """The power is gone."""


async def test_a_crash_in_a_batch_loses_that_batch_and_nothing_else(
    house: House, cast: Cast, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    uid = await begun(house, cast, crowd(25))
    await imports.apply_some(house, limit=10, seconds=0)

    async def cut(*_: object, **__: object) -> None:
        raise Cut

    with monkeypatch.context() as patched:
        # In the middle of a batch: people are added and placed, and nobody has agreed yet.
        patched.setattr(joining, "subscribe", cut)
        with pytest.raises(Cut):
            await imports.apply_some(house, limit=10, seconds=0)

    engine = make_engine(database)  # another process comes after the one that died
    another = dataclasses.replace(house, engine=engine)
    async with another.work(reading=True) as work:
        assert await subscribers.by_address(work, "one9@example.org")
        assert await subscribers.by_address(work, "one10@example.org") is None
    import_ = await imports.drive(another, uid)
    await engine.dispose()
    assert (import_.state, import_.done["lines"], import_.done["added"]) == (
        ImportState.APPLIED,
        25,
        25,
    )


async def test_imports_wait_for_each_other(house: House, cast: Cast) -> None:
    first = await begun(house, cast, crowd(3))
    second = await begun(house, cast, "email\nyasmin@example.org\n")
    ended: list[str] = []
    while await imports.apply_some(house, limit=2, seconds=0):
        async with house.work(reading=True) as work:
            for import_ in await store.recent(work):
                if import_.state is ImportState.APPLIED and import_.uid not in ended:
                    ended.append(import_.uid)
    assert ended == [first, second]


async def test_progress_is_told(house: House, cast: Cast) -> None:
    told: list[int] = []
    await begun(house, cast, crowd(120))
    while await imports.apply_some(
        house, limit=50, seconds=0, progress=lambda import_: told.append(import_.done["lines"])
    ):
        pass
    assert told == [50, 100, 120]


async def test_an_import_that_is_not_there_is_refused(house: House, cast: Cast) -> None:
    with pytest.raises(imports.ImportUnknown):
        await imports.drive(house, "nowhere")


# --- what happened since the rehearsal ----------------------------------------------------------


async def test_who_said_no_meanwhile_stays_off(house: House, cast: Cast) -> None:
    uid = await begun(house, cast)
    async with house.work() as work:
        await consent.suppress_many(work, ["yasmin@example.org"], SuppressionReason.ASKED)
        await consent.unsubscribe(work, cast.bo, list_no=None)
        await people.stop_silently(work, cast.dana)
    import_ = await imports.drive(house, uid)
    assert (import_.done["refused"], import_.done["added"]) == (3, 1)
    async with house.work(reading=True) as work:
        assert await subscribers.by_address(work, "yasmin@example.org") is None
        refused = await store.reasons(work, import_)
        assert refused == {
            Why.SUPPRESSED: 1,
            Why.HAS_LEFT: 2,
            Why.STOPPED: 1,
            "address_incomplete": 1,
        }


async def test_who_joined_meanwhile_is_known(house: House, cast: Cast) -> None:
    uid = await begun(house, cast)
    async with house.work() as work:
        await make.person(work, "yasmin@example.org", first_name="Yas", tier=cast.supporter)
    import_ = await imports.drive(house, uid)
    assert (import_.done["added"], import_.done["placed"]) == (1, 1)
    async with house.work(reading=True) as work:
        yasmin = await person(work, "yasmin")
        assert yasmin.first_name == "Yas"
        assert await tiers.chosen(work, yasmin.no) == await tiers.by_no(work, cast.supporter.no)


async def test_who_has_another_address_meanwhile_is_not_added_again(
    house: House, cast: Cast
) -> None:
    uid = await begun(house, cast)
    async with house.work() as work:
        await people.change_address(work, cast.bo, "bo@harbour.example.org")
    import_ = await imports.drive(house, uid)
    async with house.work(reading=True) as work:
        assert (await store.reasons(work, import_))[Why.GONE] == 1
        assert await subscribers.by_address(work, "bo@example.org") is None


async def test_reading_the_same_file_again_changes_nothing(house: House, cast: Cast) -> None:
    await applied(house, cast)
    async with house.work(account=cast.amina.no) as work:
        again = await imports.rehearse(
            work, file_name="x", content=FILE.encode(), list_no=cast.bulletin.no
        )
        counted = {fate: number for fate, number in again.counts.items() if number}
        assert counted == {"unchanged": 5, "refused": 2}
        with pytest.raises(imports.NobodyToImport):
            await imports.choose_basis(work, again, basis=Basis.ASK)


# --- what is kept -------------------------------------------------------------------------------


async def test_a_line_that_is_applied_holds_nobody_any_more(house: House, cast: Cast) -> None:
    import_ = await applied(house, cast)
    async with house.work(reading=True) as work:
        lines = (await store.lines(work, import_)).rows
        held = [line.line for line in lines if any(getattr(line, name) for name in store.EMPTY)]
        assert held == [7, 8]  # to mend
        assert all(line.subscriber_no for line in lines if line.fate is Fate.NEW)


async def test_what_accounts_did_is_on_record(house: House, cast: Cast) -> None:
    await applied(house, cast)
    async with house.work(reading=True) as work:
        lines = (await audit.newest(work)).rows
        acts = {line.act: line.account_no for line in lines if line.act.startswith("import")}
        assert acts == dict.fromkeys(
            ("import_received", "import_rehearsed", "import_confirmed", "import_applied"),
            cast.amina.no,
        )
        assert "@" not in str([line.facts for line in lines])
        [joined, *_] = reversed(await records.timeline(work, await person(work, "yasmin")))
        assert (joined.account_name, joined.details) == ("Amina", "From the file “spring.csv”")


async def test_refused_lines_are_a_file_to_mend(house: House, cast: Cast) -> None:
    text = 'email,name\nbad,"=HYPERLINK(""x"")"\n"two, @",Bo\n' + "c@example.org,C,surplus\n"
    async with house.work() as work:
        import_ = await imports.rehearse(
            work, file_name="x", content=text.encode(), list_no=cast.bulletin.no
        )
    written = "".join([some async for some in refused_lines(house, import_)])
    assert written.startswith("\ufeff")
    first, second, *rest = written.removeprefix("\ufeff").split("\r\n")
    assert first == "Line,Why not,email,name"
    assert second.startswith("2,")
    assert second.endswith('bad,"\'=HYPERLINK(""x"")"')
    assert [line.split(",")[0] for line in rest] == ["3", "4", ""]


# --- deciding and stopping ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("basis", "evidence", "field"),
    [
        (None, EVIDENCE, "basis"),
        (Basis.AGREED, "", "evidence"),
        (Basis.AGREED, "they did", "evidence"),
        (Basis.AGREED, " \n " * 9, "evidence"),
    ],
)
async def test_a_basis_is_needed_and_evidence_for_agreement(
    cast: Cast, work: Work, basis: Basis | None, evidence: str, field: str
) -> None:
    import_ = await imports.rehearse(
        work, file_name="x", content=FILE.encode(), list_no=cast.bulletin.no
    )
    with pytest.raises(Invalid) as refused:
        await imports.choose_basis(work, import_, basis=basis, evidence=evidence)
    assert refused.value.facts["field"] == field
    assert import_.state is ImportState.REHEARSED


async def test_saying_it_twice_is_saying_it_once_and_otherwise_is_too_late(
    cast: Cast, work: Work
) -> None:
    import_ = await imports.rehearse(
        work, file_name="x", content=FILE.encode(), list_no=cast.bulletin.no
    )
    for _ in range(2):
        await imports.choose_basis(work, import_, basis=Basis.ASK, evidence="not kept")
    assert (import_.state, import_.evidence) == (ImportState.APPLYING, "")
    with pytest.raises(imports.AlreadyDecided):
        await imports.choose_basis(work, import_, basis=Basis.AGREED, evidence=EVIDENCE)


async def test_stopping_keeps_what_was_done_and_forgets_the_rest(house: House, cast: Cast) -> None:
    uid = await begun(house, cast, crowd(25))
    await imports.apply_some(house, limit=10, seconds=0)
    async with house.work(account=cast.amina.no) as work:
        import_ = await store.by_uid(work, uid)
        assert import_
        await imports.cancel(work, import_)
        stopped = await imports.cancel(work, import_)
        assert (stopped.state, stopped.done["lines"]) == (ImportState.CANCELLED, 10)
        with pytest.raises(imports.AlreadyDecided):
            await imports.choose_basis(work, stopped, basis=Basis.ASK)
    assert await imports.apply_some(house) is False
    async with house.work(reading=True) as work:
        for line in (await store.lines(work, stopped)).rows:
            assert not any(getattr(line, name) for name in store.EMPTY)


async def test_what_is_complete_cannot_be_stopped(house: House, cast: Cast) -> None:
    import_ = await applied(house, cast)
    async with house.work() as work:
        found = await store.by_uid(work, import_.uid)
        assert found
        with pytest.raises(imports.AlreadyApplied):
            await imports.cancel(work, found)


async def test_a_file_says_who_is_what_in_which_group(house: House, cast: Cast) -> None:
    text = (
        "email,groups,roles in groups\n"
        'yasmin@example.org,Dockers,"rep: Dockers; officer: Harbour Workers’ Centre"\n'
        "bo@example.org,,officer: Northgate Transport Branch\n"
        "zora@example.org,,boss: Dockers\n"
        "vera@example.org,,Dockers\n"
    )
    import_ = await applied(house, cast, text)
    async with house.work(reading=True) as work:
        roles = {}
        for name in ("yasmin", "bo"):
            person = await subscribers.by_address(work, f"{name}@example.org")
            assert person
            roles[name] = {
                group.name: there.role for group, there in await groups.belonging(work, person.no)
            }
        refused = (await store.lines(work, import_, fate=Fate.REFUSED)).rows
        assert [(line.line, line.why) for line in refused] == [
            (4, Why.ROLE_WRONG),
            (5, Why.ROLE_WRONG),
        ]
        assert "boss: Dockers" in imports.why(refused[0])
    assert roles == {
        "yasmin": {"Dockers": GroupRole.REP, "Harbour Workers’ Centre": GroupRole.OFFICER},
        # Who is in it already is there what we know them to be.
        "bo": {"Northgate Transport Branch": GroupRole.MEMBER},
    }


async def test_who_came_in_a_file_is_found_by_each_word_of_their_name(
    house: House, cast: Cast
) -> None:
    await applied(
        house, cast, "email,first name,last name\nana@example.org,Ana Maria,López García\n"
    )
    async with house.work(reading=True) as work:
        for typed in ("ana", "maria", "lópez", "garcía"):
            found = await record_store.begin_with(work, typed, limit=5)
            assert [one.address for one in found] == ["ana@example.org"], typed
