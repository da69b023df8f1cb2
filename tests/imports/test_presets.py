"""Exports of other tools: their columns are known by name, and so is who wants no mail."""

import pytest

from mailer.bootstrap import House
from mailer.consent import actions as consent
from mailer.consent import store as consents
from mailer.consent.model import SubscriberState, SubscriptionState
from mailer.groups import store as groups
from mailer.imports import actions as imports
from mailer.imports import columns, receiving, store
from mailer.imports.model import Basis, Fate, Import, Why
from mailer.kit.work import Work
from mailer.phones import store as phones
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import SuppressionReason, mark_of
from mailer.tags import store as tags
from tests.cast import Cast

EVIDENCE = "They signed up in our old tool, which asked each by letter."

MAILCHIMP = (
    '"Email Address","First Name","Last Name",Address,"Phone Number",MEMBER_RATING,OPTIN_TIME,'
    "OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,"
    "LAST_CHANGED,LEID,EUID,NOTES,TAGS\n"
    'ana@example.org,Ana,Nguyen,"1 Harbour Road",+33612345678,2,,,"2024-03-09 18:01:22",,,,1,2,'
    'Europe/Paris,FR,IDF,"2024-03-09 18:01:22",1,a,,"""Member"",""Picket line"""\n'
)
MAILCHIMP_UNSUBSCRIBED = (
    "Email Address,First Name,MEMBER_RATING,LEID,EUID,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,"
    "UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER\n"
    'bo@example.org,Bo,2,1,a,"2024-05-01 10:00:00",May,1,"N/A (Unsubscribed by admin)",\n'
)
MAILCHIMP_CLEANED = (
    "Email Address,First Name,MEMBER_RATING,LEID,EUID,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE\n"
    'gone@example.org,Gone,1,2,b,"2024-05-01 10:00:00",May\n'
)
LISTMONK = (
    "uuid,email,name,attributes,status,created_at,updated_at\n"
    '1,ana@example.org,Ana Nguyen,"{""city"": ""Lille""}",enabled,2024-01-01,2024-01-01\n'
    "2,bo@example.org,Bo,{},blocklisted,2024-01-01,2024-01-01\n"
    "3,gone@example.org,Gone,{},disabled,2024-01-01,2024-01-01\n"
)
ACTION_NETWORK = (
    "email,first_name,last_name,zip_code,can2_user_city,can2_state_abbreviated,country,language,"
    "can2_phone,can2_subscription_status,can2_user_tags,uuid\n"
    'ana@example.org,Ana,Nguyen,59000,Lille,HDF,FR,fr,,subscribed,"rally, phone bank",1\n'
    "bo@example.org,Bo,,,,,,,,unsubscribed,,2\n"
    "gone@example.org,,,,,,,,,bouncing,,3\n"
)
CIVICRM = (
    "Contact ID,First Name,Last Name,Email,Do Not Email,Do Not Phone,Is Opt Out,On Hold,City,"
    "Postal Code,State,Country,Preferred Language,Group(s),Tag(s)\n"
    'ana,Ana,Nguyen,ana@example.org,,,No,No,Lille,59000,Nord,France,fr_FR,"Dockers, Bakers",\n'
    "bo,Bo,,bo@example.org,,,Yes,No,,,,,,,\n"
    "gone,Gone,,gone@example.org,,,,On Hold Bounce,,,,,,,\n"
    "never,Never,,never@example.org,1,,,,,,,,,,\n"
)
MAILMAN = (
    "address,display_name,delivery_mode,delivery_status,language\n"
    "ana@example.org,Ana Nguyen,regular,enabled,fr\n"
    "bo@example.org,Bo,regular,by_user,en\n"
    "gone@example.org,,regular,by_bounces,en\n"
)
ROSTER = "ana@example.org\nBo <bo@example.org>\n"


async def rehearsed(work: Work, cast: Cast, text: str) -> Import:
    return await imports.rehearse(
        work, file_name="export.csv", content=text.encode(), list_no=cast.bulletin.no
    )


async def fates(work: Work, import_: Import) -> dict[str, str]:
    rows = (await store.lines(work, import_)).rows
    return {str(row.address).partition("@")[0]: str(row.fate) for row in rows}


