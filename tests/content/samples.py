"""The newsletter of the mock-up, in three languages, and its reader Farida."""

import email
import email.policy
from collections.abc import Mapping
from copy import deepcopy
from email.message import EmailMessage
from typing import Any

import msgspec

from mailer.content import Brand, CompiledCampaign, Envelope, Facts, Newsletter, Reader
from mailer.content.compiler import compile_newsletter

NOW = 1_700_000_000
MEDIA = "https://roll.example.org/media/"

MOCKUP: dict[str, Any] = {
    "subject": {
        "en": "{{ first_name|Friend }}, 968 letters. Here is what they moved",
        "fr": "{{ first_name|Bonjour }}, 968 lettres : voilà ce qu’elles ont changé",
        "ar": "{{ first_name|صديقنا }}، 968 رسالة وهذا ما حركته",
    },
    "headline": {
        "en": "The right to work is everyone’s fight",
        "fr": "Le droit au travail est le combat de toutes et tous",
        "ar": "الحق في العمل معركة الجميع",
    },
    "preheader": {
        "en": "And one thing to do before the 18th: ten minutes, from your phone.",
        "fr": "Et une chose à faire avant le 18 : dix minutes, depuis votre téléphone.",
        "ar": "وشيء واحد نفعله قبل الثامن عشر: عشر دقائق من هاتفك.",
    },
    "issue": {"en": "No. 42", "fr": "Nº 42", "ar": "العدد 42"},
    "languages": ["en", "fr", "ar"],
    "brand": {
        "name": {"en": "Solidarity Network", "fr": "Réseau Solidarité", "ar": "شبكة التضامن"},
        "address": {"en": "The Weavers’ Hall, 14 Mill Lane, Northgate"},
        "media": MEDIA,
    },
    "ladder": [
        {
            "tier": "follower",
            "name": {"en": "Follower", "fr": "Proche", "ar": "متابع"},
            "promise": {
                "en": "one email a month",
                "fr": "un courriel par mois",
                "ar": "رسالة واحدة في الشهر",
            },
        },
        {
            "tier": "supporter",
            "name": {"en": "Supporter", "fr": "Soutien", "ar": "مساند"},
            "promise": {
                "en": "two emails a month",
                "fr": "deux courriels par mois",
                "ar": "رسالتان في الشهر",
            },
        },
        {
            "tier": "activist",
            "name": {"en": "Activist", "fr": "Militant·e", "ar": "ناشط"},
            "promise": {
                "en": "one email a week",
                "fr": "un courriel par semaine",
                "ar": "رسالة في الأسبوع",
            },
            "on_request": True,
        },
    ],
    "blocks": [
        {
            "kind": "text",
            "markdown": {
                "en": "Dear {{ first_name|friend }},\n\n"
                "In six weeks we sent **968 letters** about the ban that keeps people seeking"
                " asylum out of work. Eleven representatives have answered, and four have asked"
                " for a meeting.\n\nWhen people may not work, employers who cheat on wages find"
                " them anyway. Lifting the ban protects every wage in the building.",
                "fr": "{{ first_name|Bonjour }},\n\nEn six semaines nous avons envoyé **968"
                " lettres** contre l’interdiction qui tient les demandeurs d’asile hors du"
                " travail. Onze élus ont répondu, quatre demandent une rencontre.",
                "ar": "عزيزتنا {{ first_name|الصديقة }}،\n\nفي ستة أسابيع أرسلنا **968 رسالة** ضد"
                " الحظر الذي يمنع طالبي اللجوء من العمل. أجاب أحد عشر ممثلًا، وطلب أربعة لقاءً.",
            },
        },
        {
            "kind": "ask",
            "ask": 12,
            "shown_to": {"ask": 12, "ask_states": ["none", "pledged"]},
            "effort": {
                "en": "The ask: 10 minutes, by 18 June",
                "fr": "À faire : 10 minutes, avant le 18 juin",
                "ar": "المطلوب: عشر دقائق قبل 18 حزيران",
            },
            "title": {
                "en": "Write to your representative",
                "fr": "Écrivez à votre élu·e",
                "ar": "اكتبوا إلى ممثلكم",
            },
            "markdown": {
                "en": "Use our letter or your own words. 1,655 people have pledged; 687 are still"
                " to write.",
                "fr": "Avec notre lettre ou vos propres mots. 1 655 personnes se sont engagées.",
                "ar": "استعملوا رسالتنا أو كلماتكم. تعهد 1655 شخصًا، وبقي 687.",
            },
            "answers": [
                {
                    "means": "pledge",
                    "label": {"en": "I’ll do it", "fr": "Je le ferai", "ar": "سأفعل"},
                },
                {
                    "means": "done",
                    "label": {"en": "I’ve done it", "fr": "C’est fait", "ar": "فعلت"},
                },
                {
                    "means": "help",
                    "label": {
                        "en": "I need help",
                        "fr": "J’ai besoin d’aide",
                        "ar": "أحتاج مساعدة",
                    },
                },
            ],
        },
        {
            "kind": "quote",
            "text": {
                "en": "We stopped asking who is the most oppressed in the room, and asked who has"
                " a hall, a van and a printer.",
                "fr": "Nous avons demandé qui a une salle, une camionnette et une imprimante.",
                "ar": "توقفنا عن السؤال من هو الأكثر اضطهادًا، وسألنا من عنده قاعة وطابعة.",
            },
            "by": {"en": "Rosa, Northgate Trades Council"},
        },
        {
            "kind": "event",
            "event": 7,
            "title": {
                "en": "Network assembly: what we do next",
                "fr": "Assemblée du réseau : la suite",
                "ar": "اجتماع الشبكة: ماذا بعد",
            },
            "markdown": {
                "en": "Saturday 20 June, 11:00 to 16:00. The Weavers’ Hall, Northgate, and online."
                " Interpreting, crèche, step-free.",
                "fr": "Samedi 20 juin, de 11 h à 16 h. The Weavers’ Hall, Northgate, et en ligne.",
                "ar": "السبت 20 حزيران من 11 إلى 16. قاعة النساجين وعبر الإنترنت.",
            },
            "answers": [
                {"means": "yes", "label": {"en": "I’ll be there", "fr": "J’y serai"}},
                {"means": "online", "label": {"en": "I’ll join online", "fr": "En ligne"}},
            ],
        },
    ],
}
ENVELOPE = Envelope(
    from_name="Solidarity Network",
    from_address="news@roll.example.org",
    domain="roll.example.org",
    list_name="Bulletin",
    list_id="bulletin.roll.example.org",
    campaign="c42",
)


