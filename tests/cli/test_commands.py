"""The commands of the server's shell, as real processes."""

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "NO_COLOR": "1"}


def rollcall(
    *arguments: str,
    data: Path,
    say: str = "",
    **settings: str,
) -> subprocess.CompletedProcess[str]:
    """Run a command in an environment that holds nothing else."""
    chosen = {f"ROLLCALL_{name.upper()}": value for name, value in settings.items()}
    return subprocess.run(
        [sys.executable, "-m", "mailer.cli", *arguments],
        env={**ROOT, "ROLLCALL_DATA": str(data), **chosen},
        input=say,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )


def test_a_wrong_setting_is_said_in_one_sentence(data: Path) -> None:
    ended = rollcall("migrate", data=data, smtp_prt="25")
    assert ended.returncode == 2
    assert "Did you mean ROLLCALL_SMTP_PORT?" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_migrating_twice_is_migrating_once(migrated: Path) -> None:
    with sqlite3.connect(migrated / "rollcall.db") as database:
        before = database.execute("SELECT slug FROM tier ORDER BY rank").fetchall()
    assert rollcall("migrate", data=migrated).returncode == 0
    with sqlite3.connect(migrated / "rollcall.db") as database:
        assert database.execute("SELECT slug FROM tier ORDER BY rank").fetchall() == before
    assert [slug for (slug,) in before] == ["follower", "supporter", "activist", "organiser"]
    assert stat.S_IMODE((migrated / "secret.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_sqlite_has_one_worker_and_says_so(data: Path, command: str) -> None:
    ended = rollcall(command, "--processes", "2", data=data)
    assert ended.returncode == 2
    assert "SQLite can have one worker." in ended.stderr
    assert "PostgreSQL" in ended.stderr
    assert not data.exists()  # it was refused before anything was made


def test_a_number_of_processes_is_at_least_one(data: Path) -> None:
    ended = rollcall("worker", "--processes", "0", data=data)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


def test_doctor_on_a_bare_machine_says_what_to_do_next(data: Path) -> None:
    ended = rollcall("doctor", data=data, smtp_port="1", smtp_security="none")
    assert ended.returncode == 1
    assert "Heads of messages cannot be added to" in ended.stdout
    assert f"There is no folder {data}" in ended.stdout
    assert "rollcall migrate makes it." in ended.stdout
    assert "The relay at 127.0.0.1:1" in ended.stdout
    assert "Traceback" not in ended.stderr


def test_doctor_after_migrating_asks_for_an_account(migrated: Path) -> None:
    ended = rollcall("doctor", data=migrated, smtp_port="1", smtp_security="none")
    assert "The database is up to date (0001)." in ended.stdout
    assert "rollcall account open ADDRESS" in ended.stdout
    assert "No worker is running." in ended.stdout


def test_doctor_says_when_others_can_read_the_key(migrated: Path) -> None:
    (migrated / "secret.key").chmod(0o644)
    ended = rollcall("doctor", data=migrated, smtp_port="1", smtp_security="none")
    assert f"chmod 600 {migrated / 'secret.key'}" in ended.stdout


def test_the_first_account_is_opened_here(migrated: Path) -> None:
    opened = rollcall(
        "account",
        "open",
        "amina@example.org",
        "--name",
        "Amina",
        "--password-file",
        "-",
        data=migrated,
        say="seven quiet herons\n",
    )
    assert opened.returncode == 0, opened.stderr
    listed = rollcall("account", "list", data=migrated).stdout
    assert "amina@example.org" in listed
    assert "not yet" in listed
    again = rollcall(
        "account",
        "open",
        "AMINA@example.org",
        "--name",
        "Amina",
        "--password-file",
        "-",
        data=migrated,
        say="seven quiet herons\n",
    )
    assert again.returncode == 1
    assert "Traceback" not in again.stderr


def test_a_short_password_is_refused(migrated: Path) -> None:
    ended = rollcall(
        "account",
        "open",
        "a@example.org",
        "--name",
        "A",
        "--password-file",
        "-",
        data=migrated,
        say="short\n",
    )
    assert ended.returncode == 1
    assert "12" in ended.stderr


def test_resetting_a_factor_needs_an_account(migrated: Path) -> None:
    ended = rollcall("account", "reset-factor", "nobody@example.org", data=migrated)
    assert (ended.returncode, ended.stderr.strip()) == (1, "There is no account with this address.")


def test_importing_rehearses_unless_a_ground_is_given(migrated: Path, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("email,level\nbo@example.org,supporter\nnobody,\n")
    rehearsed = rollcall("import", str(file), data=migrated)
    assert rehearsed.returncode == 0, rehearsed.stderr
    assert "line 3:" in rehearsed.stdout
    assert "Nothing has been imported." in rehearsed.stdout
    with sqlite3.connect(migrated / "rollcall.db") as database:
        assert database.execute("SELECT count(*) FROM subscriber").fetchone() == (0,)

    done = rollcall(
        "import",
        str(file),
        "--basis",
        "agreed",
        "--evidence",
        "signed at the assembly",
        data=migrated,
    )
    assert done.returncode == 0, done.stderr
    with sqlite3.connect(migrated / "rollcall.db") as database:
        assert database.execute("SELECT count(*) FROM subscriber").fetchone() == (1,)


def test_a_backup_is_whole_and_for_its_owner(migrated: Path, tmp_path: Path) -> None:
    to = tmp_path / "copy.db"
    ended = rollcall("backup", str(to), data=migrated)
    assert ended.returncode == 0, ended.stderr
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    with sqlite3.connect(to) as copy:
        assert copy.execute("SELECT count(*) FROM tier").fetchone() == (4,)
    again = rollcall("backup", str(to), data=migrated)
    assert again.returncode == 1
    assert "exists already" in again.stderr
    assert list(tmp_path.glob("*.unfinished")) == []


def test_a_backup_of_nothing_leaves_nothing(data: Path, tmp_path: Path) -> None:
    ended = rollcall("backup", str(tmp_path / "copy.db"), data=data)
    assert ended.returncode == 1
    assert "There is no database" in ended.stderr
    assert list(tmp_path.glob("copy*")) == []


def test_the_example_of_settings_is_printed(data: Path) -> None:
    printed = rollcall("env-example", data=data).stdout
    assert printed == (Path(__file__).parents[2] / "deploy" / "env.example").read_text()
