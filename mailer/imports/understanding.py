"""From cells to what is kept of a line: who it is, what it gives them, or why it is refused.

Nothing here knows the roll: whether somebody is on it is judged afterwards, set-wise. It is called
a million times, so what repeats (cities, languages, answers, domains) is read once.
"""

import difflib
import hashlib
import json
import os
import re
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import available_timezones

import msgspec

from mailer.fields.model import Field
from mailer.fields.values import Value, read_value
from mailer.groups.model import name_key as group_key
from mailer.imports.columns import plain, wants_no_mail
from mailer.imports.cutting import KEPT, Record
from mailer.imports.fast_addresses import Addresses
from mailer.imports.languages import country_code, language_code
from mailer.imports.model import Fate, Gives, Why
from mailer.imports.staging import Row
from mailer.kit.errors import Invalid
from mailer.kit.i18n import in_language
from mailer.kit.secrets import Keys
from mailer.kit.tables import parted, unguarded
from mailer.kit.texts import one_line
from mailer.subscribers.model import GroupRole, Subscriber
from mailer.tags.model import tag_key
from mailer.tiers.model import Tier

MOST_NEW = 2000
"""Groups and tags that one file may name; more is a wrong column."""

LONGEST = {
    "first_name": 120,
    "last_name": 120,
    "city": 120,
    "postcode": 20,
    "region": 80,
    "source": 80,
}
_LONGEST_NAME = {Gives.TAG: 80, Gives.GROUP: 160}
_MOST_REMEMBERED = 50_000  # answers of one kind

_ROLES = {plain(role): role for role in GroupRole}
_FOUND_BY = ("name_key", "called_key", "middle_key", "second_key")  # in the order of `LINE`

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bq]\?", re.IGNORECASE)
# Any sign of what a cell may be refused for: looked for in a whole line at once.
_SUSPECT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffd\ud800-\udfff]|=\?")
_NAME_AND_ADDRESS = re.compile(r'\s*"?([^"<>@]*?)"?\s*<([^<>]*@[^<>]*)>\s*')


class Wrong(Exception):
    """This line is refused."""

    def __init__(self, why: str, /, **facts: str) -> None:
        """Say why, with what the words of the reason name."""
        self.why, self.facts = why, facts
        super().__init__(why)


class Known(msgspec.Struct, kw_only=True):
    """What must be known of the house before a line can be understood."""

    tiers: Sequence[Tier]
    fields: Mapping[str, Field]  # by slug
    names: dict[tuple[int, str], int]  # kind and key of a name to its `ref`
    country: str = ""  # of telephone numbers that do not say it
    read_phone: Callable[[str, str], str]


class Understood(msgspec.Struct):
    """Some lines as they are kept."""

    lines: list[Row]
    items: list[Row]
    new_names: list[tuple[int, int, str]]  # kind, ref, name


