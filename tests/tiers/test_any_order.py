"""Whatever happens on the ladder in whatever order: where somebody stands is what was done last.

Choosing, asking, answering, expiring, assigning, suggestions, holds, lapse, undo and erasure, each
at any moment. What must hold is looked at after every step, and every verb is said twice.
"""

import enum
import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailer.activity import store as activity
from mailer.kit.errors import Refusal
from mailer.kit.work import Door, Work
from mailer.outbox import store as outbox
from mailer.records import erasing
from mailer.records.erasing import Ground, Remains
from mailer.subscribers.model import Subscriber
from mailer.tiers import actions as tiers
from mailer.tiers import holding, requesting, signs, store
from mailer.tiers.model import SignKind, Source, Tier, TierChange, TierRequest
from mailer.tiers.upkeep import lapsing
from tests import makers as make
from tests.cast import Cast

LONG = 400  # days without a sign of life, after which an Activist is asked


class Deed(enum.Enum):
    """What may happen next."""

    CHOOSE = enum.auto()
    TAKE_BACK_WISH = enum.auto()
    GRANT = enum.auto()
    REFUSE = enum.auto()
    TAKE_BACK_ANSWER = enum.auto()
    EXPIRE = enum.auto()
    ASSIGN = enum.auto()
    DO_MUCH = enum.auto()
    ACCEPT = enum.auto()
    DISMISS = enum.auto()
    TAKE_BACK_NO = enum.auto()
    HOLD = enum.auto()
    LET_GO = enum.auto()
    FALL_SILENT = enum.auto()
    ASK_AGAIN = enum.auto()
    STAY = enum.auto()
    UNDO = enum.auto()
    UNDO_OLDEST = enum.auto()
    A_DAY = enum.auto()
    ERASE = enum.auto()


NOT_TWICE = frozenset({Deed.DO_MUCH, Deed.A_DAY})
"""Who does a thing twice has done it twice; and a day is another day."""

ALL_AT_ONCE = 50


