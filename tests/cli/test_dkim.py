"""Signing from the server's shell, as real processes."""

import re
from pathlib import Path

import pytest

from mailer.bootstrap import open_house
from mailer.organisation import actions as organisation
from mailer.settings import Settings
from tests.cli.test_commands import rollcall


@pytest.fixture
def data(migrated: Path) -> Path:
    """Give a migrated house."""
    return migrated


async def described(data: Path) -> None:
    house = open_house(Settings(data=str(data)))
    async with house.work() as work:
        await organisation.describe(
            work,
            name="Roll Call",
            postal_address="1 Harbour Road",
            sender_name="",
            sender_address="news@war.example.org",
            reply_to="",
            colour="#ffc233",
            language="en",
            headline={},
            lede={},
        )
    await house.engine.dispose()


def doctor(data: Path) -> str:
    return rollcall("doctor", data=data, smtp_port="1", smtp_security="none").stdout


async def test_a_key_is_made_published_switched_on_and_retired(data: Path) -> None:
    await described(data)
    assert "No key yet" in rollcall("dkim", "show", data=data).stdout
    assert "Emails from war.example.org are not signed here." in doctor(data)

    made = rollcall("dkim", "new", data=data)
    assert made.returncode == 0, made.stderr
    found = re.search(
        r'(\S+)\._domainkey\.war\.example\.org\. IN TXT "v=DKIM1; k=rsa;', made.stdout
    )
    assert found, made.stdout
    selector = found[1]
    assert f"rollcall dkim switch-on {selector} --published" in made.stdout

    too_soon = rollcall("dkim", "switch-on", selector, data=data)
    assert too_soon.returncode == 1
    assert "First publish the record." in too_soon.stderr
    on = rollcall("dkim", "switch-on", selector, "--published", data=data)
    assert f"{selector} signs what is sent from war.example.org." in on.stdout
    assert "Emails from war.example.org are signed here (rsa)." in doctor(data)

    second = rollcall("dkim", "new", data=data).stdout
    next_one = re.search(r"switch-on (\S+)", second)
    assert next_one
    took_over = rollcall("dkim", "switch-on", next_one[1], "--published", data=data)
    assert f"{selector} is retired. Leave {selector}._domainkey" in took_over.stdout

    retired = rollcall("dkim", "retire", next_one[1], data=data)
    assert f"{next_one[1]} is retired." in retired.stdout
    assert rollcall("dkim", "show", data=data).stdout.count("is retired") == 2


async def test_doctor_finds_a_key_that_the_root_key_does_not_open(data: Path) -> None:
    await described(data)
    selector = rollcall("dkim", "new", "--algorithm", "ed25519", data=data).stdout.split(" ")[0]
    assert rollcall("dkim", "switch-on", selector, "--published", data=data).returncode == 0

    ended = rollcall("doctor", data=data, smtp_port="1", smtp_security="none", secret="ab" * 32)
    assert "was sealed with another root key" in ended.stdout


def test_without_a_senders_address_there_is_no_key(data: Path) -> None:
    ended = rollcall("dkim", "new", data=data)
    assert ended.returncode == 1
    assert "First say which address that is." in ended.stderr


def test_an_unknown_key_is_said_to_be_none(data: Path) -> None:
    ended = rollcall("dkim", "retire", "nothing", data=data)
    assert ended.returncode == 1
    assert "There is no such key." in ended.stderr
    assert "Traceback" not in ended.stderr
