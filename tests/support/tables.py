"""What stands in the tables of a page."""

import re

TAG = re.compile(r"<[^>]+>")


def cells(page: str, head: str, label: str) -> list[str]:
    """Give what stands under a label in the rows of one head."""
    rows = re.findall(r'<tr role="row">.*?</tr>', page, re.DOTALL)
    return [
        value
        for row in rows
        if _words_of_head(row) == head
        for value in re.findall(rf'data-l="{label}"><span>(.*?)</span>', row)
    ]


def _words_of_head(row: str) -> str:
    found = re.search(r'<th role="rowheader".*?</th>', row, re.DOTALL)
    return " ".join(TAG.sub(" ", found[0]).split()) if found else ""
