"""What the tests of commands start from. A process takes two seconds: what can be is copied."""

import shutil
from pathlib import Path

import pytest

from tests.cli.test_commands import rollcall


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the data of a new house, as `rollcall migrate` makes it."""
    data = tmp_path_factory.mktemp("furnished") / "data"
    assert rollcall("migrate", data=data).returncode == 0
    return data


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give a place for data, where nothing is yet."""
    return tmp_path / "data"


@pytest.fixture
def migrated(furnished: Path, data: Path) -> Path:
    """Give the data of a new house of the test's own."""
    return shutil.copytree(furnished, data)
