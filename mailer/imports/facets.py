"""What can be asked about the files by which people came."""

from sqlalchemy import Select, select

from mailer.consent.model import ConsentRecord
from mailer.imports.model import Import
from mailer.kit.facets import Args, Facet, Option, Parameter, Takes, number_of, repeats, uses_the
from mailer.kit.i18n import N_, _
from mailer.kit.work import Work
from mailer.subscribers.facets import not_erased

_MOST_OFFERED = 200


async def _imports(work: Work, args: Args) -> list[Option]:
    """Offer the newest that were applied, and the one that is chosen, however old."""
    if work.scope is not None:  # a file is shown to those who see everybody in it
        return []
    applied = (
        select(Import.no, Import.file_name)
        .where(Import.confirmed_at.is_not(None))
        .order_by(Import.no.desc())
    )
    found = dict((await work.session.execute(applied.limit(_MOST_OFFERED))).all())
    chosen = number_of(args, "import")
    if chosen is not None and chosen not in found:
        found |= dict((await work.session.execute(applied.where(Import.no == chosen))).all())
    return [Option(str(no), name) for no, name in found.items()]


async def _by_file(work: Work, args: Args) -> Select[int]:
    return repeats(
        select(ConsentRecord.subscriber_no).where(
            ConsentRecord.import_no == number_of(args, "import"),
            ConsentRecord.given,
            not_erased(work, ConsentRecord.subscriber_no),
        )
    )


async def _said(work: Work, args: Args, *, holds: bool) -> str:
    number = number_of(args, "import")
    name = await work.session.scalar(select(Import.file_name).where(Import.no == number))
    words = (
        _("agreed by the file “%(file)s”") if holds else _("did not agree by the file “%(file)s”")
    )
    return words % {"file": name or ""}


FACETS = (
    Facet(
        name="import",
        group=N_("How they came"),
        words=N_("agreed by the file"),
        negated=N_("did not agree by the file"),
        parameters=(Parameter(name="import", takes=Takes.ONE, words=N_("File"), options=_imports),),
        numbers=_by_file,
        sentence=_said,
        uses=uses_the("import", "import"),
    ),
)
