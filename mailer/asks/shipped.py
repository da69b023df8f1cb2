"""What the library holds: asks from the movement, in the languages that we speak.

They come from two texts: what an anti-racism network of trade unionists said at its launch, and the
pledge page of a labour alliance of Asian Americans.
"""

import msgspec

from mailer.asks.model import AskFor, Evidence, Turn
from mailer.kit.orm import Localised


class Shipped(msgspec.Struct, frozen=True, kw_only=True):
    """One ask of the library. Whom to turn to is never in it: that is the organisation's own."""

    key: str
    title: Localised
    why: Localised
    text: Localised
    minutes: int | None = None
    audience: tuple[AskFor, ...] = ()
    unit: Localised = {}
    target: int | None = None
    turn: Turn = Turn.ONCE
    repeat_days: int | None = None
    risk: Localised = {}
    rights: Localised = {}
    evidence: Evidence = Evidence.NONE
    needs_support: bool = False


_AT_WORK_RISK: Localised = {
    "en": (
        "Not every employer takes this well. Do it with a colleague, and talk to us first if you "
        "are on a temporary contract or your visa depends on your job."
    ),
    "fr": (
        "Tous les employeurs ne le prennent pas bien. Faites-le avec un ou une collègue, et "
        "parlez-nous-en d’abord si votre contrat est temporaire ou si votre visa dépend de votre "
        "emploi."
    ),
}
_AT_WORK_RIGHTS: Localised = {
    "en": (
        "You may talk with colleagues about working conditions, and about joining a union.\n"
        "You need not answer questions about who else takes part.\n"
        "Write down what is said to you, with the day and who was there.\n"
        "Sign nothing on the spot. Ask for time, and for somebody to come with you.\n"
        "The law differs from place to place: ask whom we name here before you rely on it."
    ),
    "fr": (
        "Vous avez le droit de parler avec vos collègues des conditions de travail et de "
        "l’adhésion à un syndicat.\n"
        "Vous n’avez pas à dire qui d’autre participe.\n"
        "Notez ce qu’on vous dit, avec le jour et les personnes présentes.\n"
        "Ne signez rien sur-le-champ. Demandez du temps, et que quelqu’un vous accompagne.\n"
        "La loi varie d’un lieu à l’autre : demandez à la personne indiquée ici avant de vous y "
        "fier."
    ),
}

