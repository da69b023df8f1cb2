"""Rehearsing: every line's fate, and nothing else."""

import dataclasses
from collections.abc import Collection

import pytest
from sqlalchemy import func, inspect, select, text

from mailer.audit import store as audit
from mailer.consent import actions as consent
from mailer.imports import actions as imports
from mailer.imports import forgetting, store
from mailer.imports.model import Fate, Import, ImportLine, ImportState, Why
from mailer.imports.words import why
from mailer.kit.errors import Refusal
from mailer.kit.i18n import speaking
from mailer.kit.work import Work
from mailer.subscribers import actions as subscribers
from mailer.subscribers.model import SuppressionReason
from tests import makers as make
from tests.cast import Cast

HEADINGS = "email,first name,level,language,group\n"


async def rehearsed(work: Work, cast: Cast, lines: str, headings: str = HEADINGS) -> Import:
    return await imports.rehearse(
        work,
        file_name="spring.csv",
        content=(headings + lines).encode(),
        list_no=cast.bulletin.no,
    )


async def lines_of(work: Work, import_: Import) -> list[ImportLine]:
    return list((await store.lines(work, import_, limit=1000)).rows)


async def line(work: Work, cast: Cast, lines: str) -> ImportLine:
    """Give the last line of a rehearsed file."""
    return (await lines_of(work, await rehearsed(work, cast, lines)))[-1]


async def test_every_line_gets_a_fate(cast: Cast, work: Work) -> None:
    import_ = await rehearsed(
        work,
        cast,
        "yasmin@example.org,Yasmin,activist,en,Northgate Transport Branch\n"
        "BO@example.org,Bo,supporter,en,Harbour Workers’ Centre\n"
        "gil@example.org,Gil,organiser,fr,Harbour Workers’ Centre\n"
        "chidi@example.org,Chidi,,en,\n"
        "nobody,Nobody,,en,\n",
    )
    assert import_.state is ImportState.REHEARSED
    assert import_.counts == {
        "new": 1,
        "known": 1,
        "changed": 0,
        "opts_out": 0,
        "unchanged": 1,
        "refused": 2,
    }
    assert [(one.line, one.fate) for one in await lines_of(work, import_)] == [
        (2, Fate.NEW),
        (3, Fate.KNOWN),
        (4, Fate.UNCHANGED),
        (5, Fate.REFUSED),
        (6, Fate.REFUSED),
    ]


async def counted(work: Work, but: Collection[str]) -> dict[str, int]:
    names = await work.session.run_sync(
        lambda session: inspect(session.connection()).get_table_names()
    )
    return {
        name: await work.session.scalar(
            text(f'SELECT count(*) FROM "{name}"').execution_options(unscoped="the test")
        )
        or 0
        for name in names
        if name not in but
    }


async def test_nothing_else_is_written(cast: Cast, work: Work) -> None:
    ours = {"import", "import_part", "import_line", "import_item", "import_name", "audit_line"}
    before = await counted(work, ours)
    await rehearsed(
        work, cast, "yasmin@example.org,Yasmin,activist,en,A new group\nbo@example.org,Bo,,fr,\n"
    )
    assert await counted(work, ours) == before


async def test_it_is_noted_without_an_address(cast: Cast, work: Work) -> None:
    import_ = await rehearsed(work, cast, "yasmin@example.org,Yasmin,,en,\n")
    [newest] = (await audit.newest(work, limit=1)).rows
    assert newest.act == "import_rehearsed"
    assert newest.facts["import"] == import_.no
    assert "yasmin" not in str(newest.facts)


async def test_it_says_how_the_file_was_understood(cast: Cast, work: Work) -> None:
    import_ = await imports.rehearse(
        work,
        file_name=r"C:\Amina\Liste d’été.csv",
        content="E-mail;Prénom;Pointure\nzoe@example.org;Zoé;38\n".encode("cp1252"),
        list_no=cast.bulletin.no,
    )
    assert import_.file_name == "Liste d’été.csv"
    assert (import_.format["encoding"], import_.format["delimiter"]) == ("cp1252", ";")
    assert import_.found["headings"] == ["E-mail", "Prénom", "Pointure"]
    assert import_.columns == ["address", "first_name", ""]


