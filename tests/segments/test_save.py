"""Saved segments: named, versioned, and what they stand on does not vanish."""

import functools
from typing import Any

import pytest

from mailer.campaigns import composing
from mailer.consent import store as lists
from mailer.fields import actions as fields
from mailer.fields.model import FieldKind
from mailer.kit.texts import TextMissing
from mailer.kit.work import Work
from mailer.segments import asking, guarding, saving, store
from mailer.tags import actions as tags
from tests.cast import Cast

EVERYBODY: dict[str, Any] = {"everybody": True}


async def test_a_question_is_kept_under_a_name(work: Work, cast: Cast) -> None:
    tag = await tags.make(work, name="Driver")
    segment = await saving.save(
        work, name="  The  drivers ", tree={"is": "tag", "tag": str(tag.no)}
    )
    assert (segment.name, segment.version) == ("The drivers", 1)
    assert [one.no for one in await store.all_segments(work)] == [segment.no]
    assert await asking.count(work, segment.tree) == 0
    await tags.tag_many(work, [cast.bo.no, cast.gil.no], tag)
    assert await asking.counted(work, segment.tree) == asking.Counted(2, 2)


async def test_a_question_needs_a_name_of_its_own_and_somebody_to_ask_for(
    work: Work, cast: Cast
) -> None:
    await saving.save(work, name="All", tree=EVERYBODY)
    with pytest.raises(saving.NameTaken):
        await saving.save(work, name="ALL", tree=EVERYBODY)
    with pytest.raises(TextMissing):
        await saving.save(work, name=" ", tree=EVERYBODY)
    nobody: list[dict[str, Any]] = [{}, {"all": []}, {"none": []}]
    for nothing in nobody:
        with pytest.raises(saving.NothingAsked):
            await saving.save(work, name="Nobody", tree=nothing)


async def test_an_edit_is_a_new_version_and_the_old_one_stays(work: Work, cast: Cast) -> None:
    segment = await saving.save(work, name="All", tree=EVERYBODY)
    french = {"is": "language", "language": "fr"}
    assert (await saving.revise(work, segment, tree=EVERYBODY, version=1)).version == 1
    revised = await saving.revise(work, segment, tree=french, version=1)
    assert (revised.version, revised.tree) == (2, french)
    assert [one.tree for one in await saving.versions(work, segment)] == [french, EVERYBODY]
    with pytest.raises(saving.ChangedMeanwhile):
        await saving.revise(work, segment, tree=EVERYBODY, version=1)


async def test_a_name_can_change_and_is_free_once_the_segment_is_closed(
    work: Work, cast: Cast
) -> None:
    first = await saving.save(work, name="First", tree=EVERYBODY)
    second = await saving.save(work, name="Second", tree=EVERYBODY)
    with pytest.raises(saving.NameTaken):
        await saving.rename(work, second, name="first")
    assert (await saving.rename(work, second, name="Other")).name == "Other"
    await saving.close(work, first)
    await saving.close(work, first)
    assert [one.name for one in await store.all_segments(work)] == ["Other"]
    await saving.save(work, name="First", tree=EVERYBODY)


async def test_a_segment_that_a_draft_goes_by_is_not_closed(work: Work, cast: Cast) -> None:
    segment = await saving.save(work, name="All", tree=EVERYBODY)
    draft = await composing.begin(work, name="Autumn letter")
    await composing.choose_audience(
        work,
        draft,
        list_no=cast.bulletin.no,
        to_everybody=False,
        tier_nos=[],
        segment_no=segment.no,
    )
    assert [one.name for one in await saving.usages(work, segment)] == ["Autumn letter"]
    with pytest.raises(saving.SegmentInUse) as refused:
        await saving.close(work, segment)
    assert "“Autumn letter”" in refused.value.said()


async def test_what_a_segment_stands_on_is_not_closed_while_it_does(work: Work, cast: Cast) -> None:
    tag = await tags.make(work, name="Driver")
    field = await fields.make(work, kind=FieldKind.YES_NO, name={"en": "Drives"})
    [bulletin] = await lists.lists(work)
    tree = {
        "all": [
            {"not": "tag", "tag": str(tag.no)},
            {"any": [{"is": "field", "field": str(field.no), "how": "yes"}]},
            {"none": [{"is": "list", "list": str(bulletin.no), "state": "confirmed"}]},
        ]
    }
    segment = await saving.save(work, name="Walkers", tree=tree)
    assert [one.no for one in await saving.users_of(work, ("tag", tag.no))] == [segment.no]
    closings = (
        functools.partial(guarding.close_tag, work, tag),
        functools.partial(guarding.close_field, work, field),
        functools.partial(guarding.close_list, work, bulletin),
    )
    for close in closings:
        with pytest.raises(guarding.InUse) as refused:
            await close()
        assert "“Walkers”" in refused.value.said()
    await saving.close(work, segment)
    for close in closings:
        assert (await close()).closed_at is not None
    assert await asking.count(work, tree) == 0  # the tag is gone, and everybody else is not in it
