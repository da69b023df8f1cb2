"""The columns that a file of people may have.

Each has the name by which an import knows it again without help, so that what was exported can be
read in anywhere. A column gives the cells of a whole page of people at a time; what several of them
need of the database is asked for once.
"""

import enum
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from mailer.consent.model import SubscriberState
from mailer.exports import store
from mailer.fields import store as fields
from mailer.fields.model import Field, FieldKind
from mailer.fields.values import in_order
from mailer.kit.errors import Invalid
from mailer.kit.i18n import N_, _, in_language
from mailer.kit.work import Work
from mailer.phones import store as phones
from mailer.subscribers.model import GroupRole

Answer = TypeVar("Answer")
Cells = Sequence[str] | Sequence[list[str]]
"""What a column holds of the people of a page: words as a file writes them, or several each; empty
where nothing is known."""


class Holds(enum.StrEnum):
    """What sort of words the cells of a column are, for formats that tell them apart."""

    TEXT = "text"
    NUMBER = "number"
    YES_NO = "yes_no"
    SEVERAL = "several"


class Page:
    """Some people, and what was asked about them so far."""

    def __init__(self, work: Work, people: store.People) -> None:
        """Take the people, of whom there is one at least; nothing else is read yet."""
        self.work = work
        self.people = people
        self.nos: Sequence[int] = people["no"]
        self._some = store.Some(work, self.nos)
        self._answers: dict[object, object] = {}

    async def ask(
        self, question: Callable[[store.Some], Awaitable[dict[int, Answer]]]
    ) -> dict[int, Answer]:
        """Ask the database once, however many columns want to know."""
        if question not in self._answers:
            self._answers[question] = await question(self._some)
        answers: dict[int, Answer] = self._answers[question]  # type: ignore[assignment]  # its own
        return answers


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column: its heading in files, what it is called on the page, and its cells."""

    name: str
    words: str
    reads: Callable[[Page], Awaitable[Cells]]
    holds: Holds = Holds.TEXT
    is_usual: bool = True  # offered as chosen


class ColumnsNeeded(Invalid):
    """Please choose at least one column."""


class ColumnUnknown(Invalid):
    """There is no column “%(column)s”. There are: %(columns)s."""


async def columns(work: Work) -> list[Column]:
    """Give every column there is: of the person, of where they stand, and the fields."""
    return [
        *(msgspec.structs.replace(column, words=_(column.words)) for column in _OWN),
        *(_of_field(field) for field in await fields.all_fields(work)),
    ]


async def chosen(work: Work, names: Collection[str]) -> list[Column]:
    """Give the columns of these names, in the order in which files have them."""
    every = await columns(work)
    known = {column.name for column in every}
    for name in names:
        if name not in known:
            raise ColumnUnknown(field="columns", column=name, columns=", ".join(sorted(known)))
    wanted = [column for column in every if column.name in set(names)]
    if not wanted:
        raise ColumnsNeeded(field="columns")
    return wanted


# --- of the person -------------------------------------------------------------------------------


def _own(name: str, words: str, attribute: str = "") -> Column:
    async def reads(page: Page) -> list[str]:
        return [said or "" for said in page.people[attribute or name]]

    return Column(name=name, words=words, reads=reads)


async def _levels(page: Page) -> list[str]:
    slugs = await page.ask(store.tiers)
    return [slugs.get(no, "") for no in page.nos]


async def _groups(page: Page) -> list[list[str]]:
    theirs = await page.ask(store.groups)
    return [[name for name, _role in theirs.get(no, ())] for no in page.nos]


async def _roles(page: Page) -> list[list[str]]:
    theirs = await page.ask(store.groups)
    return [
        [f"{role}: {name}" for name, role in theirs.get(no, ()) if role is not GroupRole.MEMBER]
        for no in page.nos
    ]


async def _tags(page: Page) -> list[list[str]]:
    theirs = await page.ask(store.tags)
    return [theirs.get(no, []) for no in page.nos]


async def _phones(page: Page) -> list[str]:
    theirs = await phones.of_many(page.work, page.nos)
    return [phones.opened(page.work, theirs[no]) if no in theirs else "" for no in page.nos]


async def _lists(page: Page) -> list[list[str]]:
    theirs = await page.ask(store.lists)
    return [theirs.get(no, []) for no in page.nos]


_SAID_NO = frozenset(
    {SubscriberState.UNSUBSCRIBED, SubscriberState.SUPPRESSED, SubscriberState.STOPPED}
)


async def _opted_out(page: Page) -> list[str]:
    states = await page.ask(store.states)
    return ["yes" if states.get(no) in _SAID_NO else "" for no in page.nos]


async def _states(page: Page) -> list[str]:
    states = await page.ask(store.states)
    return [states.get(no, "") for no in page.nos]


async def _agreed(page: Page) -> list[str]:
    moments = await page.ask(store.agreed)
    return [_written(moments[no]) if no in moments else "" for no in page.nos]


async def _joined(page: Page) -> list[str]:
    return [_written(at) for at in page.people["joined_at"]]


def _written(moment: datetime) -> str:
    """Write a moment as ISO 8601 in UTC, to the microsecond where there is one."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return f"{moment.isoformat()[:-6]}Z"


_OWN = (
    _own("email", N_("Email address"), "address"),
    _own("first_name", N_("First name")),
    _own("last_name", N_("Last name")),
    Column(name="level", words=N_("Level"), reads=_levels),
    Column(name="groups", words=N_("Groups"), reads=_groups, holds=Holds.SEVERAL),
    Column(name="group_roles", words=N_("Roles in groups"), reads=_roles, holds=Holds.SEVERAL),
    Column(name="tags", words=N_("Tags"), reads=_tags, holds=Holds.SEVERAL),
    _own("language", N_("Language")),
    _own("city", N_("City")),
    _own("postcode", N_("Postcode")),
    _own("region", N_("Region")),
    _own("country", N_("Country")),
    _own("time_zone", N_("Time zone")),
    _own("source", N_("Where they come from")),
    Column(name="agreed_at", words=N_("When they agreed to emails"), reads=_agreed),
    Column(name="opt_out", words=N_("Wants no emails"), reads=_opted_out, holds=Holds.YES_NO),
    Column(name="mail_state", words=N_("State"), reads=_states),
    Column(name="lists", words=N_("Lists"), reads=_lists, holds=Holds.SEVERAL),
    Column(name="joined_at", words=N_("On the roll since"), reads=_joined),
    Column(name="phone", words=N_("Telephone"), reads=_phones, is_usual=False),
)


# --- fields --------------------------------------------------------------------------------------

_HOLDS = {
    FieldKind.NUMBER: Holds.NUMBER,
    FieldKind.YES_NO: Holds.YES_NO,
    FieldKind.CHOICES: Holds.SEVERAL,
}


def _of_field(field: Field) -> Column:
    async def one(page: Page) -> list[str]:
        held = (await page.ask(store.values)).get(field.no, {})
        return [held[no][0] if no in held else "" for no in page.nos]

    async def several(page: Page) -> list[list[str]]:
        held = (await page.ask(store.values)).get(field.no, {})
        return [in_order(field, held[no]) if no in held else [] for no in page.nos]

    return Column(
        name=f"field:{field.slug}",  # a slug alone may be what another column is called
        words=in_language(field.name),
        reads=several if field.kind is FieldKind.CHOICES else one,
        holds=_HOLDS.get(field.kind, Holds.TEXT),
    )