@pytest.mark.parametrize(
    ("text", "name", "opt_outs"),
    [
        (MAILCHIMP, "Mailchimp", set()),
        (MAILCHIMP_UNSUBSCRIBED, "Mailchimp", {"bo"}),
        (MAILCHIMP_CLEANED, "Mailchimp", {"gone"}),
        (LISTMONK, "listmonk", {"bo", "gone"}),
        (ACTION_NETWORK, "Action Network", {"bo", "gone"}),
        (CIVICRM, "CiviCRM", {"bo", "gone", "never"}),
        (MAILMAN, "Mailman", {"bo", "gone"}),
        (ROSTER, "Mailman", set()),
    ],
)
async def test_each_tool_is_known_and_who_wants_no_mail_in_it(
    cast: Cast, work: Work, text: str, name: str, opt_outs: set[str]
) -> None:
    import_ = await rehearsed(work, cast, text)
    assert receiving.preset_words(import_) == name
    found = await fates(work, import_)
    assert {who for who, fate in found.items() if fate == Fate.OPTS_OUT} == opt_outs
    assert not import_.counts["refused"]


async def test_what_mailchimp_knows_of_people_comes_along(house: House, cast: Cast) -> None:
    async with house.work(account=cast.amina.no) as work:
        import_ = await rehearsed(work, cast, MAILCHIMP)
        await imports.choose_basis(work, import_, basis=Basis.AGREED, evidence=EVIDENCE)
    await imports.drive(house, import_.uid)
    async with house.work(reading=True) as work:
        ana = await subscribers.by_address(work, "ana@example.org")
        assert ana
        assert (ana.time_zone, ana.country, ana.region) == ("Europe/Paris", "FR", "IDF")
        [record, *_] = [
            one for one in await consents.records_of(work, ana.no) if one.channel == "email"
        ]
        assert (record.at.isoformat(), record.import_no) == (
            "2024-03-09T18:01:22+00:00",
            import_.no,
        )
        phone = await phones.of(work, ana.no)
        assert phone
        assert phones.opened(work, phone) == "+33612345678"


async def test_a_tag_with_a_comma_in_it_is_refused_and_said(cast: Cast, work: Work) -> None:
    text = MAILCHIMP.replace("Picket line", "Picket, north")
    [line] = (await store.lines(work, await rehearsed(work, cast, text))).rows
    assert (line.fate, line.why) == (Fate.REFUSED, Why.TAG_WRONG)
    assert "Picket, north" in imports.why(line)


async def test_several_groups_of_one_cell_are_all_joined(house: House, cast: Cast) -> None:
    async with house.work(account=cast.amina.no) as work:
        import_ = await rehearsed(work, cast, CIVICRM)
        assert import_.found["new_groups"] == ["Dockers", "Bakers"]
        await imports.choose_basis(work, import_, basis=Basis.AGREED, evidence=EVIDENCE)
    await imports.drive(house, import_.uid)
    async with house.work(reading=True) as work:
        ana = await subscribers.by_address(work, "ana@example.org")
        assert ana
        joined = {group.name for group in await groups.of(work, ana.no)}
        assert (joined, ana.language, ana.city) == ({"Dockers", "Bakers"}, "fr", "Lille")


async def test_who_wants_no_mail_is_dealt_with_first_and_for_good(house: House, cast: Cast) -> None:
    async with house.work(account=cast.amina.no) as work:
        import_ = await rehearsed(work, cast, LISTMONK)
        await imports.choose_basis(work, import_, basis=Basis.AGREED, evidence=EVIDENCE)
    await imports.apply_some(house, limit=10, seconds=0)
    async with house.work(reading=True) as work:
        assert await subscribers.by_address(work, "ana@example.org") is None
        bo = await subscribers.by_no(work, cast.bo.no)
        assert bo
        assert await consent.state_of(work, bo) is SubscriberState.SUPPRESSED
        standing = await consents.subscription(work, bo.no, cast.bulletin.no)
        assert standing
        assert standing.state is SubscriptionState.UNSUBSCRIBED
        gone = await subscribers.suppression(work, mark_of(work.keys, "gone@example.org"))
        assert gone
        assert gone.reason is SuppressionReason.IMPORTED
    done = (await imports.drive(house, import_.uid)).done
    assert (done["opted_out"], done["added"]) == (2, 1)