async def test_groups_that_would_be_founded_are_named_once(cast: Cast, work: Work) -> None:
    import_ = await rehearsed(
        work,
        cast,
        "a@example.org,A,,en,Dockers\nb@example.org,B,,en,DOCKERS\n"
        "c@example.org,C,,en,northgate transport branch\nbad,D,,en,Never founded\n",
    )
    assert import_.found["new_groups"] == ["Dockers"]


# --- refused ------------------------------------------------------------------------------------


async def test_the_same_address_twice_names_the_line_that_counts(cast: Cast, work: Work) -> None:
    second = await line(work, cast, "yasmin@example.org,,,,\nYasmin@Example.ORG,,,,\n")
    assert (second.why, second.facts) == (Why.TWICE, {"first": "2"})
    assert "line 2" in why(second)


async def test_a_line_that_is_refused_takes_no_address_from_a_later_one(
    cast: Cast, work: Work
) -> None:
    second = await line(work, cast, "yasmin@example.org,,sovereign,,\nyasmin@example.org,,,,\n")
    assert second.fate is Fate.NEW


@pytest.mark.parametrize(
    ("level", "words"),
    [
        ("Suporter", "Did you mean Supporter?"),
        ("zzz", "Your levels are: Follower, Supporter, Activist, Organiser."),
    ],
)
async def test_an_unknown_level_names_the_nearest(
    cast: Cast, work: Work, level: str, words: str
) -> None:
    refused = await line(work, cast, f"yasmin@example.org,,{level},,\n")
    assert refused.why == Why.UNKNOWN_TIER
    assert words in why(refused)


@pytest.mark.parametrize("level", ["activist", "ACTIVIST", "Activiste", "Militant·e", ""])
async def test_a_level_is_known_by_its_name_in_any_language(
    cast: Cast, work: Work, level: str
) -> None:
    names = {name.casefold() for name in cast.activist.name.values()} | {"activist", ""}
    known = await line(work, cast, f"yasmin@example.org,,{level},,\n")
    assert (known.fate is Fate.NEW) == (level.casefold() in names)


async def test_who_has_left_is_never_brought_back(cast: Cast, work: Work) -> None:
    refused = await line(work, cast, "chidi@example.org,,,,\n")
    assert (refused.why, refused.subscriber_no) == (Why.HAS_LEFT, cast.chidi.no)


async def test_who_has_left_one_list_and_is_on_another_may_be_put_on_a_third(
    cast: Cast, work: Work
) -> None:
    alerts = await make.mailing_list(work)
    await consent.agree_many(work, [cast.bo.no], alerts, wording="On paper.", language="en")
    await consent.unsubscribe(work, cast.bo, list_no=cast.bulletin.no)
    events = await make.mailing_list(work, "Events")
    fates = {}
    for mailing_list in (cast.bulletin, events):
        import_ = await imports.rehearse(
            work, file_name="x", content=b"email\nbo@example.org\n", list_no=mailing_list.no
        )
        fates[mailing_list.no] = (await lines_of(work, import_))[0].fate
    assert fates == {cast.bulletin.no: Fate.REFUSED, events.no: Fate.KNOWN}


async def test_who_is_taken_off_stays_off_on_the_roll_or_not(cast: Cast, work: Work) -> None:
    await consent.take_off(work, cast.bo)
    await consent.suppress_many(work, ["gone@example.org"], SuppressionReason.IMPORTED)
    for address in ("bo@example.org", "Gone@example.org"):
        assert (await line(work, cast, f"{address},,,,\n")).why == Why.SUPPRESSED


