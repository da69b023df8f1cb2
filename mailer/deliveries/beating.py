"""What a beat writes, as prepared statements: outcomes, marks, and what was not granted.

The statements are the same on both databases. What differs is their `Manner`: the clock, how many
numbers are named at once, and when a row is ours to mark.
"""

import abc
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias, cast

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Dialect,
    Executable,
    Integer,
    SmallInteger,
    String,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    null,
    select,
    update,
)

from mailer.accounts.model import Account
from mailer.campaigns.model import Campaign, CampaignState, Kind
from mailer.consent import store as consent
from mailer.deliveries.hearing import without_addresses
from mailer.deliveries.model import LONGEST_REPLY, Delivery, Key, Reason
from mailer.deliveries.prepared import Prepared, Step
from mailer.deliveries.store import why_not
from mailer.deliveries.transport import Errand
from mailer.kit.orm import UtcDateTime
from mailer.outbox.model import DeliveryState, Letter, Needs
from mailer.subscribers.model import Subscriber, Suppression

# The attempt that knows the truth may tell it until one of the last states is reached: a row that
# was taken over, or even queued again, is settled by it as long as no later attempt has begun.
UNSETTLED = (
    DeliveryState.QUEUED,
    DeliveryState.CLAIMED,
    DeliveryState.SENDING,
    DeliveryState.IN_DOUBT,
)
_LETTER_IS_DONE = (
    DeliveryState.SENT,
    DeliveryState.REFUSED,
    DeliveryState.FAILED,
    DeliveryState.SKIPPED,
)

Values: TypeAlias = dict[str, Any]
Batch: TypeAlias = dict[tuple[int, int], list[int]]
"""Campaign and run to the numbers of subscribers."""


class Settled(msgspec.Struct, frozen=True):
    """What a beat writes down about one row."""

    key: Key
    attempt: int
    state: DeliveryState
    code: int | None = None
    reply: str | None = None
    wait: float | None = None  # seconds until it is due again
    counts: bool = False  # as a try, though no mark did count it: refused at its envelope
    worker: int | None = None  # only while the row is theirs: whose attempt it is is not sure

    @property
    def is_given_back(self) -> bool:
        """Say whether it was claimed and not begun, so that there is nothing to tell."""
        return self.state is DeliveryState.QUEUED and self.reply is None


class Manner(abc.ABC):
    """What one database does in a way of its own."""

    dialect: Dialect

    @abc.abstractmethod
    def encode(self, value: Any) -> Any:
        """Write a value as the driver takes it."""

    @abc.abstractmethod
    def now(self) -> ColumnElement[Any]:
        """Give the moment, by the clock that all workers share."""

    @abc.abstractmethod
    def due(self) -> ColumnElement[Any]:
        """Give the moment that is `wait` from now; NULL if that is NULL."""

    @abc.abstractmethod
    def among(self, column: Any) -> ColumnElement[bool]:
        """Say that a column is one of some numbers."""

    @abc.abstractmethod
    def by_numbers(self, numbers: Sequence[int]) -> Iterable[Values]:
        """Give the values for `among`, in as many turns as it takes."""

    @abc.abstractmethod
    def is_mine(self, table: type[Delivery | Letter]) -> ColumnElement[bool]:
        """Say that a row may be marked by the `worker`."""

    @abc.abstractmethod
    def at_once(self) -> Values:
        """Give the values that change with time."""


