"""The record: every act of an account in words."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from mailer.audit import actions as audit
from mailer.audit.model import AuditLine
from mailer.bootstrap import House
from mailer.consent import actions as consent
from mailer.groups import actions as groups
from mailer.imports.model import Basis
from mailer.kit.i18n import LANGUAGES, speaking
from mailer.kit.work import Door
from mailer.subscribers import actions as subscribers
from mailer.subscribers.model import SuppressionReason
from mailer.tiers import actions as tiers
from tests import makers as make
from tests.cast import Cast
from tests.support.campaigning import begun
from tests.support.looking import viewer
from tests.support.signing_in import signed_in
from web.admin import record_words

TREE = Path(__file__).parents[3]
PAGE = "/admin/record"
LINE = re.compile(r"<tr role=\"row\"><th role=\"rowheader\".*?</tr>", re.DOTALL)


def lines_of(shown: str) -> list[str]:
    """Give the lines of the page as plain words."""
    found = [re.sub(r"<[^>]+>", " ", line) for line in LINE.findall(shown)]
    return [" ".join(line.split()) for line in found]


# --- every act has words ------------------------------------------------------------------------


def acts_in(source: str) -> Iterator[str]:
    """Find what is noted in a module: words in the call, or handed to the function around it."""
    tree = ast.parse(source)
    for function in ast.walk(tree):
        if not isinstance(function, ast.AsyncFunctionDef | ast.FunctionDef):
            continue
        for call in ast.walk(function):
            if not isinstance(call, ast.Call) or ast.unparse(call.func) != "audit.note":
                continue
            act = call.args[1]
            if isinstance(act, ast.Constant):
                yield str(act.value)
            else:
                yield from handed_to(tree, function, ast.unparse(act))


def handed_to(
    tree: ast.Module, function: ast.AsyncFunctionDef | ast.FunctionDef, name: str
) -> Iterator[str]:
    """Find the words that callers hand to a function as its argument of this name."""
    place = [argument.arg for argument in function.args.args].index(name)
    calls = [
        call
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == function.name
    ]
    assert calls
    for call in calls:
        act = call.args[place]
        assert isinstance(act, ast.Constant), "an act is written out where it is noted"
        yield str(act.value)


def every_act() -> set[str]:
    return {
        act
        for room in ("mailer", "web")
        for file in (TREE / room).rglob("*.py")
        for act in acts_in(file.read_text())
    }


def test_every_act_that_is_noted_anywhere_has_words() -> None:
    acts = every_act()
    assert {"campaign_confirmed", "tier_assigned", "tier_request_answered"} <= acts

    answered = {"tier_request_granted", "tier_request_declined"}
    assert set(record_words.SENTENCES) == acts - {"tier_request_answered"} | answered


def test_nobody_notes_an_act_unseen_by_the_test_above() -> None:
    """The note is called by its module's name everywhere, so that the test finds it."""
    importing = re.compile(r"^from mailer\.audit\.actions import|^from mailer\.audit import (.*)$")
    for room in ("mailer", "web"):
        for file in (TREE / room).rglob("*.py"):
            for line in file.read_text().splitlines():
                if found := importing.match(line):
                    assert found[1] in {"actions as audit", "store as audit"}, file


def test_every_door_reason_and_basis_has_words() -> None:
    assert set(record_words.DOORS) == set(Door)
    assert set(record_words.REASONS) == set(SuppressionReason)
    assert set(record_words.BASES) == set(Basis)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_sentence_can_be_said_whatever_its_line_has(
    house: House, cast: Cast, language: str
) -> None:
    """A line of an older version may lack a fact: it is told all the same."""
    lines = [
        AuditLine(
            at=datetime(2026, 6, 11, tzinfo=UTC),
            account_no=cast.amina.no,
            door=Door.ADMIN,
            act=act,
            facts={"granted": False} if act == "tier_request_answered" else {},
        )
        for act in sorted(every_act())
    ]
    async with house.work(reading=True) as work:
        with speaking(language):
            told = await record_words.tell(work, lines)

    assert all(one.words and "%" not in one.words for one in told)