async def test_who_was_stopped_silently_stays_stopped(cast: Cast, work: Work) -> None:
    await subscribers.stop_silently(work, cast.bo)
    assert (await line(work, cast, "bo@example.org,,,,\n")).why == Why.STOPPED


async def test_every_reason_has_words_in_both_languages(cast: Cast, work: Work) -> None:
    facts = dict.fromkeys("first said levels cells headings nearest why example roles".split(), "x")
    for code in (*Why, "address_incomplete", "address_unwritable", "address_needs_utf8"):
        told = ImportLine(fate=Fate.REFUSED, why=code, facts=facts)
        for language in ("en", "fr"):
            with speaking(language):
                assert why(told)
                assert "%(" not in why(told)


# --- known --------------------------------------------------------------------------------------


async def test_a_file_says_no_level_for_who_has_chosen(cast: Cast, work: Work) -> None:
    known = await line(work, cast, "bo@example.org,,organiser,,Dockers\n")
    assert known.fate is Fate.KNOWN
    same = await line(work, cast, "bo@example.org,,organiser,,\n")
    assert same.fate is Fate.UNCHANGED


async def test_who_never_confirmed_may_be_put_on_the_list(cast: Cast, work: Work) -> None:
    known = await line(work, cast, "dana@example.org,,,,\n")
    assert (known.fate, known.subscriber_no) == (Fate.KNOWN, cast.dana.no)


async def test_who_has_everything_is_left_as_they_are(cast: Cast, work: Work) -> None:
    known = await line(work, cast, "bo@example.org,Bob,activist,fr,Northgate Transport Branch\n")
    assert (known.fate, known.subscriber_no) == (Fate.UNCHANGED, cast.bo.no)


# --- files --------------------------------------------------------------------------------------


async def test_a_file_needs_a_list_that_is_open(cast: Cast, work: Work) -> None:
    for list_no in (0, 99):
        with pytest.raises(imports.ListNeeded):
            await imports.rehearse(work, file_name="x", content=b"email\na@b.org", list_no=list_no)


async def test_a_refused_file_leaves_nothing(cast: Cast, work: Work) -> None:
    with pytest.raises(Refusal):
        await imports.rehearse(work, file_name="x", content=b"a,b\n1,2", list_no=cast.bulletin.no)
    assert await work.session.scalar(select(func.count()).select_from(Import)) == 0


async def test_many_lines_are_judged_by_few_questions(cast: Cast, work: Work) -> None:
    lines = "".join(f"one{no}@example.org,One,supporter,fr,Branch {no % 7}\n" for no in range(1200))
    import_ = await rehearsed(work, cast, lines)
    assert import_.counts["new"] == 1200
    assert len(import_.found["new_groups"]) == 7
    first = await store.lines(work, import_, limit=500)
    assert first.next_after == 501
    rest = await store.lines(work, import_, after=first.next_after, limit=900)
    assert (len(first.rows), len(rest.rows), rest.next_after) == (500, 700, None)


async def test_what_older_files_held_is_forgotten_after_ninety_days(cast: Cast, work: Work) -> None:
    old = await rehearsed(work, cast, "yasmin@example.org,Yasmin,,,Dockers\nbad,,,,\n")
    assert await forgetting.forget(make.later(work, days=89)) is False
    assert await forgetting.forget(make.later(work, days=91)) is True
    assert await forgetting.forget(make.later(work, days=91)) is False
    kept = select(ImportLine).where(ImportLine.import_no == old.no)
    for one in await work.session.scalars(kept.execution_options(populate_existing=True)):
        assert not any(getattr(one, name) for name in store.EMPTY)
    assert not await store.items_of(work, old, [2, 3])
    assert old.found["first_rows"] == []


async def test_a_file_is_not_for_whoever_sees_some_groups_only(cast: Cast, work: Work) -> None:
    limited = dataclasses.replace(work, scope=frozenset({cast.harbour.no}))
    with pytest.raises(imports.ImportOutOfReach):
        await rehearsed(limited, cast, "yasmin@example.org,,,,\n")
