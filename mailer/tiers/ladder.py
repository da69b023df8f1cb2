"""The ladder that every organisation starts with, in each language that we speak."""

from typing import Any

DEFAULT_LADDER: list[dict[str, Any]] = [
    {
        "slug": "follower",
        "rank": 1,
        "name": {"en": "Follower", "fr": "À l’écoute"},
        "often": {"en": "One email a month", "fr": "Un e-mail par mois"},
        "you_get": {
            "en": "The newsletter: what happened, what is next.",
            "fr": "La lettre d’information : ce qui s’est passé, ce qui vient.",
        },
        "we_ask": {
            "en": "Read it. Pass it on.",
            "fr": "Lisez-la. Faites-la passer.",
        },
        "most_mails": 1,
        "most_in_days": 30,
        "needs_approval": False,
        "minutes": 0,
        "lapse_days": None,
    },
    {
        "slug": "supporter",
        "rank": 2,
        "name": {"en": "Supporter", "fr": "Soutien"},
        "often": {"en": "Two emails a month", "fr": "Deux e-mails par mois"},
        "you_get": {
            "en": "The newsletter, plus asks that fit your topics.",
            "fr": "La lettre d’information, et des actions proches de ce qui vous importe.",
        },
        "we_ask": {
            "en": "One ten-minute action a month.",
            "fr": "Une action de dix minutes par mois.",
        },
        "most_mails": 2,
        "most_in_days": 30,
        "needs_approval": False,
        "minutes": 10,
        "lapse_days": None,
    },
    {
        "slug": "activist",
        "rank": 3,
        "name": {"en": "Activist", "fr": "Militant·e"},
        "often": {"en": "One email a week", "fr": "Un e-mail par semaine"},
        "you_get": {
            "en": "Briefings, training and a group near you.",
            "fr": "Des points d’information, des formations et un groupe près de chez vous.",
        },
        "we_ask": {
            "en": "One ask a fortnight, and a word on how it went.",
            "fr": "Une action tous les quinze jours, et un mot pour dire comment ça s’est passé.",
        },
        "most_mails": 1,
        "most_in_days": 7,
        "needs_approval": True,
        "minutes": 60,
        "lapse_days": 365,
    },
    {
        "slug": "organiser",
        "rank": 4,
        "name": {"en": "Organiser", "fr": "Organisateur·rice"},
        "often": {"en": "Weekly, plus calls", "fr": "Chaque semaine, et des appels"},
        "you_get": {
            "en": "Peer training, materials, and a say in what we ask next.",
            "fr": "De la formation entre pairs, du matériel, et votre mot à dire sur la suite.",
        },
        "we_ask": {
            "en": "Bring five people with you. Run one event a season.",
            "fr": "Venez avec cinq personnes. Organisez un événement par saison.",
        },
        "most_mails": 1,
        "most_in_days": 7,
        "needs_approval": True,
        "minutes": 240,
        "lapse_days": 365,
    },
]
"""Lowest first. What members read as "level": its name, how often we write, and the promise.

The higher two are asked whether they are still with us when a year has brought no sign of them.
"""
