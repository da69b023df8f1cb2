"""Links: a token and where it leads.

Every link of ours in a mail is `/l/TOKEN`, save the one to unsubscribe, `/u/TOKEN`, which stands in
a header and must work for years: the purpose in the token says which page it is.
"""

from collections.abc import Callable
from datetime import datetime

from mailer.kit.tokens import Purpose, Signer

NOBODY = 0
"""The subscriber in links of previews and tests: they open a page that says so and do nothing."""


class Links:
    """Makes the links of one moment."""

    def __init__(self, base: str, signer: Signer, now: datetime) -> None:
        """Take the public address of the pages, without a slash at its end."""
        self.base = base.rstrip("/")
        self._signer = signer
        self._now = now

    def to(
        self,
        purpose: Purpose,
        subscriber: int,
        *,
        subject: int = 0,
        cause: int = 0,
        until: datetime | None = None,
    ) -> str:
        """Give the link that lets one subscriber do one thing, at the latest `until` then."""
        token = self._signer.token(
            purpose, subscriber, now=self._now, subject=subject, cause=cause, until=until
        )
        return f"{self.base}/{'u' if purpose is Purpose.UNSUBSCRIBE else 'l'}/{token}"

    def maker(
        self, purpose: Purpose, *, subject: int = 0, cause: int = 0
    ) -> Callable[[bytes], bytes]:
        """Give what makes this link for many people: it takes `tokens.varint(subscriber)`."""
        mint = self._signer.minter(purpose, now=self._now, subject=subject, cause=cause)
        before = f"{self.base}/{'u' if purpose is Purpose.UNSUBSCRIBE else 'l'}/".encode()
        return lambda subscriber: before + mint(subscriber)

    def page(self, path: str) -> str:
        """Give the whole address of a page that needs no token."""
        return f"{self.base}{path}"
