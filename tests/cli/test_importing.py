"""`rollcall import` and what goes with it, run as they are."""

from pathlib import Path

import pytest
from openpyxl import Workbook
from typer.testing import CliRunner

from mailer.cli import app

pytestmark = pytest.mark.any_database

FILE = "email,first name,site\nyasmin@example.org,Yasmin,Docks\nnobody,Nobody,Docks\n"


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """Give a shell with a furnished roll in a folder of its own."""
    database = f"sqlite+aiosqlite:///{tmp_path / 'roll.db'}"
    monkeypatch.setenv("ROLLCALL_DATA", str(tmp_path))
    monkeypatch.setenv("ROLLCALL_DATABASE", database)
    monkeypatch.setenv("ROLLCALL_SECRET", "00" * 32)
    shell = CliRunner()
    assert shell.invoke(app, ["migrate"]).exit_code == 0
    return shell


def run(shell: CliRunner, *words: str) -> str:
    done = shell.invoke(app, ["import", *words])
    assert done.exit_code == 0, done.output
    return str(done.output)


def uid_of(shell: CliRunner) -> str:
    return run(shell, "list").splitlines()[1].split()[0]


def test_a_file_is_rehearsed_imported_shown_and_taken_back(
    shell: CliRunner, tmp_path: Path
) -> None:
    file = tmp_path / "spring.csv"
    file.write_text(FILE)
    assert "Nothing has been imported." in run(shell, str(file))

    evidence = ["--basis", "agreed", "--evidence", "Paper forms of the assembly, 12 May."]
    done = run(shell, str(file), "--column", "site=group", "--tag", "spring", *evidence)
    assert "1  new" in done
    assert "line 3: An email address has two parts" in done

    uid = uid_of(shell)
    shown = run(shell, "show", uid)
    assert "spring.csv: applied" in shown
    assert "1  grouped" in shown
    assert "spring.csv: applied" in run(shell, "resume", uid)
    assert "Taken back: 1 lines." in run(shell, "undo", uid)
    assert "undone" in run(shell, "list")


def test_a_workbook_is_read_as_its_values(shell: CliRunner, tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["email", "first name", "postcode"])
    sheet.append(["zora@example.org", "Zora", 59000])
    book.save(tmp_path / "roll.xlsx")
    assert "1  new" in run(shell, str(tmp_path / "roll.xlsx"))


@pytest.mark.parametrize(
    ("content", "words", "said"),
    [
        (FILE, ["--column", "town=city"], "The file has no column “town”"),
        (FILE, ["--list", "nowhere"], "There is no such list."),
        ("a,b\n1,2\n", [], "No heading here says which column is the email address."),
        (FILE, ["--column", "site=everything"], "This is nothing that a column can become."),
    ],
)
def test_what_cannot_be_is_said(
    shell: CliRunner, tmp_path: Path, content: str, words: list[str], said: str
) -> None:
    file = tmp_path / "spring.csv"
    file.write_text(content)
    done = shell.invoke(app, ["import", str(file), *words])
    assert done.exit_code == 1
    assert said in done.output


def test_an_import_that_is_not_there_is_refused(shell: CliRunner) -> None:
    done = shell.invoke(app, ["import", "undo", "nowhere"])
    assert (done.exit_code, "There is no such import." in done.output) == (1, True)
