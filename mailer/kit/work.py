"""A unit of work: the session, the hour, who acts, through which door, and whom they may see."""

import dataclasses
import enum
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from mailer.kit.secrets import Keys
from mailer.kit.tokens import Signer


class Door(enum.StrEnum):
    """How a fact came in."""

    EMAIL = "email"
    PAGE = "page"
    ADMIN = "admin"
    API = "api"
    IMPORT = "import"
    CLI = "cli"
    SYSTEM = "system"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Work:
    """What a verb is given. A verb never commits; whoever opened the work does.

    `scope` holds the groups whose people the actor may see; None is everybody. `account` is the
    number of the account that acts, None for subscribers and for the system itself.
    """

    session: AsyncSession
    now: datetime
    keys: Keys
    scope: frozenset[int] | None = None
    account: int | None = None
    door: Door = Door.SYSTEM

    @property
    def signer(self) -> Signer:
        """Make and read links."""
        return Signer(self.keys)


def clock() -> datetime:
    """Ask for the hour; besides the loops nothing else does."""
    return datetime.now(UTC)  # noqa: TID251
