"""A compiled message: what is left to do for each reader.

A program is the HTML part, the text part and the subject of one newsletter in one language, as
constants, slots and regions, in each form in which readers may have it. Filling chooses the
skeleton for those conditions that hold (learned once for each combination), puts the slots in, and
joins. Of what a reader brings only an address can be refused; nothing else in filling can fail for
one reader only.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from mailer.content import headers, mime, qp
from mailer.content.blocks import Condition, Facts, nearest
from mailer.content.marks import Constant, Part, Placed, Region
from mailer.content.merge import PLAIN_ALIKE, Encoder, Kind, Slot
from mailer.subscribers.model import MailForm


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """One recipient, as filling needs them. The links were made with this reader's tokens."""

    address: str
    message_id: str  # local part; the same for each attempt
    unsubscribe_url: str
    facts: Facts
    values: Mapping[str, str]  # fields and links by name; a missing one takes its fallback
    # Links that need no more care: `is_plain_url` holds for each, and whoever made them knows it.
    links: Mapping[str, bytes] = {}
    form: MailForm = MailForm.USUAL


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same in every mail of a campaign."""

    from_name: str
    from_address: str
    domain: str  # of the Message-ID
    list_name: str
    list_id: str
    campaign: str
    kind: str = "newsletter"
    reply_to: str | None = None


class Shown(msgspec.Struct, frozen=True):
    """A region whose constants are wire bytes."""

    condition: int
    pieces: list["Piece"]


Piece = bytes | Placed | Shown
Holding = tuple[bool, ...]  # which conditions of a program hold


class Gap(msgspec.Struct, frozen=True):
    """Where one slot goes, by how it must be written there."""

    slot: Slot
    is_link: bool
    places: tuple[int, ...]  # all of them
    encodings: tuple[tuple[Encoder, tuple[int, ...]], ...]
    is_alike: bool  # a plain value is written the same in all of them
    known: dict[str, list[tuple[int, bytes]]]  # values met before, as they are written

    def write(self, given: str) -> list[tuple[int, bytes]]:
        """Write a value: which bytes go where."""
        value = self.slot.value(given)
        if self.is_alike and qp.is_plain(value):  # nothing in it that anybody would escape
            plain = value.encode() + b"=\r\n"
            return [(place, plain) for place in self.places]
        return [
            (place, encoded)
            for encode, places in self.encodings
            for encoded in [encode(value)]
            for place in places
        ]


class Skeleton(msgspec.Struct, frozen=True):
    """The body for one combination of conditions: pieces with gaps, and what goes into the gaps."""

    pieces: list[bytes]
    gaps: tuple[Gap, ...]


class Face(msgspec.Struct, frozen=True):
    """A program in one form: the last lines of the head, the body, and what was learned of it."""

    head: bytes
    body: list[Piece]
    skeletons: dict[Holding, Skeleton] = {}


_MOST_SKELETONS = 512  # about 30 kB each; beyond that they are made and thrown away
_MOST_KNOWN = 512  # names, towns and levels return; links never do


_NO_LINKS: Mapping[str, bytes] = {}


class Program:
    """One newsletter in one language, ready to be filled.

    `html` is by the forms that have such a part; text alone needs none.
    """

    def __init__(
        self,
        *,
        language: str,
        digest: str,
        subject: list[Part],
        text: list[Part],
        html: Mapping[MailForm, list[Part]],
        slots: list[Slot],
        conditions: list[Condition],
    ) -> None:
        self.language = language
        self.slots = slots
        self.conditions = conditions
        # A subject has slots and no regions: compiling puts none there.
        self._subject = [
            part.text if isinstance(part, Constant) else slots[part.slot]
            for part in subject
            if not isinstance(part, Region)
        ]
        frame, words = mime.frame(digest), _encoded(text)
        self._faces = {MailForm.PLAIN: Face(mime.HEAD_OF_TEXT, [b"\r\n", *words])}
        for form, parts in html.items():
            body = [frame.before_text, *words, frame.before_html, *_encoded(parts), frame.after]
            self._faces[form] = Face(frame.head, body)
        self._usual = self._faces[MailForm.USUAL]
        self._holdings: dict[tuple[str, frozenset[str], frozenset[int], int], Holding] = {}

    def holding(self, facts: Facts) -> Holding:
        """Decide every condition for one reader."""
        kind = (facts.tier, facts.lists, facts.groups, facts.best_ask)
        known = None if facts.asks else self._holdings.get(kind)
        if known is not None:
            return known
        found = tuple([condition.holds(facts, self.language) for condition in self.conditions])
        if not facts.asks and len(self._holdings) < _MOST_SKELETONS:
            self._holdings[kind] = found
        return found

    def fields_by_ask(self) -> dict[int, set[str]]:
        """Give the fields by the ask that must be a reader's best for them to see them; 0: any."""
        found: dict[int, set[str]] = {
            0: {s.field.name for s in self._subject if isinstance(s, Slot)}
        }

        def look(body: list[Piece], ask: int) -> None:
            for piece in body:
                match piece:
                    case Placed(slot, _):
                        found.setdefault(ask, set()).add(self.slots[slot].field.name)
                    case Shown(condition, inner):
                        look(inner, self.conditions[condition].best_ask or ask)
                    case bytes():
                        pass

        look(self._usual.body, 0)
        return found

    def face(self, form: MailForm) -> Face:
        """Give the face for readers of a form; of what was not made larger, the usual one."""
        return self._usual if form is MailForm.USUAL else self._faces.get(form, self._usual)

    def subject(self, values: Mapping[str, str]) -> str:
        """Fill the subject; not yet a header."""
        return "".join(
            [
                part if isinstance(part, str) else part.value(values.get(part.field.name, ""))
                for part in self._subject
            ]
        )

    def body(
        self,
        values: Mapping[str, str],
        holding: Holding,
        links: Mapping[str, bytes] = _NO_LINKS,
        form: MailForm = MailForm.USUAL,
    ) -> list[bytes]:
        """Fill all from the blank line after the head to the end, to be joined."""
        face = self.face(form)
        skeleton = face.skeletons.get(holding) or self._learn(face, holding)
        pieces = skeleton.pieces.copy()
        for gap in skeleton.gaps:
            name = gap.slot.field.name
            if gap.is_link and name in links:
                plain = links[name] + b"=\r\n"
                for place in gap.places:
                    pieces[place] = plain
                continue
            given = links[name].decode() if name in links else values.get(name, "")
            written = gap.known.get(given)
            if written is None:
                written = gap.write(given)
                if not gap.is_link and len(gap.known) < _MOST_KNOWN:
                    gap.known[given] = written
            for place, encoded in written:
                pieces[place] = encoded
        return pieces

    def _learn(self, face: Face, holding: Holding) -> Skeleton:
        pieces: list[bytes] = [b""]
        gaps: dict[int, dict[Encoder, list[int]]] = {}

        def lay(body: list[Piece]) -> None:
            for piece in body:
                match piece:
                    case Placed(slot, encode):
                        gaps.setdefault(slot, {}).setdefault(encode, []).append(len(pieces))
                        pieces.extend((b"", b""))
                    case Shown(condition, inner):
                        if holding[condition]:
                            lay(inner)
                    case bytes():
                        pieces[-1] += piece

        lay(face.body)
        found = Skeleton(
            pieces,
            tuple(_gap(self.slots[n], by) for n, by in gaps.items()),
        )
        if len(face.skeletons) < _MOST_SKELETONS:
            face.skeletons[holding] = found
        return found