class Beats:
    """Turns what the engine says into the steps of one transaction."""

    def __init__(self, manner: Manner) -> None:
        """Compile every statement once."""
        self._manner = manner
        self.statements: list[Prepared] = []
        self._sent = self._prepared("sent", _settle_many(manner, _sent(manner)))
        self._given_back = self._prepared(
            "given_back", _settle_many(manner, {"state": DeliveryState.QUEUED, "worker": None})
        )
        self._one = self._prepared("one", _settle_one(manner))
        self._letter = self._prepared("letter", _settle_letter(manner))
        self._mark = self._prepared("mark", _mark(manner))
        self._mark_letter = self._prepared("mark_letter", _mark_letter(manner))
        self._skip = self._prepared("skip", _skip(manner))
        self._skip_letter = self._prepared("skip_letter", _skip_letter(manner))
        self._return = self._prepared("return", _return(manner))

    def _prepared(self, name: str, statement: Executable) -> Prepared:
        prepared = Prepared(name, statement, self._manner.dialect, self._manner.encode)
        self.statements.append(prepared)
        return prepared

    def settle(self, settled: Sequence[Settled]) -> list[Step]:
        """Write down outcomes. Nearly all are alike: one statement for many instead of many."""
        sent: dict[tuple[int, int, int], list[int]] = defaultdict(list)
        back: dict[tuple[int, int, int], list[int]] = defaultdict(list)
        steps = []
        moment = self._manner.at_once()
        for one in settled:
            key = one.key
            if key.is_letter:
                steps.append(self._step(self._letter, moment | _said(one) | _of_letter(one)))
            elif one.state is DeliveryState.SENT:
                sent[key.campaign, key.run, one.attempt].append(key.number)
            elif one.is_given_back:
                back[key.campaign, key.run, one.attempt].append(key.number)
            else:
                steps.append(self._step(self._one, moment | _said(one) | _of(key)))
        for statement, alike in ((self._sent, sent), (self._given_back, back)):
            for (campaign, run, attempt), numbers in alike.items():
                which = moment | {"campaign": campaign, "run": run, "was": attempt}
                steps.extend(self._each(statement, which, numbers))
        return steps

    def mark(
        self, worker: int, campaign: int, run: int, list_no: int, numbers: Sequence[int]
    ) -> list[Step]:
        """Mark what may be sent; each row found is a subscriber and their attempt."""
        which = self._which(worker, campaign, run, list_no)
        return list(self._each(self._mark, which, numbers))

    def skip(
        self, worker: int, campaign: int, run: int, list_no: int, numbers: Sequence[int]
    ) -> list[Step]:
        """Turn what may not be sent any more into `skipped`, with its reason."""
        which = self._which(worker, campaign, run, list_no)
        return list(self._each(self._skip, which, numbers))

    def give_back(self, worker: int, campaign: int, run: int, numbers: Sequence[int]) -> list[Step]:
        """Give back what we hold and may not send now."""
        which = {"me": worker, "campaign": campaign, "run": run}
        return list(self._each(self._return, which, numbers))

    def mark_letter(self, worker: int, errand: Errand) -> Step:
        """Mark a letter by the consent that its kind needs; the row found is its attempt."""
        return self._step(self._mark_letter, self._which_letter(worker, errand))

    def skip_letter(self, worker: int, errand: Errand) -> Step:
        """Turn a letter that may not be sent into `skipped`."""
        return self._step(self._skip_letter, self._which_letter(worker, errand))

    def _which(self, worker: int, campaign: int, run: int, list_no: int) -> Values:
        me = {"me": worker, "campaign": campaign, "run": run, "list": list_no}
        return self._manner.at_once() | me

    def _which_letter(self, worker: int, errand: Errand) -> Values:
        return self._manner.at_once() | {
            "me": worker,
            "letter": errand.key.number,
            "mark": errand.mark,
        }

    def _each(self, statement: Prepared, which: Values, numbers: Sequence[int]) -> Iterable[Step]:
        for some in self._manner.by_numbers(numbers):
            yield self._step(statement, which | some)

    def _step(self, statement: Prepared, values: Mapping[str, Any]) -> Step:
        return Step(statement, statement.fill(values))


# --- what is said of a row ------------------------------------------------------------------------


def _of(key: Key) -> Values:
    return {"campaign": key.campaign, "run": key.run, "number": key.number}


