"""Forms: what somebody sent, read with care, and a verb that is tried on it.

form = await read_form(request)
async with attempt(work) as tried:
    await organisation.describe(work, name=form.text("name", limit=120), …)
if tried.refusal:
    return page(request, "admin/organisation/edit.html", status=422, form=form.values,
                errors=tried.errors)
return redirect("/admin/organisation", notice=_("Saved."))
"""

import contextlib
import dataclasses
import re
from collections.abc import AsyncGenerator

from litestar.datastructures import FormMultiDict, UploadFile
from sqlalchemy import inspect

from mailer.accounts.signing_in import Guess, note_guess
from mailer.kit.errors import Invalid, Refusal
from mailer.kit.work import Work
from web.kit.sessions import Asked

# All but tab and newline. PostgreSQL takes no NUL, and nobody types the others.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class TooLong(Invalid):
    """This is too long: at most %(limit)s characters."""


class NotANumber(Invalid):
    """This must be a whole number."""


class Form:
    """The fields of a form. What is missing is empty: a form may be sent by anything."""

    def __init__(self, fields: FormMultiDict) -> None:
        """Take the fields as they came."""
        self._fields = fields

    def text(self, name: str, *, limit: int = 400) -> str:
        """Give what was typed, without blanks around it. Refuses what is longer than the limit."""
        typed = _cleaned(self.raw(name)).strip()
        if len(typed) > limit:
            raise TooLong(field=name, limit=limit)
        return typed

    def raw(self, name: str) -> str:
        """Give exactly what was typed: for passwords."""
        found = self._fields.get(name)
        return found if isinstance(found, str) else ""

    def many(self, name: str) -> list[str]:
        """Give all values of a field that may come more than once."""
        return [_cleaned(one).strip() for one in self._all(name) if isinstance(one, str)]

    def names(self) -> list[str]:
        """Give the names of the fields that were sent, each once."""
        return list(dict.fromkeys(self._fields))

    def flag(self, name: str) -> bool:
        """Say whether a box was ticked."""
        return bool(self.raw(name))

    def whole(self, name: str) -> int | None:
        """Give a whole number, None if nothing was typed. Refuses anything else."""
        typed = self.text(name)
        if not typed:
            return None
        if not re.fullmatch(r"-?[0-9]{1,18}", typed):
            raise NotANumber(field=name)
        return int(typed)

    def file(self, name: str) -> UploadFile | None:
        """Give a file that was sent; None if none was chosen."""
        found = self._fields.get(name)
        return found if isinstance(found, UploadFile) and found.filename else None

    @property
    def values(self) -> dict[str, str]:
        """Give every field as text, to fill the form in again when it has to be mended."""
        return {name: _cleaned(self.raw(name)) for name in self._fields}

    def _all(self, name: str) -> list[object]:
        return list(self._fields.getall(name, []))


async def read_form(request: Asked) -> Form:
    """Read the form of a request, sent either way that HTML knows."""
    return Form(await request.form())


@dataclasses.dataclass
class Tried:
    """How a verb went."""

    refusal: Refusal | None = None

    @property
    def words(self) -> str:
        """Say the refusal in the reader's language; empty if there was none."""
        return self.refusal.said() if self.refusal else ""

    @property
    def errors(self) -> dict[str, str]:
        """Give what is wrong by the field it is about; what is about none stands under ``."""
        if self.refusal is None:
            return {}
        return {str(self.refusal.facts.get("field", "")): self.words}


@contextlib.asynccontextmanager
async def attempt(work: Work) -> AsyncGenerator[Tried]:
    """Try a verb: if it refuses, nothing of it stays, and the page can go on and say why.

    A wrong code stays noted, whatever else is undone: who guesses is slowed down.
    """
    tried = Tried()
    try:
        async with work.session.begin_nested():
            yield tried
    except Refusal as refusal:
        tried.refusal = refusal
        await _read_again(work)
        if isinstance(refusal, Guess):
            await note_guess(work, refusal)


async def _read_again(work: Work) -> None:
    """Refresh what the savepoint's end has made stale, for a page may show it."""
    for row in list(work.session.identity_map.values()):
        if inspect(row).expired:
            await work.session.refresh(row)


def _cleaned(typed: str) -> str:
    return _CONTROLS.sub("", typed.replace("\r\n", "\n"))