def _gap(slot: Slot, by: Mapping[Encoder, list[int]]) -> Gap:
    return Gap(
        slot=slot,
        is_link=slot.field.kind is Kind.LINK and set(by) <= PLAIN_ALIKE,
        places=tuple(place for places in by.values() for place in places),
        encodings=tuple((encode, tuple(places)) for encode, places in by.items()),
        is_alike=set(by) <= PLAIN_ALIKE,
        known={},
    )


def _encoded(parts: list[Part]) -> list[Piece]:
    """Write constants as wire bytes, once and for all."""
    encoded: list[Piece] = []
    for part in parts:
        match part:
            case Constant(text):
                encoded.append(qp.piece(text))
            case Region(condition, inner):
                encoded.append(Shown(condition, _encoded(inner)))
            case Placed():
                encoded.append(part)
    return encoded


# Nothing else may stand in the head of a campaign's mail; Reply-To only where the envelope has one.
HEADER_NAMES = (
    "From",
    "Reply-To",
    "List-Id",
    "List-Unsubscribe-Post",
    "Feedback-ID",
    "Subject",
    "Date",
    "To",
    "Message-ID",
    "List-Unsubscribe",
    "MIME-Version",
    "Content-Type",
)


class CompiledCampaign:
    """Programs of all languages with the head they share."""

    def __init__(self, envelope: Envelope, programs: Mapping[str, Program]) -> None:
        self.envelope = envelope
        self.programs = programs
        self._languages = tuple(programs)
        self._constant_head = _constant_head(envelope)
        self._dated = (0, b"")

    def header_names(self, form: MailForm = MailForm.USUAL) -> list[str]:
        """Give the head of each of its mails in a form, exactly."""
        names = [name for name in HEADER_NAMES if name != "Reply-To" or self.envelope.reply_to]
        return [*names, "Content-Transfer-Encoding"] if form is MailForm.PLAIN else names

    @property
    def fields(self) -> frozenset[str]:
        """The fields and links that are merged in any language: only these need a value."""
        return frozenset(
            slot.field.name for program in self.programs.values() for slot in program.slots
        )

    @property
    def fields_of_best_asks(self) -> dict[int, frozenset[str]]:
        """The fields that only those see for whom an ask was chosen, by its number."""
        by_ask: dict[int, set[str]] = {}
        for program in self.programs.values():
            for ask, fields in program.fields_by_ask().items():
                by_ask.setdefault(ask, set()).update(fields)
        everybodys = by_ask.pop(0)
        return {ask: frozenset(fields - everybodys) for ask, fields in by_ask.items()}

    def program(self, language: str) -> Program:
        """Choose for a reader: their language, its base, or the newsletter's first."""
        return self.programs.get(language) or self.programs[nearest(language, self._languages)]

    def fill(self, reader: Reader, language: str, now: datetime | float) -> bytes:
        """Write the mail as it goes over the wire; it never needs dot-stuffing.

        Refuses an address that cannot be written (`Unmailable`): fail that recipient for good.
        """
        program = self.program(language)
        head = [
            self._constant_head,
            headers.subject(program.subject(reader.values)),
            self._date(now),
            headers.to(reader.address),
            headers.message_id(reader.message_id, self.envelope.domain),
            headers.list_url("List-Unsubscribe", reader.unsubscribe_url),
            program.face(reader.form).head,
        ]
        holding = program.holding(reader.facts)
        body = program.body(reader.values, holding, reader.links, reader.form)
        return b"\r\n".join(head) + b"".join(body)

    def _date(self, now: datetime | float) -> bytes:
        second = int(now.timestamp() if isinstance(now, datetime) else now)
        if self._dated[0] != second:
            self._dated = (second, headers.date(second))
        return self._dated[1]


def _constant_head(envelope: Envelope) -> bytes:
    try:
        lines = [headers.from_(envelope.from_name, envelope.from_address)]
    except headers.Unmailable as refusal:
        raise headers.BadHeader(header="From", value=envelope.from_address) from refusal
    if envelope.reply_to:
        try:
            lines.append(headers.reply_to(envelope.reply_to))
        except headers.Unmailable as refusal:
            raise headers.BadHeader(header="Reply-To", value=envelope.reply_to) from refusal
    lines += [
        headers.list_id(envelope.list_name, envelope.list_id),
        headers.ONE_CLICK,
        headers.feedback_id(
            campaign=envelope.campaign,
            kind=envelope.kind,
            list_name=envelope.list_id.split(".", maxsplit=1)[0],
            sender=envelope.domain,
        ),
    ]
    return b"\r\n".join(lines)