def _of_letter(one: Settled) -> Values:
    return {"letter": one.key.number, "is_done": one.state in _LETTER_IS_DONE}


def _said(one: Settled) -> Values:
    return {
        "was": one.attempt,
        "state": int(one.state),
        "attempt": one.attempt + (1 if one.counts else 0),
        "code": one.code,
        "reply": None if one.reply is None else _kept(one.reply),
        "wait": one.wait,
        "by": one.worker,
    }


def _kept(reply: str) -> str:
    """Give a server's words as a row keeps them; most repeat no address, and need no search."""
    if "@" in reply or "\0" in reply:
        return without_addresses(reply)
    return reply[:LONGEST_REPLY]


# --- the statements -------------------------------------------------------------------------------


def _number(name: str) -> ColumnElement[int]:
    return bindparam(name, type_=BigInteger().with_variant(Integer, "sqlite"))


def _small(name: str) -> ColumnElement[int]:
    return bindparam(name, type_=SmallInteger())


def one_of(table: type[Delivery | Letter], states: Iterable[DeliveryState]) -> ColumnElement[bool]:
    """Say that a row is in one of these states; an ordinary list would be expanded too late."""
    return table.state.in_([literal(int(state), SmallInteger()) for state in states])


def _these(manner: Manner) -> list[ColumnElement[bool]]:
    return [
        Delivery.campaign_no == _number("campaign"),
        Delivery.run == _small("run"),
        manner.among(Delivery.subscriber_no),
    ]


def _settle_many(manner: Manner, said: Values) -> Executable:
    return (
        update(Delivery)
        .where(
            *_these(manner),
            Delivery.attempt == _small("was"),
            one_of(Delivery, UNSETTLED),
        )
        .values(**said)
    )


def _sent(manner: Manner) -> Values:
    return {
        "state": DeliveryState.SENT,
        "code": 250,
        "reply": None,
        "due_at": None,
        "at": manner.now(),
    }


def _settle_one(manner: Manner) -> Executable:
    return (
        update(Delivery)
        .where(
            Delivery.campaign_no == _number("campaign"),
            Delivery.run == _small("run"),
            Delivery.subscriber_no == _number("number"),
            Delivery.attempt == _small("was"),
            one_of(Delivery, UNSETTLED),
            _is_theirs(Delivery),
        )
        .values(**_as_said(manner), due_at=manner.due())
    )


def _settle_letter(manner: Manner) -> Executable:
    is_done: ColumnElement[bool] = bindparam("is_done", type_=Boolean())
    return (
        update(Letter)
        .where(
            Letter.no == _number("letter"),
            Letter.attempt == _small("was"),
            one_of(Letter, UNSETTLED),
            _is_theirs(Letter),
        )
        .values(
            **_as_said(manner),
            address=case((is_done, null()), else_=Letter.address),
            due_at=func.coalesce(manner.due(), Letter.due_at),
        )
    )


def _is_theirs(table: type[Delivery | Letter]) -> ColumnElement[bool]:
    """Say that a row is still the worker's who speaks, where it speaks of no attempt of its own."""
    return func.coalesce(_number("by"), table.worker, 0) == func.coalesce(table.worker, 0)


def _as_said(manner: Manner) -> Values:
    return {
        "state": _small("state"),
        "attempt": _small("attempt"),
        "code": _small("code"),
        "reply": bindparam("reply", type_=String()),
        "at": manner.now(),
    }


def _may_mail(list_no: ColumnElement[int]) -> ColumnElement[bool]:
    return (
        exists()
        .where(
            Subscriber.no == Delivery.subscriber_no,
            consent.may_mail(cast("Any", list_no), cast("Any", _moment()), is_urgent=_is_urgent()),
        )
        .correlate(Delivery)
    )


def _is_urgent() -> ColumnElement[bool]:
    """Say whether the campaign is an alert. It looks at no row of a person: asked once a beat."""
    return exists().where(Campaign.no == _number("campaign"), Campaign.kind == Kind.ALERT)