BRAND = Brand(
    name={"en": "Solidarity Network"},
    address={"en": "14 Mill Lane, Northgate"},
    media=MEDIA,
)

# A frame for MJML by hand.
COLUMN = "<mj-section><mj-column>{}</mj-column></mj-section>"
TEXT = COLUMN.format("<mj-text>{}</mj-text>")


def mockup(**changes: Any) -> Newsletter:
    return msgspec.convert({**deepcopy(MOCKUP), **changes}, Newsletter)


def with_block(**block: Any) -> Newsletter:
    """The mock-up in English with one block of one's own."""
    return mockup(languages=["en"], blocks=[block])


def compiled(newsletter: Newsletter) -> CompiledCampaign:
    return CompiledCampaign(ENVELOPE, compile_newsletter(newsletter))


TOKEN = "AQAAAAEAAAAqZk9yX0ZhcmlkYQ"


def links(token: str = TOKEN) -> dict[str, str]:
    names = [
        *("unsubscribe", "preferences", "pause", "web", "forward"),
        *(f"tier.{tier}" for tier in ("follower", "supporter", "activist", "organiser")),
        *(f"ask.{ask}.{answer}" for ask in (12, 13) for answer in ("pledge", "done", "help")),
        *(f"event.7.{answer}" for answer in ("yes", "online", "no")),
    ]
    return {
        f"link.{name}": f"https://roll.example.org/l/{token}{n:02}" for n, name in enumerate(names)
    }


FARIDA = {
    "first_name": "Farida",
    "last_name": "Haddad",
    "city": "Northgate",
    "tier": "Supporter",
    "tier_promise": "two emails a month",
    "joined": "12 March 2025",
    "list": "Bulletin",
    **links(),
}


def farida(values: Mapping[str, str] | None = None, facts: Facts | None = None) -> Reader:
    """Farida, as she is or with other values."""
    return Reader(
        address="farida@example.net",
        message_id="d42.1.1001.k3JxQ9",
        unsubscribe_url="https://roll.example.org/u/AQAAAAEAAAAqZk9y",
        facts=facts or Facts(tier="supporter"),
        values={**FARIDA, **(values or {})},
    )


def parse(wire: bytes) -> EmailMessage:
    return email.message_from_bytes(wire, policy=email.policy.default)


def html_of(wire: bytes) -> str:
    return part_of(parse(wire), "html")


def text_of(wire: bytes) -> str:
    return part_of(parse(wire), "plain")


def part_of(parsed: EmailMessage, kind: str) -> str:
    part = parsed.get_body((kind,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content()).replace("\r\n", "\n")
