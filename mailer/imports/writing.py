"""The lines that were refused, as a file to mend and read again."""

import csv
import io
import re

from mailer.imports import store
from mailer.imports.model import Fate, Import
from mailer.imports.words import why
from mailer.kit.i18n import _
from mailer.kit.work import Work

# A spreadsheet runs what begins so, also behind a quote or blanks (security 4.1, 22).
_FORMULA = re.compile(r"[\s'\"]*[=+\-@\t\r]")


async def refused_lines(work: Work, import_: Import) -> str:
    """Write the refused lines as CSV: line and reason, then what stood in the file."""
    out = io.StringIO()
    out.write("\ufeff")  # spreadsheets take a file without it for Windows-1252
    sheet = csv.writer(out, lineterminator="\r\n")
    sheet.writerow(map(harmless, [_("Line"), _("Why not"), *import_.found["headings"]]))
    after: int | None = 0
    while after is not None:
        page = await store.lines(work, import_, fate=Fate.REFUSED, after=after, limit=500)
        for line in page.rows:
            cells = line.values.get("cells", [])
            sheet.writerow([line.line, *map(harmless, [why(line), *cells])])
        after = page.next_after
    return out.getvalue()


def harmless(words: str) -> str:
    """Write words so that no spreadsheet takes them for a formula."""
    return f"'{words}" if _FORMULA.match(words) else words
