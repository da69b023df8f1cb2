"""One person, from the server's shell."""

import json
import sqlite3
import stat
from pathlib import Path

import pytest

from tests.cli.test_commands import rollcall

UID = "00000000-0000-7000-8000-000000000001"


@pytest.fixture
def known(migrated: Path) -> Path:
    """Put somebody onto the roll of a house."""
    with sqlite3.connect(migrated / "rollcall.db") as database:
        columns = [
            (name, kind)
            for _no, name, kind, needed, default, _key in database.execute(
                "PRAGMA table_info(subscriber)"
            )
            if needed and default is None
        ]
        values = {
            name: 1 if name == "no" else "2026-11-21 12:00:00" if "DATE" in kind else ""
            for name, kind in columns
        }
        values |= {"uid": UID, "address": "bo@example.org", "door": "cli", "language": "en"}
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        database.execute(f"INSERT INTO subscriber ({names}) VALUES ({marks})", [*values.values()])
    return migrated


def test_what_is_held_is_written_for_its_owner_alone(known: Path, tmp_path: Path) -> None:
    for name in ("theirs.json", "theirs.csv"):
        file = tmp_path / name
        assert rollcall("person", "data", UID, str(file), data=known).returncode == 0
        assert "bo@example.org" in file.read_text()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads((tmp_path / "theirs.json").read_text())["version"] == 1

    assert rollcall("person", "data", UID, str(tmp_path / "theirs.csv"), data=known).returncode == 1
    assert rollcall("person", "data", UID, str(tmp_path / "theirs.txt"), data=known).returncode == 1


def test_erasing_wants_to_be_sure(known: Path) -> None:
    ended = rollcall("person", "erase", UID, data=known)
    assert ended.returncode == 1
    assert "--for-good" in ended.stdout
    assert rollcall("person", "erase", UID, "--for-good", data=known).returncode == 0
    with sqlite3.connect(known / "rollcall.db") as database:
        [row] = database.execute("SELECT address, erased_at IS NOT NULL FROM subscriber").fetchall()
    assert row == (None, 1)

    again = rollcall("person", "erase", UID, "--for-good", data=known)
    assert again.returncode == 1
    assert "Traceback" not in again.stderr
