"""`rollcall export`: people to a file, with a reason."""

import csv
import shutil
import sqlite3
import stat
from pathlib import Path

import pytest

from tests.cli.test_commands import rollcall

REASON = "--reason=The yearly copy for the auditors"


@pytest.fixture(scope="module")
def imported(furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the data of a house with two people, put on the roll by an import."""
    folder = tmp_path_factory.mktemp("imported")
    data = shutil.copytree(furnished, folder / "data")
    file = folder / "two.csv"
    file.write_text("email,first name\nbo@example.org,Bo\nana@example.org,=Ana\n")
    ended = rollcall(
        "import", str(file), "--basis", "agreed", "--evidence", "On paper, in May.", data=data
    )
    assert ended.returncode == 0, ended.stderr
    return data


@pytest.fixture
def peopled(imported: Path, data: Path) -> Path:
    """Give a copy of it."""
    return shutil.copytree(imported, data)


def test_everybody_is_written_into_a_file_that_only_its_owner_reads(
    peopled: Path, tmp_path: Path
) -> None:
    target = tmp_path / "people.csv"
    ended = rollcall("export", str(target), "--columns", "email,first_name", REASON, data=peopled)
    assert ended.returncode == 0, ended.stderr
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with target.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [
            ["email", "first_name"],
            ["bo@example.org", "Bo"],
            ["ana@example.org", "'=Ana"],
        ]
    with sqlite3.connect(peopled / "rollcall.db") as database:
        [(facts, door)] = database.execute(
            "SELECT facts, door FROM audit_line WHERE act = 'people_exported'"
        )
    assert '"count": 2' in facts
    assert door == "cli"


def test_the_usual_columns_and_the_format_by_its_ending(peopled: Path, tmp_path: Path) -> None:
    for name in ("people.xlsx", "people.jsonl"):
        ended = rollcall("export", str(tmp_path / name), REASON, data=peopled)
        assert ended.returncode == 0, ended.stderr
        assert (tmp_path / name).stat().st_size > 100


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["people.csv"], 2, "--reason"),
        (["people.csv", "--reason", "x"], 1, "Please say in a few words"),
        (["people.txt", REASON], 2, "Say the format"),
        (["people.csv", REASON, "--columns", "email,password"], 1, "no column “password”"),
        (["people.csv", REASON, "--segment", "Nobody knows"], 1, "no segment of this name"),
    ],
)
def test_what_is_wrong_is_said_and_no_file_is_left(
    peopled: Path, tmp_path: Path, arguments: list[str], status: int, said: str
) -> None:
    file, *more = arguments
    ended = rollcall("export", str(tmp_path / file), *more, data=peopled)
    assert ended.returncode == status
    assert said in ended.stderr
    assert not (tmp_path / file).exists()


def test_a_file_that_is_there_stands(peopled: Path, tmp_path: Path) -> None:
    target = tmp_path / "people.csv"
    target.write_text("mine")
    ended = rollcall("export", str(target), REASON, data=peopled)
    assert ended.returncode == 1
    assert "There is a file of this name already." in ended.stderr
    assert target.read_text() == "mine"
