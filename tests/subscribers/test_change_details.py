"""Changing what somebody is called."""

import pytest

from mailer.activity import store as activity
from mailer.kit.i18n import speaking
from mailer.kit.work import Work
from mailer.subscribers import store
from mailer.subscribers.actions import SubscriberUnknown, change_details
from mailer.subscribers.details import CountryUnknown, TimeZoneUnknown, countries
from tests import makers as make
from tests.cast import Cast


async def test_details_change_and_the_person_is_found_by_them(cast: Cast, work: Work) -> None:
    changed = await change_details(
        work, cast.bo, first_name="Bo", last_name="Diallo", city="Lyon", language="fr"
    )

    assert (changed.last_name, changed.city, changed.language) == ("Diallo", "Lyon", "fr")
    assert (changed.name_key, changed.called_key) == ("diallo bo", "bo diallo")
    fresh = await store.by_no(work, cast.bo.no)
    assert fresh is not None
    assert fresh.city == "Lyon"
    [line] = await activity.lines_of(work, cast.bo.no, kinds=["details_changed"])
    assert line.facts == {"fields": ["last_name", "city", "language"]}


async def test_changing_nothing_leaves_no_line(cast: Cast, work: Work) -> None:
    await change_details(work, cast.bo, first_name="Bo", last_name="", city="", language="en")
    assert "details_changed" not in await activity.kinds(work, cast.bo.no)


async def test_nobody_changes_whom_they_may_not_see(cast: Cast, work: Work) -> None:
    farids = make.seen_by(work, cast.harbour)
    with pytest.raises(SubscriberUnknown):
        await change_details(
            farids, cast.bo, first_name="Mine", last_name="", city="", language="en"
        )


async def test_where_somebody_lives_is_changed_and_what_is_not_said_stays(
    cast: Cast, work: Work
) -> None:
    changed = await change_details(
        work, cast.bo, postcode=" 69001 ", region="Rhône", country="fr", time_zone="Europe/Paris"
    )

    assert (changed.postcode, changed.region) == ("69001", "Rhône")
    assert (changed.country, changed.time_zone) == ("FR", "Europe/Paris")
    assert (changed.first_name, changed.called_key) == ("Bo", "bo")
    changed = await change_details(work, changed, source="May Day stall", last_name="Ek")
    assert (changed.source, changed.called_key) == ("May Day stall", "bo ek")


@pytest.mark.any_database
async def test_what_is_no_country_or_hour_is_refused(cast: Cast, work: Work) -> None:
    with pytest.raises(CountryUnknown):
        await change_details(work, cast.bo, country="EU")
    with pytest.raises(TimeZoneUnknown):
        await change_details(work, cast.bo, time_zone="Etc/UTC")


def test_countries_are_named_in_the_language_of_the_reader() -> None:
    with speaking("fr"):
        assert ("DE", "Allemagne") in countries()
        assert "EU" not in dict(countries())
