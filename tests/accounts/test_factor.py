"""Codes by the hour."""

import base64
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pyotp
import pytest

from mailer.accounts import factor

# RFC 6238, appendix B, SHA-1: eight digits there, of which an app shows the last six.
RFC_SEED = base64.b32encode(b"12345678901234567890").decode()
RFC_CODES = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]
NOW = datetime(2026, 6, 1, 12, 0, 10, tzinfo=UTC)
HERE = int(NOW.timestamp()) // 30


@pytest.mark.parametrize(("second", "code"), RFC_CODES)
def test_the_codes_of_the_standard_count_in_their_step(second: int, code: str) -> None:
    at = datetime.fromtimestamp(second, UTC)

    assert factor.step_of(RFC_SEED, code[-6:], at) == second // 30


@pytest.mark.parametrize(
    ("off", "counts"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_one_step_either_side_counts(off: int, counts: bool) -> None:
    seed = factor.new_seed()
    code = pyotp.TOTP(seed).generate_otp(HERE + off)

    assert (factor.step_of(seed, code, NOW) == HERE + off) is counts


@pytest.mark.parametrize(("off", "close"), [(-11, False), (-10, True), (10, True), (11, False)])
def test_a_clock_that_is_minutes_off_is_noticed(off: int, close: bool) -> None:
    seed = factor.new_seed()
    code = pyotp.TOTP(seed).generate_otp(HERE + off)

    assert factor.is_clock_off(seed, code, NOW) is close


@pytest.mark.parametrize("typed", ["123456", " 123 456 ", "123\u00a0456", "12 34 56"])
def test_blanks_in_a_code_do_not_matter(typed: str) -> None:
    assert factor.read_code(typed) == "123456"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "12345",
        "1234567",
        "12345a",
        "123-456",
        "１２３４５６",  # noqa: RUF001  # full-width digits, which NFKC would make right
        "١٢٣٤٥٦",
        "12345²",
        "+12345",
        "1" * 5000,
    ],
)
def test_anything_but_six_plain_digits_is_no_code(typed: str) -> None:
    assert factor.read_code(typed) is None


def test_a_seed_is_160_bits_and_can_be_typed() -> None:
    seed = factor.new_seed()

    assert len(base64.b32decode(seed)) == 20
    assert factor.in_groups(seed).replace(" ", "") == seed
    assert all(len(group) == 4 for group in factor.in_groups(seed).split())


def test_the_app_is_told_who_and_where() -> None:
    seed = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    address = factor.for_the_app(seed, account="amina@example.org", issuer="A & B")

    assert address == (
        f"otpauth://totp/A%20%26%20B:amina%40example.org?secret={seed}&issuer=A%20%26%20B"
    )


def test_recovery_codes_are_ten_of_80_bits() -> None:
    codes = factor.new_recovery_codes()

    assert len(set(codes)) == 10
    for code in codes:
        assert len(code) == 19
        assert len(code.replace("-", "")) * 5 == 80
        assert factor.read_recovery_code(code) == code


@pytest.mark.parametrize(
    "typed", ["ABCD-EFGH-IJKL-2345", "abcdefghijkl2345", " abcd efgh ijkl 2345 "]
)
def test_a_recovery_code_may_be_typed_as_one_likes(typed: str) -> None:
    assert factor.read_recovery_code(typed) == "abcd-efgh-ijkl-2345"


def test_letters_that_look_like_digits_are_taken_for_them() -> None:
    assert factor.read_recovery_code("abc0-efg1-ijkl-2345") == "abco-efgl-ijkl-2345"


def test_hours_are_seconds_since_1970_whatever_the_zone() -> None:
    seed = factor.new_seed()
    code = pyotp.TOTP(seed).generate_otp(HERE)

    assert factor.step_of(seed, code, NOW.astimezone(ZoneInfo("Asia/Kolkata"))) == HERE
    assert factor.step_of(seed, code, NOW + timedelta(minutes=5)) is None