# --- the page -----------------------------------------------------------------------------------


async def test_it_tells_who_did_what_when_and_where(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    async with house.work(account=cast.esra.no, door=Door.ADMIN) as work:
        await tiers.assign(work, cast.bo, cast.activist, reason="Ran the stall")
        await consent.take_off(work, cast.chidi)
        await subscribers.stop_silently(work, cast.gil)
        await groups.describe(work, cast.harbour, name="Harbour", place="Harbour")
        await make.mailing_list(work, "Alerts")
        at = work.now
    await begun(house, cast, name="The right to work")

    shown = (await admin.get(PAGE)).text
    lines = lines_of(shown)

    when = f"{at.day} {at:%B} {at.year}, {at:%H:%M}"
    assert [line.partition(" Amina ")[0] for line in lines[:3]] == [
        "Confirmed “The right to work” for 1 person",
        "Counted who gets “The right to work”: 1 person",
        "Began the campaign “The right to work”",
    ]
    assert lines[3:8] == [
        f"{words} Esra {when} Admin pages"
        for words in (
            "Opened the list “Alerts”",
            "Changed what is said of the group “Harbour”",
            "Stopped all emails to Gil, silently",
            "Took Chidi off all emails: they asked for it",
            "Moved Bo to the level “Activist”",
        )
    ]
    assert lines[8].startswith("Signed in Amina ")
    assert lines[-1].startswith("Changed what is said of the organisation Somebody at the server")
    assert f'href="/admin/people/{cast.bo.uid}"' in shown
    assert "@" not in shown, "it names people, and shows no address"


async def test_it_goes_back_a_page_at_a_time(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        for number in range(60):
            await groups.found(work, name=f"Circle {number:02}")

    first = (await admin.get(PAGE)).text
    found = first.partition('rel="next" href="')[2].partition('"')[0]
    second = (await admin.get(f"{PAGE}{found}")).text

    assert len(lines_of(first)) == 50
    assert "Circle 59" in first
    assert "Circle 10" in first
    assert "Circle 09" not in first
    assert "Circle 09" in second
    assert "Circle 10" not in second
    assert f'rel="prev" href="{PAGE}"' in second
    assert 'rel="prev"' not in first


async def test_a_person_without_a_name_or_a_row_is_told_of_as_somebody(
    house: House, cast: Cast
) -> None:
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        nameless = await subscribers.add(work, address=None)
        lines = [
            AuditLine(
                at=work.now,
                account_no=cast.amina.no,
                door=Door.ADMIN,
                act="subscriber_stopped",
                facts={"subscriber": no},
            )
            for no in (nameless.no, 999_999)
        ]
        of_a_group = make.seen_by(work, cast.harbour)
        told = await record_words.tell(work, lines)
        [unseen] = await record_words.tell(
            of_a_group,
            [
                AuditLine(
                    at=work.now,
                    account_no=cast.amina.no,
                    door=Door.ADMIN,
                    act="subscriber_stopped",
                    facts={"subscriber": cast.bo.no},
                )
            ],
        )

    assert [one.words for one in told] == [
        "Stopped all emails to somebody without a name, silently",
        "Stopped all emails to somebody, silently",
    ]
    assert told[1].href == ""
    assert (unseen.words, unseen.href) == ("Stopped all emails to somebody, silently", "")


async def test_an_act_of_a_later_version_is_told_by_its_name(
    admin: httpx.AsyncClient, house: House
) -> None:
    async with house.work(door=Door.SYSTEM) as work:
        await audit.note(work, "roof_repaired", roof=1)

    [newest, *_] = lines_of((await admin.get(PAGE)).text)

    assert newest.startswith(
        "Did what this version has no words for: roof_repaired Rollcall itself"
    )


async def test_only_an_owner_reads_it(web: httpx.AsyncClient, house: House, cast: Cast) -> None:
    for account in (cast.esra, cast.farid, await viewer(house)):
        await signed_in(web, house, account)
        assert (await web.get(PAGE)).status_code == 403
        web.cookies.clear()
