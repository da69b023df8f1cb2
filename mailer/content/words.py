"""The few words of our own in a newsletter. They come from the message catalogues."""

from mailer.kit import i18n
from mailer.kit.i18n import _, direction, speaking

# What the words name in %(braces)s: merge fields, and what a template will put in.
_NAMED = {
    "tier": "{{ tier }}",
    "promise": "{{ tier_promise }}",
    "joined": "{{ joined }}",
    "name": "%(name)s",
    "said": "%(said)s",
}
_LEFT_TO_RIGHT = "\u200e"
_ARABIC_COMMA = frozenset("ar ckb fa ps sd ug ur".split())


def words_for(language: str) -> dict[str, str]:
    """Say them in a language, with merge fields in them; in English where we do not speak it."""
    with speaking(language):
        words = {
            "quote": _("“%(said)s”"),
            "web": _("read on the web"),
            "web_line": _("Read on the web"),
            "level": _("Your level: %(tier)s, %(promise)s."),
            "more_or_less": _("More time, or less? Two taps."),
            "here": _("You are here: %(name)s"),
            "up": _("Step up to %(name)s"),
            "up_on_request": _("Ask to step up to %(name)s"),
            "down": _("Step down to %(name)s"),
            "pause": _("Pause for 30 days"),
            "preferences": _("Topics, language, my data"),
            "forward": _("Forward safely"),
            "unsubscribe": _("Unsubscribe"),
            "because": _("You get this because you joined on %(joined)s."),
        }
        spoken = i18n.language.get()
    if direction(language) != direction(spoken):  # so that a full stop stands at the right end
        words = {name: f"{_LEFT_TO_RIGHT}{said}{_LEFT_TO_RIGHT}" for name, said in words.items()}
    comma = "، " if language.split("-", maxsplit=1)[0] in _ARABIC_COMMA else ", "
    return {name: said % _NAMED for name, said in words.items()} | {"comma": comma}


def neutral_words(language: str) -> dict[str, str]:
    """Say what stands for a field that everybody has, where there is nobody: on the web."""
    with speaking(language):
        return {
            "tier": _("your level"),
            "tier_promise": _("what you chose"),
            "joined": _("the day you joined"),
            "list": _("this list"),
        }


def have_read(language: str) -> str:
    """Say what the button of an alert says."""
    with speaking(language):
        return _("I have read this")
