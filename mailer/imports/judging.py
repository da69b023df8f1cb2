"""Judging lines: what becomes of each, before anything is done."""

import difflib
from collections import Counter
from collections.abc import Sequence

from mailer.consent.model import SubscriptionState
from mailer.groups import store as groups
from mailer.groups.model import name_key
from mailer.imports import store
from mailer.imports.model import Fate, Import, Why
from mailer.imports.reading import KEPT, Row, plain
from mailer.kit.i18n import in_language
from mailer.kit.orm import Facts
from mailer.kit.work import Work
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import mark_of
from mailer.tiers.model import Tier


class Judge:
    """Judges the lines of one file in their order, a batch at a time.

    It remembers which addresses came before, and which groups the file would found.
    """

    def __init__(self, import_: Import, ladder: Sequence[Tier]) -> None:
        """Begin before the first line; the ladder is the same for all."""
        self.import_ = import_
        self.counts: Counter[str] = Counter(dict.fromkeys(Fate, 0))
        self.new_groups: dict[str, str] = {}
        self._ladder = ladder
        self._tiers = {
            plain(name): tier for tier in ladder for name in (*tier.name.values(), tier.slug)
        }
        self._group_nos: dict[str, int] = {}  # key of a name to the group that has it
        self._lines: dict[str, int] = {}  # key of an address to the line that has it

    async def fates(self, work: Work, rows: Sequence[Row]) -> list[Facts]:
        """Give the lines of a batch as they are kept, each with its fate."""
        for row in rows:
            self._read_tier(row)
            self._look_back(row)
        sound = [row for row in rows if not row.why]
        marks = {row.key: mark_of(work.keys, row.address) for row in sound}
        suppressed = await subscribers.suppressions(work, marks.values())
        known = await store.known(work, marks)
        named = await groups.by_names(work, {row.group for row in sound if row.group})
        self._group_nos.update({key: group.no for key, group in named.items()})
        for row in sound:
            if marks[row.key] in suppressed:
                row.why = Why.SUPPRESSED
        return [self._kept(row, known.get(row.key)) for row in rows]

    def _read_tier(self, row: Row) -> None:
        if row.why or not row.tier or plain(row.tier) in self._tiers:
            return
        row.why = Why.UNKNOWN_TIER
        near = difflib.get_close_matches(plain(row.tier), self._tiers, n=1)
        row.facts = {
            "said": row.tier,
            "nearest": in_language(self._tiers[near[0]].name) if near else "",
            "levels": ", ".join(in_language(tier.name) for tier in self._ladder),
        }

    def _look_back(self, row: Row) -> None:
        if row.why:
            return
        first = self._lines.setdefault(row.key, row.line)
        if first != row.line:
            row.why, row.facts = Why.TWICE, {"first": str(first)}

    def _kept(self, row: Row, known: store.Known | None) -> Facts:
        if known is not None and not row.why:
            row.why = why_not(known, self.import_.list_no)
        kept: Facts = {
            "import_no": self.import_.no,
            "line": row.line,
            "fate": Fate.REFUSED,
            "why": row.why,
            "facts": {name: _storable(fact) for name, fact in row.facts.items()},
            "values": {"cells": [_storable(cell[:KEPT]) for cell in row.cells]},
            "subscriber_no": known.person.no if known else None,
        }
        if not row.why:
            gains = self._gains(row, known)
            kept["facts"] = gains
            kept["fate"] = Fate.NEW if known is None else Fate.KNOWN if gains else Fate.UNCHANGED
            kept["values"] = self._values(row) if gains or known is None else {}
            self._note_group(row)
        self.counts[kept["fate"]] += 1
        return kept

    def _gains(self, row: Row, known: store.Known | None) -> Facts:
        """Say what somebody would get: a list, a group, a tier where they have chosen none."""
        gains: Facts = {}
        lists, has_tier = (known.lists, known.has_tier) if known else ({}, False)
        if lists.get(self.import_.list_no) is not SubscriptionState.CONFIRMED:
            gains["list"] = self.import_.list_no
        if row.group and (
            known is None or self._group_nos.get(name_key(row.group)) not in known.groups
        ):
            gains["group"] = row.group
        if row.tier and not has_tier:
            gains["tier"] = self._tiers[plain(row.tier)].no
        return gains

    def _values(self, row: Row) -> Facts:
        return {
            "address": row.address,
            "first_name": row.first_name,
            "last_name": row.last_name,
            "city": row.city,
            "language": row.language,
        }

    def _note_group(self, row: Row) -> None:
        key = name_key(row.group)
        if key and key not in self._group_nos:
            self.new_groups.setdefault(key, row.group)


def why_not(known: store.Known, list_no: int) -> str:
    """Say why a file may not touch somebody on the roll; empty if it may."""
    if known.person.stopped_at is not None:
        return Why.STOPPED
    return Why.HAS_LEFT if known.has_left(list_no) else ""


def _storable(words: str) -> str:
    """Show NUL as its picture: PostgreSQL keeps none in JSON."""
    return words.replace("\0", "\u2400")
