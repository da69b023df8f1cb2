"""Refusals: the expected ways to say no. The docstring is the message, the class name the code."""

import inspect
import re
from collections.abc import Generator
from typing import Any

from mailer.kit.i18n import Phrase, _


class Refusal(Exception):
    """We cannot do that."""

    def __init__(self, **facts: object) -> None:
        """Keep what was found; `field` among the facts names the form field it is about."""
        self.facts = facts
        super().__init__(message_of(type(self)))

    @property
    def code(self) -> str:
        """Name the refusal for programs: `AlreadySent` is `already_sent`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()

    def said(self) -> str:
        """Say no in the reader's language. Facts fill what stands in %(braces)s."""
        words = _(message_of(type(self)))
        if "%(" not in words:
            return words
        facts = {
            name: _(fact) if isinstance(fact, Phrase) else fact for name, fact in self.facts.items()
        }
        return words % facts


class NotFound(Refusal):
    """There is no such thing."""


class Invalid(Refusal):
    """Something in this needs mending."""


class Conflict(Refusal):
    """That does not go with what is already so."""


class Forbidden(Refusal):
    """You may not do that."""


class Unavailable(Refusal):
    """That cannot be done just now. Please try again later."""


def message_of(kind: type[Refusal]) -> str:
    """Give the docstring as one line, which is also the message in the catalogues."""
    return " ".join((inspect.getdoc(kind) or "").split())


def every_refusal(
    of: type[Refusal] = Refusal,
) -> Generator[type[Refusal], Any, None]:
    """Walk the families; the catalogues are complete only if each is in them."""
    yield of
    for kind in of.__subclasses__():
        yield from every_refusal(kind)
