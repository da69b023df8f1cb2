"""Settings: read from the environment, refused with a sentence that names the mend."""

from pathlib import Path

import pytest

from mailer.settings import PREFIX, SettingsWrong, described, env_example, from_environment


def test_settings_come_from_the_environment() -> None:
    chosen = from_environment({"ROLLCALL_SMTP_PORT": "2525", "ROLLCALL_DEMO": "true", "HOME": "x"})
    assert (chosen.smtp_port, chosen.demo, chosen.host) == (2525, True, "127.0.0.1")


def test_a_setting_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("secret\n")
    assert from_environment({"ROLLCALL_SMTP_PASSWORD_FILE": str(file)}).smtp_password == "secret"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("ROLLCALL_SMTP_PRT", "25", "Did you mean ROLLCALL_SMTP_PORT"),
        ("ROLLCALL_SMTP_PORT", "many", "ROLLCALL_SMTP_PORT is wrong"),
        ("ROLLCALL_SMTP_PORT", "70000", "ROLLCALL_SMTP_PORT is wrong"),
        ("ROLLCALL_SMTP_SECURITY", "ssl", "ROLLCALL_SMTP_SECURITY is wrong"),
        ("ROLLCALL_SECRET", "zz", "openssl rand -hex 32"),
        ("ROLLCALL_SECRET", "00", "too short"),
        ("ROLLCALL_SECRET_FILE", "/no/such/file", "cannot be read"),
        ("ROLLCALL_DATABASE", "mysql://x", "ROLLCALL_DATABASE must begin"),
        ("ROLLCALL_PUBLIC_URL", "roll.example.org", "ROLLCALL_PUBLIC_URL must be like"),
        ("ROLLCALL_PUBLIC_URL", "https://roll.example.org/x", "without a path"),
        ("ROLLCALL_PUBLIC_URL", "http://roll.example.org", "https"),
    ],
)
def test_a_wrong_setting_is_refused_in_words(variable: str, value: str, said: str) -> None:
    with pytest.raises(SettingsWrong, match=said):
        from_environment({variable: value})


def test_the_key_is_made_once(tmp_path: Path) -> None:
    chosen = from_environment({"ROLLCALL_DATA": str(tmp_path / "data")})
    assert chosen.root_key() == chosen.root_key()
    assert from_environment({"ROLLCALL_SECRET": "ab" * 32}).root_key() == b"\xab" * 32


def test_every_setting_is_described() -> None:
    assert all(words.endswith(".") for _name, words, _default in described())
    assert f"#{PREFIX}SMTP_PORT=25" in env_example()
