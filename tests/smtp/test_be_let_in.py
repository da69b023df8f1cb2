"""Being let in: TLS is never given up, certificates are looked at, a password may be wanted."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from mailer.deliveries.transport import Trouble, Verdict
from mailer.settings import Settings
from mailer.smtp import greet, greet_route, route_of
from tests.smtp.carrying import carrying, sent, settings, until
from tests.smtp.chaos import MODES, Chaos, Drop, Garbage, Manner, Say
from tests.smtp.office import Office, errand
from tests.support.certificates import certificate
from tests.support.relay import DROP, Relay


def authenticator(_server: Any, _session: Any, _envelope: Any, _how: str, data: Any) -> AuthResult:
    assert isinstance(data, LoginPassword)
    return AuthResult(success=data == LoginPassword(b"roll", b"call"), handled=False)


@pytest.fixture(params=["starttls", "tls"])
async def private_relay(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[tuple[Relay, str]]:
    """A relay whose certificate this process trusts."""
    file, context = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    manners: dict[str, Any] = (
        {"tls": context}
        if request.param == "tls"
        else {"tls_context": context, "require_starttls": True}
    )
    async with Relay(**manners) as relay:
        yield relay, request.param


async def test_messages_go_over_tls(private_relay: tuple[Relay, str]) -> None:
    relay, security = private_relay
    office = Office(*(errand(number) for number in range(1, 4)))

    outcomes = await sent(office, relay, smtp_security=security)

    assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.ACCEPTED}
    assert len(relay.letters) == 3


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_that_nobody_vouches_for_gets_no_mail(
    tmp_path: Path, security: str
) -> None:
    _file, context = certificate(tmp_path)
    manners: dict[str, Any] = {"tls": context} if security == "tls" else {"tls_context": context}
    office = Office(errand(1))
    async with Relay(**manners) as relay:
        async with carrying(office, relay, smtp_security=security):
            await until(lambda: office.troubles)

        kind, words = office.troubles[0]
        assert kind is Trouble.SHUT
        assert "CERTIFICATE_VERIFY_FAILED" in words
        assert b"MAIL FROM" not in relay.said_by_clients()
        assert not office.outcomes()


async def test_a_certificate_for_another_name_gets_no_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, context = certificate(tmp_path, address="127.0.0.9")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    async with Relay(tls=context) as relay:
        assert "CERTIFICATE_VERIFY_FAILED" in str(await greet(settings(relay, smtp_security="tls")))


@pytest.mark.parametrize("mode", list(MODES))
@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_every_way_of_talking_goes_over_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, security: str
) -> None:
    """A large body too: what TLS adds must not look like a body that is still with us."""
    file, context = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    big = b"Subject: x\r\n\r\n" + b"A line of text.\r\n" * 50_000
    office = Office(*(errand(number) for number in range(20)), errand(20, body=big), errand(21))
    manners: dict[str, Any] = {"tls" if security == "tls" else "starttls": context}
    async with Chaos(offers=MODES[mode], password="call", **manners) as chaos:
        outcomes = await sent(
            office, chaos, smtp_security=security, smtp_user="roll", smtp_password="call"
        )

        assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.ACCEPTED}
        assert len(chaos.accepted) == 22
        assert chaos.accepted[20].content == big
        assert chaos.connections == 1


@pytest.mark.parametrize("mode", list(MODES))
async def test_what_breaks_over_tls_is_in_doubt_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    file, context = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    office = Office(errand(1))
    async with Chaos(offers=MODES[mode], tls=context) as chaos:
        chaos.plan("END", Drop(taken=True))

        outcomes = await sent(office, chaos, smtp_security="tls")

        assert outcomes[1].verdict is Verdict.IN_DOUBT
        assert len(chaos.accepted) == 1


@pytest.mark.parametrize(
    ("manner", "kind"), [(Garbage(), Trouble.SHUT), (Say(reply="454 4.7.0 not now"), Trouble.AWAY)]
)
async def test_a_handshake_that_fails_lets_no_mail_out(
    tmp_path: Path, manner: Manner, kind: Trouble
) -> None:
    _file, context = certificate(tmp_path)
    office = Office(errand(1))
    async with Chaos(starttls=context) as chaos:
        chaos.always("STARTTLS", manner)
        async with carrying(office, chaos, smtp_security="starttls"):
            await until(lambda: office.troubles)

        assert office.troubles[0][0] is kind
        assert not [command for command in chaos.commands if command.startswith("MAIL")]


async def test_a_server_that_speaks_no_tls_gets_no_mail() -> None:
    office = Office(errand(1))
    async with Chaos() as chaos:
        async with carrying(office, chaos, smtp_security="tls"):
            await until(lambda: office.troubles)

        assert office.troubles[0][0] is Trouble.SHUT
        assert not chaos.commands


async def test_a_server_that_hides_its_starttls_gets_no_mail(relay: Relay) -> None:
    office = Office(errand(1))

    async with carrying(office, relay, smtp_security="starttls"):
        await until(lambda: office.troubles)

    assert office.troubles[0][0] is Trouble.SHUT
    assert b"MAIL FROM" not in relay.said_by_clients()


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # aiosmtpd minds what is only a test
@pytest.mark.parametrize(("password", "is_in"), [("call", True), ("wrong", False)])
async def test_a_name_and_a_password(password: str, *, is_in: bool) -> None:
    office = Office(errand(1))
    manners: dict[str, Any] = {
        "authenticator": authenticator,
        "auth_require_tls": False,
        "auth_required": True,
    }
    async with Relay(**manners) as relay:
        async with carrying(office, relay, smtp_user="roll", smtp_password=password):
            await until(lambda: office.outcomes() or office.troubles)

        assert bool(relay.letters) is is_in
        if not is_in:
            assert office.troubles[0][0] is Trouble.SHUT
            assert office.troubles[0][1].startswith("535")


async def test_a_password_is_not_given_to_a_server_that_cannot_take_it(relay: Relay) -> None:
    office = Office(errand(1))

    async with carrying(office, relay, smtp_user="roll", smtp_password="call"):
        await until(lambda: office.troubles)

    assert office.troubles[0][0] is Trouble.SHUT
    assert not relay.letters


async def test_greeting_a_route_says_why_not() -> None:
    async with Chaos(password="call") as chaos:
        good = route_of(settings(chaos, smtp_user="roll", smtp_password="call"))
        bad = route_of(settings(chaos, smtp_user="roll", smtp_password="other"))

        assert await greet_route(good, our_name="example.org", patience=2) is None
        assert str(await greet_route(bad, our_name="127.0.0.1", patience=2)).startswith("535 ")

        # The name of a number is a literal (RFC 5321 4.1.3).
        assert chaos.commands[0] == "EHLO example.org"
        assert "EHLO [127.0.0.1]" in chaos.commands


async def test_a_route_that_cannot_even_be_tried_is_trouble(relay: Relay) -> None:
    office = Office(errand(1))
    nowhere = msgspec.structs.replace(route_of(settings(relay)), port=70_000)

    async with carrying(office, nowhere):
        await until(lambda: office.troubles)

    assert office.troubles == [(Trouble.AWAY, "OverflowError")]


async def test_greeting_says_why_not(relay: Relay) -> None:
    assert await greet(settings(relay)) is None

    relay.plan("CONNECT", DROP)
    assert await greet(settings(relay))

    closed = Settings(smtp_port=1, smtp_security="none", smtp_patience=1)
    assert "Connect call failed" in str(await greet(closed))
