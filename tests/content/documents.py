"""Random newsletters and readers for Hypothesis, hostile ones included."""

from typing import Any

from hypothesis import strategies as st

from mailer.content import Facts
from tests.content.corpora import OURS
from tests.content.samples import MEDIA

TIERS = ["follower", "supporter", "activist"]

# Words as an organiser may type them: everything but what means a merge field.
WORDS = st.one_of(
    st.sampled_from([nasty for nasty in OURS if "{{" not in nasty and "\ud800" not in nasty]),
    st.text(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="{}"),
        min_size=1,
        max_size=60,
    ),
).filter(str.strip)
FIELD = st.sampled_from(
    [
        "{{ first_name|friend }}",
        '{{city|your <town> & "more"}}',
        "{{ group | your group }}",
        "{{ tier }}",
        "{{joined}}",
    ]
)
SAID = st.lists(st.one_of(WORDS, FIELD), min_size=1, max_size=4).map(" ".join)


def localised(words: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries({"en": words}, optional={"ar": words})


SENTENCE = localised(SAID)


def _links_well(markdown: str) -> bool:
    return "](" not in markdown or "](h" in markdown or "]({{" in markdown


PROSE = localised(
    st.lists(
        st.one_of(
            SAID,
            SAID.map(lambda said: f"**{said}**"),
            st.just("[leave]({{ link.unsubscribe }})"),
            st.just("[x](https://example.org/a?n={{ first_name|x y }}&b=1)"),
            st.just("- one\n- two {{ city|here }}"),
            st.just("# Big"),
            st.just("1. a\n2. b"),
            st.just("> so\n> it is"),
            st.just("<b>no html</b>"),
            st.just("---"),
        ),
        min_size=1,
        max_size=4,
    )
    .map("\n\n".join)
    .filter(_links_well)
)
CONDITION = st.one_of(
    st.none(),
    st.none(),
    st.builds(
        lambda tiers, unless: {"tiers": tiers, "unless": unless},
        st.lists(st.sampled_from(TIERS), min_size=1, max_size=2, unique=True),
        st.booleans(),
    ),
    st.builds(
        lambda states: {"ask": 12, "ask_states": states},
        st.lists(st.sampled_from(["none", "pledged", "done"]), min_size=1, max_size=2, unique=True),
    ),
    st.just({"lists": ["bulletin"]}),
    st.just({"groups": [3, 4]}),
    st.just({"languages": ["ar"]}),
    st.just({"languages": ["ar"], "unless": True}),
    st.just({"tiers": ["activist"], "groups": [3]}),
)

Strategy = st.SearchStrategy[Any]


def _block(kind: str, **fields: Strategy) -> Strategy:
    return _inner(kind, shown_to=CONDITION, **fields)


def _inner(kind: str, **fields: Strategy) -> Strategy:
    return st.fixed_dictionaries({"kind": st.just(kind), **fields})


def _answers(*meanings: str) -> Strategy:
    return st.just([{"means": m, "label": {"en": m + " & <so>"}} for m in meanings])


URL = st.sampled_from(
    [
        "https://example.org/a?b=1&c=2",
        "{{ link.preferences }}",
        "mailto:a@example.org",
        "https://example.org/?city={{ city|none }}",
    ]
)
SRC = st.sampled_from([MEDIA + "a.png", MEDIA + "b.jpg?w=1&h=2"])
RAW = st.sampled_from(
    [
        (
            '<mj-section background-color="#eeeeee"><mj-column><mj-text>'
            "Raw {{ first_name|you }} &nbsp; <b>bold</b><br/>x</mj-text>"
            '<mj-button href="https://example.org/?q={{ city|x }}">Go</mj-button></mj-column>'
            '<mj-column><mj-divider border-color="#111111"/></mj-column></mj-section>'
        ),
        (
            "<mj-section><mj-group><mj-column><mj-table><tr><td>a</td><td>{{ city|b }}</td></tr>"
            '</mj-table></mj-column><mj-column><mj-spacer height="9px"/></mj-column></mj-group>'
            "</mj-section><mj-section><mj-column>"
            '<mj-text color="#333333"></mj-text></mj-column></mj-section>'
        ),
    ]
)
INNER = st.one_of(
    _inner("heading", text=SENTENCE),
    _inner("text", markdown=PROSE),
    _inner("button", label=SENTENCE, url=URL),
    _inner("image", src=SRC, alt=SENTENCE, url=st.one_of(st.none(), URL)),
)
BLOCK = st.one_of(
    _block("heading", text=SENTENCE),
    _block("text", markdown=PROSE),
    _block("button", label=SENTENCE, url=URL),
    _block("image", src=SRC, alt=st.one_of(SENTENCE, st.just({})), url=st.one_of(st.none(), URL)),
    _block("quote", text=SENTENCE, by=SENTENCE),
    _block("divider"),
    _block("raw", mjml=RAW.map(lambda mjml: {"en": mjml}), text=SENTENCE),
    _block(
        "ask",
        ask=st.just(12),
        effort=SENTENCE,
        title=SENTENCE,
        markdown=PROSE,
        answers=_answers("pledge", "done", "help"),
    ),
    _block(
        "event", event=st.just(7), title=SENTENCE, markdown=PROSE, answers=_answers("yes", "online")
    ),
    _block(
        "columns",
        left=st.lists(INNER, min_size=1, max_size=2),
        right=st.lists(INNER, min_size=1, max_size=2),
    ),
)


def _rung(tier: str) -> dict[str, Any]:
    return {
        "tier": tier,
        "name": {"en": tier.title(), "ar": "ناشط"},
        "promise": {"en": "one email a month"},
    }


NEWSLETTER = st.fixed_dictionaries(
    {
        "subject": SENTENCE,
        "headline": SENTENCE,
        "preheader": st.one_of(SENTENCE, st.just({})),
        "issue": st.one_of(SENTENCE, st.just({})),
        "languages": st.just(["en", "ar"]),
        "layout": st.sampled_from(["poster", "letter"]),
        "brand": st.fixed_dictionaries(
            {
                "name": localised(WORDS),
                "address": localised(WORDS),
                "media": st.just(MEDIA),
                "logo": st.one_of(st.none(), st.just(MEDIA + "logo.png")),
            }
        ),
        "ladder": st.sampled_from([[], [_rung(tier) for tier in TIERS]]),
        "blocks": st.lists(BLOCK, min_size=1, max_size=7),
    }
)
VALUE = st.one_of(st.sampled_from(OURS), st.text(max_size=40), st.just("Farida"))
VALUES = st.dictionaries(
    st.sampled_from(["first_name", "last_name", "city", "group", "tier", "tier_promise", "joined"]),
    VALUE,
)
FACTS = st.builds(
    Facts,
    tier=st.sampled_from([*TIERS, "unknown"]),
    lists=st.frozensets(st.sampled_from(["bulletin", "events"])),
    groups=st.frozensets(st.integers(1, 5)),
    asks=st.dictionaries(st.just(12), st.sampled_from(["pledged", "done"])),
)