class Climb:
    """One person on the ladder, and what happened to them."""

    def __init__(self, work: Work, somebody: Subscriber, ladder: Sequence[Tier]) -> None:
        self.work, self.somebody, self.ladder = work, somebody, ladder
        self.is_erased = False
        self.known: list[Any] = []  # all that a verb could change, as it was last seen

    async def happens(self, deed: Deed, rung: int) -> None:
        if deed is Deed.A_DAY:
            self.work = make.later(self.work, days=1)
        elif deed in {Deed.EXPIRE, Deed.FALL_SILENT, Deed.ASK_AGAIN}:
            by = {Deed.EXPIRE: 31, Deed.FALL_SILENT: LONG, Deed.ASK_AGAIN: 15}[deed]
            self.work = make.later(self.work, days=by)
        self.work = make.later(self.work, seconds=1)
        in_hand = self.suggestion, self.question
        was_refused = await self._try(deed, rung)
        before, self.known = self.known, await self.everything()
        assert not was_refused or self.known == before, f"{deed} was refused and changed something"
        await self.holds_good()
        if deed not in NOT_TWICE and not was_refused:
            self.suggestion, self.question = in_hand  # the same link again, whatever came since
            await self._try(deed, rung)
            assert await self.everything() == self.known, f"{deed} again changed something"

    async def _try(self, deed: Deed, rung: int) -> bool:
        """Do it, and say whether it was refused; nothing but refusals of ours may be raised."""
        try:
            await self._do(deed, rung)
        except Refusal:
            return True
        return False

    async def _do(self, deed: Deed, rung: int) -> None:
        themselves = make.through(self.work, Door.EMAIL)
        organiser = make.through(self.work, Door.ADMIN)
        somebody, tier = self.somebody, self.ladder[rung]
        match deed:
            case Deed.CHOOSE:
                await tiers.step(themselves, somebody, tier, source=Source.SELF_LINK)
            case Deed.TAKE_BACK_WISH:
                if (request := await self.newest_request()) is not None:
                    await tiers.withdraw_request(themselves, request)
            case Deed.GRANT | Deed.REFUSE:
                if (request := await self.newest_request()) is not None:
                    await requesting.answer(organiser, request, granted=deed is Deed.GRANT)
            case Deed.TAKE_BACK_ANSWER:
                if (request := await self.newest_request()) is not None:
                    await requesting.take_back_answer(organiser, request)
            case Deed.EXPIRE:
                await requesting.expire_requests(self.work, limit=ALL_AT_ONCE)
            case Deed.ASSIGN:
                await tiers.assign(organiser, somebody, tier, reason="As we said.")
            case Deed.DO_MUCH:
                if not self.is_erased:
                    for _time in range(4):
                        no, now = somebody.no, self.work.now
                        await signs.note_sign(themselves, no, SignKind.DONE, now)
            case Deed.ACCEPT:
                await tiers.accept(themselves, somebody, self.suggestion)
            case Deed.DISMISS:
                await tiers.dismiss(themselves, somebody, self.suggestion)
            case Deed.TAKE_BACK_NO:
                await tiers.take_back_no(themselves, somebody, self.suggestion)
            case Deed.HOLD:
                await holding.hold_back(organiser, somebody, reason="Is it them?")
            case Deed.LET_GO:
                await holding.let_go(organiser, somebody)
            case Deed.FALL_SILENT:
                for rung_that_lapses in lapsing.may_lapse(self.ladder):
                    await lapsing.ask_the_quiet(
                        self.work, rung_that_lapses, after=0, most=ALL_AT_ONCE, limit=ALL_AT_ONCE
                    )
            case Deed.ASK_AGAIN:
                await lapsing.go_on(self.work)
            case Deed.STAY:
                await lapsing.stay(themselves, somebody, self.question)
            case Deed.UNDO | Deed.UNDO_OLDEST:
                if changes := await store.changes_of(self.work, somebody.no):
                    change = changes[0 if deed is Deed.UNDO else -1]
                    await tiers.undo(themselves, somebody, change.no)
            case Deed.ERASE:
                self.is_erased = True
                await erasing.erase(
                    organiser, somebody, remains=Remains.NOTHING, ground=Ground.ASKED
                )

    # Links name one suggestion and one question: the newest that somebody was sent.
    suggestion = question = 0

    async def look_up(self) -> None:
        """Keep the numbers that stand in the newest letters."""
        for letter in await outbox.letters_to(self.work, self.somebody.no):
            if letter.kind == "tier-suggested":
                self.suggestion = max(self.suggestion, letter.facts["suggestion"])
            if letter.kind == "still-with-us":
                self.question = max(self.question, letter.facts["question"])

    async def newest_request(self) -> TierRequest | None:
        return next(iter(await store.requests_of(self.work, self.somebody.no)), None)

    async def everything(self) -> list[Any]:
        """Give all that a verb could have changed."""
        await self.look_up()
        work, no = self.work, self.somebody.no
        chosen, hold = await store.chosen_row(work, no), await store.hold_of(work, no)
        suggestion = await store.open_suggestion(work, no)
        question = await store.question_by_no(work, self.question)
        return [
            (chosen.tier_no, chosen.since) if chosen else None,
            [(one.no, one.undone_at) for one in await store.changes_of(work, no)],
            [
                (one.no, one.withdrawn_at, one.expired_at, one.answered_at, one.granted)
                for one in await store.requests_of(work, no)
            ],
            suggestion.no if suggestion else None,
            hold.held_at if hold else None,
            (question.ended_at, question.again_at, question.next_at) if question else None,
            await activity.kinds(work, no),
            [one.no for one in await outbox.letters_to(work, no)],
        ]

    async def holds_good(self) -> None:
        """Look at what must be so after anything."""
        work, no = self.work, self.somebody.no
        changes = list(reversed(await store.changes_of(work, no)))
        chosen = await store.chosen_row(work, no)
        if self.is_erased:
            assert (chosen, changes) == (None, [])
            return
        assert chosen is not None
        last = [one for one in changes if stands(one)][-1]
        assert chosen.tier_no == last.to_no, "where they stand is the last change that stands"
        assert (chosen.tier_no, chosen.since) == (changes[-1].to_no, changes[-1].made_at)
        for before, after in itertools.pairwise(changes):
            assert after.from_no == before.to_no, "each change begins where the one before ended"
            assert before.made_at <= after.made_at
        undone = {one.undoes_no for one in changes if one.undoes_no is not None}
        assert undone == {one.no for one in changes if one.undone_at is not None}
        if await store.hold_of(work, no) is not None:
            assert chosen.tier_no == self.ladder[0].no, "whoever is held rises by nothing of theirs"
        waiting = [one for one in await store.requests_of(work, no) if one.is_waiting]
        assert len(waiting) <= 1
        moves = [kind for kind in await activity.kinds(work, no) if kind in MOVES]
        assert len(moves) == len(changes), "each change is a line of the timeline"


MOVES = ("tier_chosen", "tier_changed")


def stands(change: TierChange) -> bool:
    return change.undone_at is None and change.source is not Source.UNDO


@pytest.mark.timeout(240)
@given(
    begins=st.integers(0, 3),
    deeds=st.lists(st.tuples(st.sampled_from(Deed), st.integers(0, 3)), min_size=1, max_size=12),
)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
async def test_where_somebody_stands_is_the_last_change_that_stands(
    work: Work, cast: Cast, begins: int, deeds: list[tuple[Deed, int]]
) -> None:
    transaction = await work.session.begin_nested()
    try:
        ladder = [cast.follower, cast.supporter, cast.activist, cast.organiser]
        somebody = await make.person(work, tier=ladder[begins])
        climb = Climb(make.later(work, hours=1), somebody, ladder)
        climb.known = await climb.everything()
        for deed, rung in deeds:
            await climb.happens(deed, rung)
    finally:
        await transaction.rollback()
