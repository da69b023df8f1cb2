"""How somebody is called: a number, encrypted, with a consent of its own."""

import pytest

from mailer.activity import store as activity
from mailer.consent import store as consents
from mailer.kit.i18n import speaking
from mailer.kit.work import Work
from mailer.phones import actions as phones
from mailer.phones import record, store
from mailer.phones.reading import PhoneWrong, read_number, shown_number
from mailer.subscribers import store as subscribers
from mailer.subscribers.actions import SubscriberUnknown
from tests import makers as make
from tests.cast import Cast

NUMBER = "+33 6 12 34 56 78"
SAID = "On the sheet at the May meeting: you may call me."


async def number_of(work: Work, no: int) -> str:
    phone = await store.of(work, no)
    return store.opened(work, phone) if phone else ""


@pytest.mark.parametrize(
    ("typed", "country", "number"),
    [
        ("+33 6 12 34 56 78", "", "+33612345678"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("(020) 7946-0018", "gb", "+442079460018"),
        ("0033 612345678", "DE", "+33612345678"),
    ],
)
def test_numbers_are_read_as_people_write_them(typed: str, country: str, number: str) -> None:
    assert read_number(typed, country) == number


@pytest.mark.parametrize(
    "typed", ["06 12 34 56 78", "hello", "+33", "+999 12345678", "1" * 61, "+33612345678 ext. 9"]
)
def test_what_no_telephone_has_is_refused(typed: str) -> None:
    with pytest.raises(PhoneWrong):
        read_number(typed)


def test_a_number_is_shown_with_its_spaces() -> None:
    assert shown_number("+33612345678") == NUMBER


async def test_a_number_is_kept_encrypted_with_the_words_they_agreed_to(
    cast: Cast, work: Work
) -> None:
    phone = await phones.note(
        work, cast.bo, NUMBER, wording=SAID, language="en", best_time=" Evenings "
    )

    assert phone is not None
    assert phone.sealed is not None
    assert b"612345678" not in phone.sealed
    assert phone.best_time == "Evenings"
    assert await number_of(work, cast.bo.no) == "+33612345678"
    consent = (await consents.records_of(work, cast.bo.no))[-1]
    assert (consent.no, consent.purpose, consent.channel) == (phone.consent_no, "phone", "phone")
    assert (consent.given, consent.wording) == (True, SAID)


async def test_no_number_is_kept_without_words(cast: Cast, work: Work) -> None:
    with pytest.raises(phones.EvidenceMissing):
        await phones.note(work, cast.bo, NUMBER, wording=" ", language="en")

    assert await store.of(work, cast.bo.no) is None


async def test_the_same_number_needs_no_words_again(cast: Cast, work: Work) -> None:
    await phones.note(work, cast.bo, NUMBER, wording=SAID, language="en")
    records = len(await consents.records_of(work, cast.bo.no))

    await phones.note(
        work,
        cast.bo,
        "0033612345678".replace("00", "+", 1),
        wording="",
        language="en",
        best_time="Mornings",
    )

    assert len(await consents.records_of(work, cast.bo.no)) == records
    phone = await store.of(work, cast.bo.no)
    assert phone is not None
    assert phone.best_time == "Mornings"


async def test_a_number_without_its_country_is_one_of_theirs(cast: Cast, work: Work) -> None:
    with pytest.raises(PhoneWrong):
        await phones.note(work, cast.bo, "06 12 34 56 78", wording=SAID, language="en")
    french = await subscribers.change(work, cast.bo, {"country": "FR"})

    await phones.note(work, french, "06 12 34 56 78", wording=SAID, language="en")

    assert await number_of(work, cast.bo.no) == "+33612345678"


async def test_never_to_be_called_stands_without_a_number(cast: Cast, work: Work) -> None:
    await phones.note(work, cast.bo, NUMBER, wording=SAID, language="en")

    phone = await phones.note(work, cast.bo, "", wording="", language="en", never_call=True)

    assert phone is not None
    assert (phone.sealed, phone.mark, phone.never_call) == (None, None, True)
    assert not (await consents.records_of(work, cast.bo.no))[-1].given


async def test_what_is_forgotten_is_gone_with_its_consent(cast: Cast, work: Work) -> None:
    await phones.note(work, cast.bo, NUMBER, wording=SAID, language="en", best_time="Evenings")

    await phones.forget(work, cast.bo)
    await phones.forget(work, cast.bo)

    assert await store.of(work, cast.bo.no) is None
    assert not (await consents.records_of(work, cast.bo.no))[-1].given
    kinds = await activity.kinds(work, cast.bo.no)
    assert kinds[-4:] == ["phone_noted", "call_wishes", "phone_forgotten", "call_wishes"]


async def test_many_are_noted_and_the_answer_undoes_it(cast: Cast, work: Work) -> None:
    await phones.note(work, cast.bo, NUMBER, wording=SAID, language="en")
    wanted = {cast.bo.no: "+442079460018", cast.gil.no: "+33612345678", 999_999: "+33612345678"}

    before = await phones.note_many(work, wanted, wording="From the old list.", language="en")
    assert before == {cast.bo.no: "+33612345678", cast.gil.no: ""}
    assert await phones.note_many(work, wanted, wording="", language="en") == {}

    await phones.note_many(work, before, wording="An import was undone.", language="en")
    assert await number_of(work, cast.bo.no) == "+33612345678"
    assert await number_of(work, cast.gil.no) == ""


async def test_who_may_not_be_seen_is_not_called(cast: Cast, work: Work) -> None:
    farids = make.seen_by(work, cast.harbour)

    with pytest.raises(SubscriberUnknown):
        await phones.note(farids, cast.bo, NUMBER, wording=SAID, language="en")
    assert (
        await phones.note_many(farids, {cast.bo.no: "+33612345678"}, wording=SAID, language="en")
        == {}
    )


async def test_a_timeline_tells_the_words_but_not_the_number(cast: Cast, work: Work) -> None:
    await phones.note(work, cast.bo, NUMBER, wording=SAID, language="en")
    await phones.note(work, cast.bo, "", wording="", language="en", never_call=True)

    with speaking("en"):
        told = [
            (one.words, one.said, one.details) for one in await record.entries(work, cast.bo.no)
        ]

    assert told == [
        ("Said when to be called", "", "They are never to be called."),
        ("The telephone number was taken away", "", ""),
        ("Gave a telephone number", SAID, ""),
    ]
    assert await record.entries(work, cast.gil.no) == []


async def test_a_merge_takes_the_number_along_and_can_be_taken_back(cast: Cast, work: Work) -> None:
    await phones.note(work, cast.bo, NUMBER, wording=SAID, language="en", never_call=True)
    await phones.note(work, cast.gil, "", wording="", language="fr", best_time="Evenings")

    moved = await record.repoint(work, cast.bo.no, cast.gil.no)
    assert await store.of(work, cast.bo.no) is None
    kept = await store.of(work, cast.gil.no)
    assert kept is not None
    assert (kept.best_time, kept.never_call) == ("Evenings", True)
    assert await number_of(work, cast.gil.no) == "+33612345678"

    await record.restore(work, cast.bo.no, cast.gil.no, moved)
    assert await number_of(work, cast.bo.no) == "+33612345678"
    assert await number_of(work, cast.gil.no) == ""


async def test_a_number_of_their_own_stands_in_a_merge(cast: Cast, work: Work) -> None:
    await phones.note(work, cast.bo, NUMBER, wording=SAID, language="en")
    await phones.note(work, cast.gil, "+442079460018", wording=SAID, language="fr")

    moved = await record.repoint(work, cast.bo.no, cast.gil.no)
    assert await number_of(work, cast.gil.no) == "+442079460018"
    await phones.note(work, cast.gil, "+442079460019", wording=SAID, language="fr")

    await record.restore(work, cast.bo.no, cast.gil.no, moved)
    assert await number_of(work, cast.bo.no) == "+33612345678"
    assert await number_of(work, cast.gil.no) == "+442079460019"
    assert await record.repoint(work, cast.chidi.no, cast.gil.no) == {}
    await record.restore(work, cast.chidi.no, cast.gil.no, {})
    await record.forget(work, cast.gil.no)
    assert await store.of(work, cast.gil.no) is None


async def test_a_number_goes_to_who_had_nothing_and_back(cast: Cast, work: Work) -> None:
    await phones.note(work, cast.bo, NUMBER, wording=SAID, language="en")

    moved = await record.repoint(work, cast.bo.no, cast.gil.no)
    assert await number_of(work, cast.gil.no) == "+33612345678"

    await record.restore(work, cast.bo.no, cast.gil.no, moved)
    assert await store.of(work, cast.gil.no) is None