async def test_a_no_counts_wherever_it_stands_in_the_file(cast: Cast, work: Work) -> None:
    text = (
        "email,unsubscribed\nyasmin@example.org,\nyasmin@example.org,yes\nzora@example.org,maybe\n"
    )
    import_ = await rehearsed(work, cast, text)
    rows = (await store.lines(work, import_)).rows
    assert [(row.line, row.fate, row.why) for row in rows] == [
        (2, Fate.REFUSED, Why.TWICE),
        (3, Fate.OPTS_OUT, ""),
        (4, Fate.REFUSED, Why.UNKNOWN_OPT_OUT),
    ]
    assert rows[0].facts == {"first": "3"}


async def test_who_never_confirmed_elsewhere_is_asked_or_left_off(house: House, cast: Cast) -> None:
    text = "email,status\nyasmin@example.org,unconfirmed\nzora@example.org,subscribed\n"
    async with house.work(account=cast.amina.no) as work:
        import_ = await rehearsed(work, cast, text)
        await imports.choose_basis(work, import_, basis=Basis.AGREED, evidence=EVIDENCE)
    await imports.drive(house, import_.uid)
    async with house.work(reading=True) as work:
        states = {}
        for name in ("yasmin", "zora"):
            person = await subscribers.by_address(work, f"{name}@example.org")
            assert person
            states[name] = await consent.state_of(work, person)
        assert states == {"yasmin": SubscriberState.PENDING, "zora": SubscriberState.ACTIVE}


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("", False),
        ("no", False),
        ("Subscribed", False),
        ("YES", True),
        ("cleaned", True),
        ("On Hold Bounce", True),
        ("2024-05-01 10:00:00", True),
        ("désabonné", True),
        ("pending", None),
    ],
)
def test_words_for_wanting_no_mail(said: str, means: object) -> None:
    assert columns.wants_no_mail(said) is means


def test_a_word_that_we_do_not_know_is_not_taken_for_a_yes_to_mail() -> None:
    with pytest.raises(ValueError, match="whatever"):
        columns.wants_no_mail("whatever")


async def test_how_a_source_was_understood_is_remembered(cast: Cast, work: Work) -> None:
    text = "courrier,x,y\na@example.org,Lille,Dockers\n"
    proposed = []
    for _ in range(2):
        import_ = await receiving.receive(work, file_name="x", list_no=cast.bulletin.no)
        await receiving.keep_part(work, import_, 0, text.encode())
        await receiving.received(work, import_)
        proposed.append((import_.columns, import_.found["source"]))
        await receiving.understand(
            work, import_, columns=["address", "city", "group"], source="Our forms", tag="spring"
        )
    assert proposed == [(["", "", ""], ""), (["address", "city", "group"], "Our forms")]


async def test_people_without_an_address_are_taken_when_that_is_ticked(
    house: House, cast: Cast
) -> None:
    text = (
        "email,first name,group,tags\n,Nadia,Dockers,paper\n,Nadia,Dockers,paper\n,Omar,,\n,,X,\n"
    )
    async with house.work(account=cast.amina.no) as work:
        import_ = await receiving.receive(work, file_name="x", list_no=cast.bulletin.no)
        await receiving.keep_part(work, import_, 0, text.encode())
        await receiving.received(work, import_)
        await receiving.understand(
            work, import_, columns=import_.columns, format={"without_address": True}, tag="spring"
        )
    await imports.drive(house, import_.uid)
    async with house.work(account=cast.amina.no) as work:
        found = await store.by_uid(work, import_.uid)
        assert found
        rows = (await store.lines(work, found)).rows
        assert [row.why for row in rows] == ["", Why.TWICE, Why.NO_NAME, Why.NO_NAME]
        await imports.choose_basis(work, found, basis=Basis.AGREED, evidence=EVIDENCE)
    done = (await imports.drive(house, import_.uid)).done
    assert (done["added"], done["confirmed"], done["grouped"]) == (1, 0, 1)
    async with house.work(reading=True) as work:
        dockers = await groups.by_name(work, "Dockers")
        assert dockers
        [nadia] = await groups.members_of(work, dockers)
        assert (nadia.first_name, nadia.address, nadia.mark) == ("Nadia", None, None)
        assert {tag.name for tag in await tags.of(work, nadia.no)} == {"paper", "spring"}
