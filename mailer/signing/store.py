"""Questions about keys that sign."""

from collections.abc import Sequence

from sqlalchemy import select

from mailer.kit.addresses import key_of
from mailer.kit.work import Work
from mailer.organisation.model import Organisation
from mailer.signing import dkim
from mailer.signing.dkim import Algorithm, Signature, Signatures
from mailer.signing.model import SigningKey

SEAL = "dkim"
"""For what use secret halves are sealed."""


async def all_keys(work: Work) -> Sequence[SigningKey]:
    """Give all keys, the newest first."""
    found = await work.session.scalars(select(SigningKey).order_by(SigningKey.no.desc()))
    return found.all()


async def by_selector(work: Work, selector: str) -> SigningKey | None:
    """Find a key by where it is published."""
    found = await work.session.scalars(select(SigningKey).where(SigningKey.selector == selector))
    return found.one_or_none()


async def selectors_like(work: Work, beginning: str) -> set[str]:
    """Give the selectors that begin so."""
    wanted = select(SigningKey.selector).where(
        SigningKey.selector.startswith(beginning, autoescape=True)
    )
    return set(await work.session.scalars(wanted))


async def signing(
    work: Work, domain: str, algorithm: Algorithm | None = None
) -> Sequence[SigningKey]:
    """Give the keys that sign for a domain: at most one of each algorithm, RSA last."""
    wanted = (
        select(SigningKey)
        .where(
            SigningKey.domain == domain,
            SigningKey.signs_since.is_not(None),
            SigningKey.retired_at.is_(None),
        )
        .order_by(SigningKey.algorithm)
    )
    if algorithm is not None:
        wanted = wanted.where(SigningKey.algorithm == algorithm)
    return (await work.session.scalars(wanted)).all()


async def current(work: Work, domain: str) -> Signatures:
    """Give what signs the mails of a domain now, ready to sign; keep it for a while.

    Opening an RSA key takes about a millisecond. A key that was retired meanwhile still does no
    harm: its record stays published for two weeks. Raises `SealBroken` where the root key is not
    the one that the secret was sealed with: going out unsigned would be the worse surprise.
    """
    return Signatures(
        Signature(key.domain, key.selector, dkim.read(work.keys.unseal(SEAL, key.sealed)))
        for key in await signing(work, domain)
        if key.sealed is not None
    )


def domain_of(organisation: Organisation) -> str:
    """Give the domain that emails come from, as DNS has it; empty while nobody has said it."""
    return key_of(organisation.sender_address).rpartition("@")[2]
