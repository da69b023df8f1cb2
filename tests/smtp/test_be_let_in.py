"""Being let in: TLS is never given up, certificates are looked at, a password may be wanted."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from mailer.deliveries.transport import Trouble, Verdict
from mailer.settings import Settings
from mailer.smtp import greet
from tests.smtp.office import Office, errand
from tests.smtp.test_send import carrying, sent, settings, until
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


async def test_greeting_says_why_not(relay: Relay) -> None:
    assert await greet(settings(relay)) is None

    relay.plan("CONNECT", DROP)
    assert await greet(settings(relay))

    closed = Settings(smtp_port=1, smtp_security="none", smtp_patience=1)
    assert "Connect call failed" in str(await greet(closed))