LIBRARY: tuple[Shipped, ...] = (
    Shipped(
        key="bring-five",
        title={
            "en": "Bring five colleagues into the network",
            "fr": "Faites venir cinq collègues dans le réseau",
        },
        why={
            "en": "A network grows by people who know each other, one conversation at a time.",
            "fr": "Un réseau grandit par des gens qui se connaissent, une conversation à la fois.",
        },
        text={
            "en": (
                "Think of five people at work who have said that something is unfair.\n"
                "Talk with each of them alone, and listen more than you speak.\n"
                "Send those who want it the link to our sign-up page.\n"
                "Tell us how many joined."
            ),
            "fr": (
                "Pensez à cinq personnes au travail qui ont dit que quelque chose est injuste.\n"
                "Parlez avec chacune seul à seul, et écoutez plus que vous ne parlez.\n"
                "Envoyez à celles qui le veulent le lien de notre page d’inscription.\n"
                "Dites-nous combien se sont inscrites."
            ),
        },
        minutes=60,
        unit={"en": "people who joined", "fr": "personnes inscrites"},
    ),
    Shipped(
        key="racial-literacy",
        title={
            "en": "Hold an hour of racial literacy at your workplace",
            "fr": "Organisez une heure sur le racisme dans votre lieu de travail",
        },
        why={
            "en": "People who share the words for what happens can act on it together.",
            "fr": "Quand on partage les mots pour ce qui arrive, on peut agir ensemble.",
        },
        text={
            "en": (
                "Choose a lunch break and a room, and invite your team.\n"
                "We send you the slides and set questions, and call you before.\n"
                "Let people talk in pairs first, then all together.\n"
                "Tell us how many came, and what they want next."
            ),
            "fr": (
                "Choisissez une pause de midi et une salle, et invitez votre équipe.\n"
                "Nous vous envoyons les supports et les questions, et nous vous appelons avant.\n"
                "Laissez d’abord parler deux par deux, puis tous ensemble.\n"
                "Dites-nous combien sont venus, et ce qu’ils veulent ensuite."
            ),
        },
        minutes=180,
        audience=(AskFor.REP, AskFor.BRANCH),
        unit={"en": "people who came", "fr": "personnes présentes"},
        evidence=Evidence.NOTE,
        needs_support=True,
    ),
    Shipped(
        key="train-a-peer",
        title={
            "en": "Teach two people what you have learned",
            "fr": "Transmettez à deux personnes ce que vous avez appris",
        },
        why={
            "en": "Peers teach peers: so nobody is the only one who knows how.",
            "fr": "On apprend entre pairs : ainsi personne n’est seul à savoir faire.",
        },
        text={
            "en": (
                "Choose one thing you can do: run a meeting, speak with managers, make a leaflet.\n"
                "Show it to two people, let them do it, and be there when they do.\n"
                "Ask each of them to teach two more."
            ),
            "fr": (
                "Choisissez une chose que vous savez faire : animer une réunion, parler à un "
                "responsable, écrire un tract.\n"
                "Montrez-la à deux personnes, laissez-les faire, et soyez là à ce moment.\n"
                "Demandez à chacune de la transmettre à deux autres."
            ),
        },
        minutes=120,
        unit={"en": "people trained", "fr": "personnes formées"},
        turn=Turn.REPEAT,
        repeat_days=90,
    ),
    Shipped(
        key="share-plans",
        title={
            "en": "Tell us what your group is planning",
            "fr": "Dites-nous ce que prépare votre groupe",
        },
        why={
            "en": "When we know in time, all of us can make your action larger.",
            "fr": "Si nous le savons à temps, nous pouvons tous amplifier votre action.",
        },
        text={
            "en": (
                "Write in a few lines what you plan in the next two months: what, where, when.\n"
                "Say what would help: speakers, people, a translation, a room."
            ),
            "fr": (
                "Écrivez en quelques lignes ce que vous préparez pour les deux prochains mois : "
                "quoi, où, quand.\n"
                "Dites ce qui vous aiderait : des intervenants, du monde, une traduction, une "
                "salle."
            ),
        },
        minutes=10,
        audience=(AskFor.BRANCH, AskFor.FEDERATION, AskFor.ALLY),
        turn=Turn.REPEAT,
        repeat_days=60,
        evidence=Evidence.NOTE,
    ),
    Shipped(
        key="share-resources",
        title={
            "en": "Share a room, money or a facilitator",
            "fr": "Partagez une salle, de l’argent ou une personne qui anime",
        },
        why={
            "en": "Some groups have much and some have little. Together there is enough.",
            "fr": "Certains groupes ont beaucoup, d’autres peu. Ensemble, il y a assez.",
        },
        text={
            "en": (
                "Ask in your group what you could lend: a room, a printer, interpreters, an hour "
                "of somebody who runs meetings well.\n"
                "Write it down here. We bring it to a group that needs it."
            ),
            "fr": (
                "Demandez dans votre groupe ce que vous pourriez prêter : une salle, une "
                "imprimante, des interprètes, une heure de quelqu’un qui anime bien.\n"
                "Écrivez-le ici. Nous le proposons à un groupe qui en a besoin."
            ),
        },
        minutes=30,
        audience=(AskFor.BRANCH, AskFor.FEDERATION, AskFor.ALLY),
        evidence=Evidence.NOTE,
    ),
    Shipped(
        key="resolution",
        title={
            "en": "Bring a resolution to your branch",
            "fr": "Portez une résolution dans votre section",
        },
        why={
            "en": "What a branch has voted for it can be held to, and others can follow.",
            "fr": "Ce qu’une section a voté l’engage, et d’autres peuvent la suivre.",
        },
        text={
            "en": (
                "Take the model resolution that we send you, and make it yours.\n"
                "Find somebody to second it, and put it on the agenda.\n"
                "Speak to it: why, what it asks for, who does it by when.\n"
                "Send us the link or the words of what was passed."
            ),
            "fr": (
                "Prenez le modèle que nous vous envoyons et adaptez-le.\n"
                "Trouvez quelqu’un pour l’appuyer, et faites-le inscrire à l’ordre du jour.\n"
                "Défendez-le : pourquoi, ce qu’il demande, qui le fait et quand.\n"
                "Envoyez-nous le lien ou le texte de ce qui a été voté."
            ),
        },
        minutes=240,
        audience=(AskFor.MEMBER, AskFor.REP, AskFor.BRANCH),
        evidence=Evidence.LINK,
        needs_support=True,
    ),
    Shipped(
        key="federation-committee",
        title={
            "en": "Found a racial justice committee in your federation",
            "fr": "Créez une commission contre le racisme dans votre fédération",
        },
        why={
            "en": "What is nobody’s task is not done. A committee has people, days and a budget.",
            "fr": "Ce qui n’est la tâche de personne n’est pas fait. Une commission a des gens, "
            "des dates et un budget.",
        },
        text={
            "en": (
                "Put it to your executive, with the model terms that we send you.\n"
                "See that members who live it lead it, and that their time is paid.\n"
                "Agree on three things to do in the first year, and tell us which."
            ),
            "fr": (
                "Proposez-la à votre bureau, avec le modèle que nous vous envoyons.\n"
                "Veillez à ce que les personnes concernées la dirigent, et que leur temps soit "
                "payé.\n"
                "Convenez de trois choses à faire la première année, et dites-nous lesquelles."
            ),
        },
        minutes=600,
        audience=(AskFor.FEDERATION,),
        evidence=Evidence.VERIFIED,
        needs_support=True,
    ),
    Shipped(
        key="membership-data",
        title={
            "en": "Find out whom your union reaches, and whom it does not",
            "fr": "Sachez qui votre syndicat touche, et qui il ne touche pas",
        },
        why={
            "en": "Members who are not counted are not planned for.",
            "fr": "On ne prévoit rien pour les membres que l’on ne compte pas.",
        },
        text={
            "en": (
                "Ask members how they describe themselves, in their own words and by free choice.\n"
                "Publish counts only, and none of fewer than five people.\n"
                "Compare them with your sector, and bring what you see to your next meeting."
            ),
            "fr": (
                "Demandez aux membres comment ils se décrivent, avec leurs mots et s’ils le "
                "veulent.\n"
                "Ne publiez que des nombres, et aucun de moins de cinq personnes.\n"
                "Comparez-les à votre secteur, et présentez ce que vous voyez à la prochaine "
                "réunion."
            ),
        },
        minutes=480,
        audience=(AskFor.FEDERATION, AskFor.BRANCH),
        evidence=Evidence.NOTE,
        needs_support=True,
    ),
    Shipped(
        key="translate",
        title={
            "en": "Translate a leaflet for your colleagues",
            "fr": "Traduisez un tract pour vos collègues",
        },
        why={
            "en": "People trust what is said in the language they think in.",
            "fr": "On fait confiance à ce qui est dit dans la langue où l’on pense.",
        },
        text={
            "en": (
                "Tell us your language, and we send you one page.\n"
                "Translate it as you would say it at work, not word for word.\n"
                "Let one colleague read it, and send it back."
            ),
            "fr": (
                "Dites-nous votre langue, et nous vous envoyons une page.\n"
                "Traduisez-la comme vous la diriez au travail, pas mot à mot.\n"
                "Faites-la relire par un ou une collègue, et renvoyez-la."
            ),
        },
        minutes=90,
        unit={"en": "pages translated", "fr": "pages traduites"},
        turn=Turn.REPEAT,
        repeat_days=30,
        needs_support=True,
    ),
    Shipped(
        key="rights-cards",
        title={
            "en": "Hand out rights cards to migrant workers",
            "fr": "Distribuez des cartes de droits aux travailleuses et travailleurs migrants",
        },
        why={
            "en": "Whoever knows their rights when the door opens can use them.",
            "fr": "Qui connaît ses droits quand la porte s’ouvre peut s’en servir.",
        },
        text={
            "en": (
                "Order the cards from us, in the languages of your workplace.\n"
                "Hand them over in person, and never ask anybody for their papers.\n"
                "Keep no list of who took one.\n"
                "Tell us how many you gave."
            ),
            "fr": (
                "Commandez-nous les cartes, dans les langues de votre lieu de travail.\n"
                "Donnez-les en main propre, et ne demandez jamais ses papiers à personne.\n"
                "Ne gardez aucune liste de qui en a pris.\n"
                "Dites-nous combien vous en avez donné."
            ),
        },
        minutes=60,
        unit={"en": "cards handed out", "fr": "cartes distribuées"},
        risk=_AT_WORK_RISK,
        rights=_AT_WORK_RIGHTS,
        needs_support=True,
    ),
    Shipped(
        key="speak-up",
        title={
            "en": "Speak up when you hear a racist remark at work",
            "fr": "Réagissez quand vous entendez un propos raciste au travail",
        },
        why={
            "en": "Silence sounds like agreement. One calm sentence changes the room.",
            "fr": "Le silence passe pour un accord. Une phrase calme change tout.",
        },
        text={
            "en": (
                "Say what you heard, and that you do not share it.\n"
                "Ask the person it was aimed at what they want, and do that.\n"
                "Write down the day, the words and who was there.\n"
                "Report each time here: it is how we see where help is needed."
            ),
            "fr": (
                "Dites ce que vous avez entendu, et que vous n’êtes pas d’accord.\n"
                "Demandez à la personne visée ce qu’elle souhaite, et faites-le.\n"
                "Notez le jour, les mots et les personnes présentes.\n"
                "Signalez-le ici chaque fois : nous voyons ainsi où il faut de l’aide."
            ),
        },
        minutes=5,
        turn=Turn.STANDING,
        risk=_AT_WORK_RISK,
        rights=_AT_WORK_RIGHTS,
    ),
    Shipped(
        key="call-three",
        title={
            "en": "Call three people who have gone quiet",
            "fr": "Appelez trois personnes dont on n’a plus de nouvelles",
        },
        why={
            "en": "A network lives by follow-ups: people come back to people.",
            "fr": "Un réseau vit de ses suivis : on revient vers des gens.",
        },
        text={
            "en": (
                "We give you three names of your group and a short sheet.\n"
                "Ask how they are before you ask for anything.\n"
                "Write down what they would like to do, and what is in the way."
            ),
            "fr": (
                "Nous vous donnons trois noms de votre groupe et une courte fiche.\n"
                "Demandez comment ils vont avant de demander quoi que ce soit.\n"
                "Notez ce qu’ils aimeraient faire, et ce qui les en empêche."
            ),
        },
        minutes=45,
        audience=(AskFor.MEMBER, AskFor.REP, AskFor.BRANCH),
        unit={"en": "people reached", "fr": "personnes jointes"},
        turn=Turn.REPEAT,
        repeat_days=30,
        needs_support=True,
    ),
    Shipped(
        key="facilitate",
        title={
            "en": "Facilitate a break-out group at the next meeting",
            "fr": "Animez un petit groupe à la prochaine réunion",
        },
        why={
            "en": "In a small group everybody speaks, and the quiet have the best ideas.",
            "fr": "En petit groupe, tout le monde parle, et les plus discrets ont de bonnes idées.",
        },
        text={
            "en": (
                "You get the set questions and a call beforehand.\n"
                "See that each person speaks once before anybody speaks twice.\n"
                "Bring back three sentences: what we agree on, what we ask for, who does it."
            ),
            "fr": (
                "Vous recevez les questions et un appel avant la réunion.\n"
                "Veillez à ce que chacun parle une fois avant que quelqu’un parle deux fois.\n"
                "Rapportez trois phrases : ce qui nous réunit, ce que nous demandons, qui le fait."
            ),
        },
        minutes=120,
        evidence=Evidence.NOTE,
        needs_support=True,
    ),
    Shipped(
        key="write-to-representative",
        title={
            "en": "Write to your representative against the criminalisation of solidarity",
            "fr": "Écrivez à votre élu ou élue contre la criminalisation de la solidarité",
        },
        why={
            "en": "Twenty letters in one week are read out in an office. Two are not.",
            "fr": "Vingt lettres en une semaine se lisent à haute voix au bureau. Deux, non.",
        },
        text={
            "en": (
                "Take our draft and put one sentence of your own at the beginning.\n"
                "Ask for an answer by a day, and for one thing that they can do.\n"
                "Tell us what they answered."
            ),
            "fr": (
                "Prenez notre modèle et ajoutez une phrase à vous au début.\n"
                "Demandez une réponse pour une date, et une chose qu’ils peuvent faire.\n"
                "Dites-nous ce qu’ils ont répondu."
            ),
        },
        minutes=10,
        evidence=Evidence.NOTE,
    ),
    Shipped(
        key="invite-allies",
        title={
            "en": "Invite a community group to work with your union",
            "fr": "Invitez une association à travailler avec votre syndicat",
        },
        why={
            "en": "Wages, rents, borders and the climate are one struggle. Allies know the rest.",
            "fr": "Salaires, loyers, frontières, climat : une seule lutte. Nos alliés en savent "
            "le reste.",
        },
        text={
            "en": (
                "Find a group near you that works on what your colleagues worry about.\n"
                "Go to one of their meetings before you invite them to yours.\n"
                "Agree on one thing to do together, and introduce them to us."
            ),
            "fr": (
                "Trouvez près de chez vous un groupe qui agit sur ce qui inquiète vos collègues.\n"
                "Allez à une de leurs réunions avant de les inviter à la vôtre.\n"
                "Convenez d’une chose à faire ensemble, et présentez-nous ce groupe."
            ),
        },
        minutes=120,
        audience=(AskFor.MEMBER, AskFor.REP, AskFor.BRANCH, AskFor.ALLY),
        evidence=Evidence.NOTE,
    ),
    Shipped(
        key="found-a-chapter",
        title={
            "en": "Found a chapter where there is none",
            "fr": "Fondez une section là où il n’y en a pas",
        },
        why={
            "en": "Whoever looks for us near them should find somebody.",
            "fr": "Qui nous cherche près de chez soi doit trouver quelqu’un.",
        },
        text={
            "en": (
                "Find three people who want it, and a day each month.\n"
                "We call you, help with the first meeting, and put you on the map.\n"
                "Choose a contact whom newcomers can ask."
            ),
            "fr": (
                "Trouvez trois personnes qui le veulent, et un jour par mois.\n"
                "Nous vous appelons, aidons pour la première réunion, et vous mettons sur la "
                "carte.\n"
                "Choisissez une personne à qui les nouveaux peuvent s’adresser."
            ),
        },
        minutes=300,
        evidence=Evidence.VERIFIED,
        needs_support=True,
    ),
)