class People:
    """Understands the lines of one file, a piece after another."""

    def __init__(
        self,
        *,
        import_no: int,
        columns: Sequence[str],
        how: Mapping[str, Any],
        known: Known,
        keys: Keys,
    ) -> None:
        """Begin; `how` is the import's format."""
        self._no = import_no
        self._known = known
        self._keys = keys
        self._mark_key = keys.derive("address")
        self._order = how.get("order") or None
        self._mark = str(how.get("parted_by") or ";")
        self._without_address = bool(how.get("without_address"))
        self._width = len(columns)
        self._at = {kind: at for at, kind in enumerate(columns) if kind}
        self._several = {
            kind: [at for at, one in enumerate(columns) if one == kind]
            for kind in ("tags", "group", "opt_out")
        }
        self._fields = [
            (at, known.fields[kind.removeprefix("field:")])
            for at, kind in enumerate(columns)
            if kind.startswith("field:")
        ]
        self._details = [(name, self._at[name]) for name in LONGEST if name in self._at]
        self._used = [at for at, kind in enumerate(columns) if kind]
        self._tiers = {
            plain(name): tier.no
            for tier in known.tiers
            for name in (*tier.name.values(), tier.slug)
        }
        self._addresses = Addresses()
        self._remembered: dict[tuple[str, str], Any] = {}
        self._refs: dict[tuple[int, str], list[int]] = {}  # what cells of tags and groups name
        self._new_names: list[tuple[int, int, str]] = []

    def understand(self, records: Sequence[Record]) -> Understood:
        """Give the lines of a piece as they are kept; lines of nothing are nobody."""
        lines: list[Row] = []
        items: list[Row] = []
        self._new_names = []
        uids = _uids(len(records))
        for record in records:
            cells = [cell.strip() for cell in record.cells]
            if not any(cells):
                continue  # spreadsheets write lines of nothing but delimiters
            begun = len(items)
            try:
                lines.append(self._line(record, cells, next(uids), items))
            except Wrong as wrong:
                del items[begun:]
                lines.append(self._refused(record.line, cells, wrong))
        return Understood(lines, items, self._new_names)

    def _refused(self, line: int, cells: Sequence[str], wrong: Wrong) -> Row:
        facts = {name: storable(fact) for name, fact in wrong.facts.items()}
        kept = [storable(cell[:KEPT]) for cell in cells]
        row = [self._no, line, Fate.REFUSED.value, wrong.why, json.dumps(facts), json.dumps(kept)]
        return (*row, *[None] * 22)

    def _line(self, record: Record, cells: list[str], uid: str, items: list[Row]) -> Row:
        if record.why:
            raise Wrong(record.why)
        line = record.line
        if len(cells) != self._width:
            if any(cells[self._width :]):
                raise Wrong(Why.TOO_MANY_FIELDS, cells=str(len(cells)), headings=str(self._width))
            cells += [""] * (self._width - len(cells))
        if _SUSPECT.search("\x20".join([cells[at] for at in self._used])):
            self._check(cells)
        at = self._at
        said = {name: self._text(name, cells[column]) for name, column in self._details}
        if "name" in at:
            said["first_name"], said["last_name"] = self._names(unguarded(cells[at["name"]]))
        address = key = mark = None
        typed = cells[at["address"]] if "address" in at else ""
        if typed:
            address, key = self._address(unguarded(typed), said)
            octets = key.encode()
            mark = hashlib.blake2b(octets, digest_size=16, key=self._mark_key).hexdigest()
        elif not self._without_address:
            raise Wrong(Why.NO_ADDRESS)
        opts_out = self._opts_out(cells)
        if opts_out:
            if address is None:
                raise Wrong(Why.NO_ADDRESS)
            empty = [None] * 18
            return (
                *(self._no, line, Fate.OPTS_OUT.value, "", None, None, address, key, mark, None),
                *empty,
            )
        first_name, last_name = said.get("first_name", ""), said.get("last_name", "")
        found_by = Subscriber.keys_of(first_name, last_name)
        tier = self._read("tier", cells, self._tier) if "tier" in at else None
        language = self._read("language", cells, _language) if "language" in at else None
        country = self._read("country", cells, _country) if "country" in at else None
        zone = self._read("time_zone", cells, _time_zone) if "time_zone" in at else None
        agreed_at = self._read("agreed_at", cells, self._moment) if "agreed_at" in at else None
        phone = phone_mark = None
        if "phone" in at and cells[at["phone"]]:
            phone, phone_mark = self._phone(cells[at["phone"]], country)
        gives = self._items(line, cells, items)
        if address is None:
            if not (first_name or last_name) or not (phone or gives):
                raise Wrong(Why.NO_NAME)
            mark = self._same_values(cells)
        return (
            self._no,
            line,
            Fate.NEW.value,
            "",
            None,
            None,
            address,
            key,
            mark,
            uid,
            first_name,
            last_name,
            *[found_by[key] for key in _FOUND_BY],
            said.get("city"),
            said.get("postcode"),
            said.get("region"),
            country,
            zone,
            said.get("source"),
            language,
            tier,
            agreed_at,
            True if opts_out is None else None,
            phone,
            phone_mark,
        )

    # --- cells ----------------------------------------------------------------------------------

    def _check(self, cells: Sequence[str]) -> None:
        """Refuse a line for a sign that plays tricks, and name the column."""
        for kind, at in self._at.items():
            words = cells[at]
            if kind == "address":
                continue  # has reasons of its own
            if _CONTROL.search(words):
                raise Wrong(Why.NOT_PLAIN, field=kind)
            if "\ufffd" in words or any("\ud800" <= letter <= "\udfff" for letter in words):
                raise Wrong(Why.UNREADABLE, field=kind)
            if _ENCODED_WORD.search(words):
                raise Wrong(Why.ENCODED_WORD, field=kind)

    def _address(self, typed: str, said: dict[str, str]) -> tuple[str, str]:
        if typed.endswith(">") and (found := _NAME_AND_ADDRESS.fullmatch(typed)):
            typed = found[2]
            if found[1] and not said.get("first_name") and not said.get("last_name"):
                said["first_name"], said["last_name"] = self._names(found[1])
        try:
            return self._addresses.read(typed)
        except Invalid as refusal:
            raise Wrong(refusal.code, why=str(refusal.facts.get("why", ""))) from refusal

    def _text(self, kind: str, cell: str) -> str:
        """Read a word as it is kept: on one line, with nothing invisible in it."""
        if cell.isascii() and "  " not in cell and len(cell) <= LONGEST[kind] and cell[:1] != "'":
            return cell
        try:
            return one_line(unguarded(cell), longest=LONGEST[kind], field=kind)
        except Invalid as refusal:
            raise Wrong(Why.TOO_LONG, field=kind) from refusal

    def _names(self, whole: str) -> tuple[str, str]:
        """Part a whole name: `Nguyen, Ana` or `Ana Nguyen`.

        Wrong for some, and shown as one again.
        """
        if "," in whole:
            last, _, first = whole.partition(",")
        else:
            first, _, last = whole.partition(" ")
        return self._text("first_name", first.strip()), self._text("last_name", last.strip())

    def _read(self, kind: str, cells: Sequence[str], read: Callable[[str], Any]) -> Any:
        """Read a cell, or remember what the same words meant before."""
        words = cells[self._at[kind]]
        if not words:
            return None
        known = self._remembered.get((kind, words), self)
        if known is self:
            known = read(unguarded(words))
            self._remember((kind, words), known)
        return known

    def _remember(self, key: tuple[str, str], meaning: Any) -> None:
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[key] = meaning

    def _tier(self, said: str) -> int:
        no = self._tiers.get(plain(said))
        if no is not None:
            return no
        near = difflib.get_close_matches(plain(said), self._tiers, n=1)
        nearest = next(
            (one for one in self._known.tiers if near and one.no == self._tiers[near[0]]), None
        )
        raise Wrong(
            Why.UNKNOWN_TIER,
            said=said[:200],
            nearest=in_language(nearest.name) if nearest else "",
            levels=", ".join(in_language(tier.name) for tier in self._known.tiers),
        )

    def _opts_out(self, cells: Sequence[str]) -> bool | None:
        """Say whether they want no mail; None if they were asked and never said yes."""
        found: bool | None = False
        for at in self._several["opt_out"]:
            if not cells[at]:
                continue
            try:
                wants_none = wants_no_mail(cells[at])
            except ValueError as unknown:
                raise Wrong(Why.UNKNOWN_OPT_OUT, said=cells[at][:KEPT]) from unknown
            if wants_none:
                return True
            found = None if wants_none is None else found
        return found

    def _moment(self, said: str) -> datetime:
        """Read a date, perhaps with an hour; without a zone it is UTC."""
        with_hour = said.replace(" UTC", "+00:00")
        try:
            moment = datetime.fromisoformat(with_hour)
        except ValueError:
            found = re.match(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})", said)
            order = self._order or ("dmy" if found and "." in found[0] else None)
            if found is None or order is None:
                raise Wrong(Why.UNKNOWN_DATE, said=said[:KEPT]) from None
            one, other, year = int(found[1]), int(found[2]), int(found[3])
            month, day = (one, other) if order == "mdy" else (other, one)
            try:
                moment = datetime(year, month, day, tzinfo=UTC)
            except ValueError:
                raise Wrong(Why.UNKNOWN_DATE, said=said[:KEPT]) from None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _phone(self, said: str, country: str | None) -> tuple[bytes, str]:
        try:
            number = self._known.read_phone(unguarded(said), country or self._known.country)
        except Invalid as refusal:
            raise Wrong(Why.PHONE_WRONG, said=said[:KEPT]) from refusal
        return self._keys.seal("phone", number), self._keys.scramble("phone", number)

    def _same_values(self, cells: Sequence[str]) -> str:
        """Mark somebody without an address by all that is said of them: the same twice is one."""
        said = "\x1f".join(cells[at] for at in self._used)
        octets = unicodedata.normalize("NFC", said).casefold().encode()
        return hashlib.blake2b(octets, digest_size=15, key=self._mark_key).hexdigest()

    # --- tags, groups, fields ---------------------------------------------------------------------

    def _items(self, line: int, cells: Sequence[str], items: list[Row]) -> int:
        """Add what a line gives; count it."""
        begun = len(items)
        for gives, kind in ((Gives.TAG, "tags"), (Gives.GROUP, "group")):
            named: dict[int, str] = {}
            for at in self._several[kind]:
                if cells[at]:
                    named |= dict.fromkeys(self._named(gives, cells[at]), "")
            if gives is Gives.GROUP and "group_roles" in self._at:
                named |= self._read("group_roles", cells, self._roles) or {}
            items += [(self._no, line, int(gives), ref, role, None) for ref, role in named.items()]
        for at, field in self._fields:
            if cells[at]:
                items += [
                    (self._no, line, int(Gives.FIELD), field.no, value, number)
                    for value, number in self._values(field, cells[at])
                ]
        return len(items) - begun

    def _values(self, field: Field, said: str) -> list[Value]:
        key = (f"field:{field.slug}", said)
        values: list[Value] | None = self._remembered.get(key)
        if values is None:
            try:
                values = read_value(field, unguarded(said), order=self._order)
            except Invalid as refusal:
                facts = {name: str(fact) for name, fact in refusal.facts.items()}
                facts |= {
                    "code": refusal.code,
                    "said": said[:KEPT],
                    "name": in_language(field.name),
                }
                raise Wrong(Why.FIELD_WRONG, **facts) from refusal
            self._remember(key, values)
        return values

    def _roles(self, said: str) -> dict[int, str]:
        """Read who somebody is in which groups: `rep: Harbour; officer: Northgate`."""
        roles: dict[int, str] = {}
        for one in parted(said, self._mark):
            role, _, name = one.partition(":")
            if plain(role) not in _ROLES or not name.strip():
                raise Wrong(
                    Why.ROLE_WRONG,
                    said=one[:KEPT],
                    example=f"{GroupRole.REP}: Northgate",
                    roles=", ".join(GroupRole),
                )
            roles[self._ref(Gives.GROUP, name, is_new=True)] = _ROLES[plain(role)].value
        return roles

    def _named(self, gives: Gives, cell: str) -> list[int]:
        refs = self._refs.get((gives, cell))
        if refs is None:
            # What is whole the name of one may have the mark in it that parts several.
            said = unguarded(cell)
            whole = self._ref(gives, said, is_new=False)
            names = [said] if whole else parted(said, self._mark)
            refs = [self._ref(gives, name, is_new=True) for name in names]
            if len(self._refs) >= _MOST_REMEMBERED:
                self._refs.clear()
            self._refs[gives, cell] = refs
        return refs

    def _ref(self, gives: Gives, name: str, *, is_new: bool) -> int:
        name = " ".join(name.split())
        key = (int(gives), group_key(name) if gives is Gives.GROUP else tag_key(name))
        ref = self._known.names.get(key, 0)
        if ref or not is_new:
            return ref
        kind = "group" if gives is Gives.GROUP else "tags"
        if len(name) > _LONGEST_NAME[gives]:
            raise Wrong(Why.TOO_LONG, field=kind)
        if gives is Gives.TAG and set(name) & set(",;"):
            raise Wrong(Why.TAG_WRONG, said=name)
        if len(self._known.names) >= MOST_NEW:
            raise Wrong(Why.TOO_MANY_NEW, field=kind)
        ref = len(self._known.names) + 1
        self._known.names[key] = ref
        self._new_names.append((int(gives), ref, name))
        return ref


