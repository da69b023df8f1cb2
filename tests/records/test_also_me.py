"""“This is also me”: proven at both addresses, told to both, undone by either."""

import pytest
from sqlalchemy import select

from mailer.consent import actions as consent
from mailer.kit.i18n import speaking
from mailer.kit.work import Work
from mailer.outbox.model import Letter
from mailer.records import also_me, merging
from mailer.records.actions import timeline
from mailer.records.pairs import store as pairs
from mailer.subscribers import store
from mailer.subscribers.actions import SubscriberUnknown, stop_silently
from tests import makers as make
from tests.cast import Cast


async def letters(work: Work, kind: str) -> list[str | None]:
    found = await work.session.scalars(
        select(Letter.address).where(Letter.kind == kind).order_by(Letter.address)
    )
    return list(found)


async def test_a_letter_asks_at_the_other_address_and_a_yes_makes_them_one(
    cast: Cast, work: Work
) -> None:
    wish = await also_me.ask(work, cast.bo, " GIL@example.org ")
    assert await letters(work, "also-me") == ["GIL@example.org"]

    made = await also_me.confirm(work, wish.no)
    assert await also_me.confirm(work, wish.no) == made

    assert (made.kept_no, made.merged_no) == (cast.bo.no, cast.gil.no)
    assert await letters(work, "also-me-done") == ["bo@example.org", "gil@example.org"]
    with speaking("en"):
        assert "Said that another address is theirs too" in {
            one.words for one in await timeline(work, cast.bo)
        }


async def test_nobody_finds_out_who_is_on_the_roll(cast: Cast, work: Work) -> None:
    wish = await also_me.ask(work, cast.bo, "nobody@example.org")

    assert wish.address == "nobody@example.org"
    assert await letters(work, "also-me") == []
    with pytest.raises(also_me.AlsoMeUnknown):
        await also_me.confirm(work, wish.no)


async def test_who_is_not_to_be_written_to_gets_no_letter(cast: Cast, work: Work) -> None:
    await consent.take_off(work, cast.gil)
    await stop_silently(work, cast.chidi)

    await also_me.ask(work, cast.bo, "gil@example.org")
    await also_me.ask(work, cast.bo, "chidi@example.org")

    assert await letters(work, "also-me") == []


async def test_the_same_wish_is_one_and_a_day_has_three(cast: Cast, work: Work) -> None:
    wish = await also_me.ask(work, cast.bo, "gil@example.org")
    assert await also_me.ask(work, cast.bo, "gil@EXAMPLE.org") == wish
    for address in ("one@example.org", "two@example.org"):
        await also_me.ask(work, cast.bo, address)

    with pytest.raises(also_me.TooManyAsked):
        await also_me.ask(work, cast.bo, "three@example.org")
    with pytest.raises(also_me.AlreadyYours):
        await also_me.ask(work, cast.bo, "bo@example.org")
    assert (await also_me.ask(make.later(work, days=1), cast.bo, "four@example.org")).no
    assert len(await letters(work, "also-me")) == 1


async def test_a_yes_that_comes_too_late_or_to_nothing_is_refused(cast: Cast, work: Work) -> None:
    wish = await also_me.ask(work, cast.bo, "gil@example.org")

    with pytest.raises(also_me.AlsoMeUnknown):
        await also_me.confirm(make.later(work, days=1, minutes=1), wish.no)
    with pytest.raises(also_me.AlsoMeUnknown):
        await also_me.confirm(work, 999_999)
    with pytest.raises(SubscriberUnknown):
        await also_me.confirm(make.seen_by(work, cast.harbour), wish.no)
    await merging.merge(work, cast.bo, cast.gil)
    with pytest.raises(also_me.AlsoMeUnknown):
        await also_me.confirm(work, wish.no)


async def test_an_undo_makes_them_two_again(cast: Cast, work: Work) -> None:
    wish = await also_me.ask(work, cast.bo, "gil@example.org")
    made = await also_me.confirm(work, wish.no)

    await merging.undo(work, made.no)

    gil = await store.by_address(work, "gil@example.org")
    assert gil is not None
    assert gil.no == cast.gil.no
    [standing] = await pairs.also_mes_of(work, cast.bo.no)
    assert standing.merging_no == made.no
