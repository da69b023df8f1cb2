"""Making sign-up forms: what they may ask, and where they may stand."""

import pytest

from mailer.audit.store import newest
from mailer.consent import actions as consent
from mailer.fields import actions as fields
from mailer.fields.model import FieldKind
from mailer.forms import actions as forms
from mailer.forms import questions, store
from mailer.forms.actions import Wanted
from mailer.kit.i18n import speaking
from mailer.kit.texts import TextMissing
from mailer.kit.work import Work
from mailer.tags import actions as tags
from tests import makers as make
from tests.cast import Cast


def wanted(cast: Cast, **how: object) -> Wanted:
    said = {"title": {"en": "Stand with us"}, "list_no": cast.bulletin.no}
    return Wanted(**(said | how))  # type: ignore[arg-type]


async def test_a_form_is_made_open_and_its_address_never_changes(cast: Cast, work: Work) -> None:
    form = await forms.make(work, wanted(cast, asks_for=["city"], needed=["city"]))
    changed = await forms.describe(work, form, wanted(cast, title={"en": "Come along"}))

    assert (changed.slug, changed.title, changed.asks_for) == (
        "stand-with-us",
        {"en": "Come along"},
        [],
    )
    assert await store.by_slug(work, "stand-with-us") == changed
    assert await store.open_forms(work, list_no=cast.bulletin.no) == [changed]
    [described, made, *_] = (await newest(work)).rows
    assert (made.act, described.act) == ("form_made", "form_described")
    assert described.facts["fields"] == ["title", "asks_for", "needed"]


async def test_forms_of_one_title_have_addresses_of_their_own(cast: Cast, work: Work) -> None:
    slugs = [(await forms.make(work, wanted(cast))).slug for _ in range(2)]
    new = await forms.make(work, wanted(cast, title={"en": "New"}))
    assert [*slugs, new.slug] == ["stand-with-us", "stand-with-us-2", "new-2"]


async def test_it_can_ask_columns_and_public_fields_and_nothing_that_is_protected(
    cast: Cast, work: Work
) -> None:
    for name, how in {
        "Shift": {"is_public": True},
        "Note": {},
        "Faith": {"is_public": True, "is_special": True, "consent_text": {"en": "Yes."}},
    }.items():
        kind = FieldKind.YES_NO if name == "Faith" else FieldKind.TEXT
        await fields.make(work, name={"en": name, "fr": f"{name} (fr)"}, kind=kind, **how)  # type: ignore[arg-type]

    names = [one.name for one in await questions.possible(work)]

    assert names == [
        "first_name",
        "last_name",
        "city",
        "postcode",
        "group",
        "level",
        "language",
        "field:shift",
    ]
    form = await forms.make(work, wanted(cast, asks_for=["field:shift", "level", "city"]))
    with speaking("fr"):
        asked = await questions.asked_by(work, form)
    assert [(one.words, one.needed) for one in asked] == [
        ("Shift (fr)", False),
        (asked[1].words, True),  # there is no blank among the levels
        (asked[2].words, False),
    ]


async def test_a_field_that_was_closed_is_asked_no_longer(cast: Cast, work: Work) -> None:
    field = await fields.make(work, name={"en": "Shift"}, kind=FieldKind.TEXT, is_public=True)
    form = await forms.make(work, wanted(cast, asks_for=["field:shift"], needed=["field:shift"]))
    await fields.close(work, field)
    assert await questions.asked_by(work, form) == []


@pytest.mark.parametrize(
    ("how", "refusal", "field"),
    [
        ({"title": {"en": " "}}, TextMissing, "title"),
        ({"list_no": 404}, forms.ListUnknown, "list"),
        ({"tag_no": 404}, forms.TagUnknown, "tag"),
        ({"asks_for": ["address_key"]}, forms.QuestionUnknown, "asks_for"),
        (
            {"sites": ["https://e.example"] * 2 + [f"https://e{n}.example" for n in range(20)]},
            forms.TooManySites,
            "sites",
        ),
    ],
)
async def test_what_cannot_be_is_refused_at_its_field(
    cast: Cast, work: Work, how: dict[str, object], refusal: type[Exception], field: str
) -> None:
    with pytest.raises(refusal) as refused:
        await forms.make(work, wanted(cast, **how))
    assert refused.value.facts["field"] == field  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://Union.example", "https://union.example"),
        ("https://union.example/", "https://union.example"),
        ("https://union.example:8443", "https://union.example:8443"),
        ("https://xn--grve-epa.example", "https://xn--grve-epa.example"),
        ("http://localhost:8080", "http://localhost:8080"),
    ],
)
async def test_a_site_is_kept_as_its_origin(cast: Cast, work: Work, typed: str, kept: str) -> None:
    form = await forms.make(work, wanted(cast, sites=[f" {typed} ", "", typed]))
    assert form.sites == [kept]


@pytest.mark.parametrize(
    "typed",
    [
        "http://union.example",
        "union.example",
        "*",
        "https://*.union.example",
        "https://union.example/page",
        "https://union.example?x",
        "https://us@union.example",
        "https://union.example;script-src *",
        "https://union.example 'unsafe-inline'",
        "https://union.example:port",
        "https://[::1",
        "https://gréve.example",
        "javascript:alert(1)",
        "data:text/html,x",
    ],
)
async def test_what_is_no_site_gets_into_no_policy(cast: Cast, work: Work, typed: str) -> None:
    with pytest.raises(forms.SiteWrong):
        await forms.make(work, wanted(cast, sites=[typed]))


async def test_a_closed_form_can_be_opened_again(cast: Cast, work: Work) -> None:
    form = await forms.make(work, wanted(cast))
    for _ in range(2):
        await forms.close(work, form)
    assert await store.open_forms(work, list_no=cast.bulletin.no) == []
    for _ in range(2):
        form = await forms.reopen(work, form)
    assert form.closed_at is None
    acts = [line.act for line in (await newest(work)).rows]
    assert (acts.count("form_closed"), acts.count("form_reopened")) == (1, 1)


async def test_a_closed_list_and_a_closed_tag_cannot_be_chosen(cast: Cast, work: Work) -> None:
    tag = await tags.make(work, name="Picket")
    await tags.close(work, tag)
    with pytest.raises(forms.TagUnknown):
        await forms.make(work, wanted(cast, tag_no=tag.no))
    await consent.close_list(work, cast.bulletin)
    with pytest.raises(forms.ListUnknown):
        await forms.make(work, wanted(cast))


async def test_who_looks_after_some_groups_makes_no_forms(cast: Cast, work: Work) -> None:
    form = await forms.make(work, wanted(cast))
    farids = make.seen_by(work, cast.harbour, account=cast.farid.no)
    with pytest.raises(forms.FormsOutOfReach):
        await forms.make(farids, wanted(cast))
    with pytest.raises(forms.FormsOutOfReach):
        await forms.describe(farids, form, wanted(cast))
    with pytest.raises(forms.FormsOutOfReach):
        await forms.close(farids, form)
    with pytest.raises(forms.FormsOutOfReach):
        await forms.reopen(farids, form)