def storable(words: str) -> str:
    """Show NUL as its picture and half letters as `?`: PostgreSQL keeps neither."""
    return words.replace("\0", "\u2400").encode("utf-8", errors="replace").decode()


def _language(said: str) -> str:
    code = language_code(said)
    if code is None:
        raise Wrong(Why.UNKNOWN_LANGUAGE, said=said[:KEPT])
    return code


def _country(said: str) -> str:
    code = country_code(said)
    if code is None:
        raise Wrong(Why.UNKNOWN_COUNTRY, said=said[:KEPT])
    return code


def _time_zone(said: str) -> str:
    zone = {name.casefold(): name for name in available_timezones()}.get(said.casefold())
    if zone is None or len(zone) > 40:
        raise Wrong(Why.UNKNOWN_TIME_ZONE, said=said[:KEPT])
    return zone


def _uids(number: int) -> Any:
    """Make many names at once, as `kit.ids.new_uid` does (uuid7, RFC 9562 5.7): 0.5 µs each."""
    moment = (time.time_ns() // 1_000_000).to_bytes(6, "big").hex()
    chance = os.urandom(10 * number).hex()
    head = f"{moment[:8]}-{moment[8:]}-7"
    for at in range(0, 20 * number, 20):
        some = chance[at : at + 20]
        variant = "89ab"[int(some[3], 16) & 3]
        yield f"{head}{some[:3]}-{variant}{some[4:7]}-{some[7:19]}"