def _moment() -> ColumnElement[Any]:
    return bindparam("moment", type_=UtcDateTime())


def _may_go(manner: Manner) -> list[ColumnElement[bool]]:
    return [
        *_these(manner),
        manner.is_mine(Delivery),
        exists().where(Campaign.no == _number("campaign"), Campaign.state == CampaignState.SENDING),
    ]


def _mark(manner: Manner) -> Executable:
    return (
        update(Delivery)
        .where(*_may_go(manner), _may_mail(_number("list")))
        .values(
            state=DeliveryState.SENDING,
            attempt=Delivery.attempt + 1,
            worker=_number("me"),
            at=manner.now(),
        )
        .returning(Delivery.subscriber_no, Delivery.attempt)
    )


def _skip(manner: Manner) -> Executable:
    why = (
        select(
            why_not(cast("Any", _number("list")), cast("Any", _moment()), is_urgent=_is_urgent())
        )
        .where(Subscriber.no == Delivery.subscriber_no)
        .correlate(Delivery)
        .scalar_subquery()
    )
    return (
        update(Delivery)
        .where(*_may_go(manner), ~_may_mail(_number("list")))
        .values(
            state=DeliveryState.SKIPPED,
            reply=func.coalesce(why, Reason.ERASED.value),
            due_at=None,
            at=manner.now(),
        )
    )


def _return(manner: Manner) -> Executable:
    return (
        update(Delivery)
        .where(
            *_these(manner),
            Delivery.state == DeliveryState.CLAIMED,
            Delivery.worker == _number("me"),
        )
        .values(state=DeliveryState.QUEUED, worker=None)
    )


def _mark_letter(manner: Manner) -> Executable:
    return (
        update(Letter)
        .where(Letter.no == _number("letter"), manner.is_mine(Letter), _why_not_letter().is_(None))
        .values(
            state=DeliveryState.SENDING,
            attempt=Letter.attempt + 1,
            worker=_number("me"),
            at=manner.now(),
        )
        .returning(Letter.no, Letter.attempt)
    )


def _skip_letter(manner: Manner) -> Executable:
    return (
        update(Letter)
        .where(
            Letter.no == _number("letter"), manner.is_mine(Letter), _why_not_letter().is_not(None)
        )
        .values(state=DeliveryState.SKIPPED, reply=_why_not_letter(), address=None, at=manner.now())
    )


def _why_not_letter() -> ColumnElement[Any]:
    """Say why a letter may not be sent, by the consent that its kind needs; NULL if it may."""
    is_suppressed = exists().where(Suppression.mark == bindparam("mark", type_=String()))
    return case(
        (Letter.account_no.is_not(None), _why_not_account()),
        (is_suppressed, Reason.SUPPRESSED.value),
        (Letter.subscriber_no.is_not(None), _why_not_subscriber()),
        else_=None,
    )


def _why_not_account() -> ColumnElement[Any]:
    open_account = (
        exists()
        .where(Account.no == Letter.account_no, Account.disabled_at.is_(None))
        .correlate(Letter)
    )
    return case((~open_account, Reason.NO_ACCOUNT.value), else_=None)


def _why_not_subscriber() -> ColumnElement[Any]:
    """Say why a letter's subscriber may not get it; suppression was asked about before."""
    person = (
        select(
            case(
                (consent.is_erased(), Reason.ERASED.value),
                (~consent.has_address(), Reason.NO_ADDRESS.value),
                (
                    and_(Letter.needs == Needs.ROLL, consent.is_stopped()),
                    Reason.STOPPED.value,
                ),
                else_="",
            )
        )
        .where(Subscriber.no == Letter.subscriber_no)
        .correlate(Letter)
        .scalar_subquery()
    )
    return func.nullif(func.coalesce(person, Reason.ERASED.value), "")
