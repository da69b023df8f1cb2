"""What the columns of a file become: known by their headings, and by who wrote the file.

Headings are known in English and French. Exports of five other tools are known by the names of
their columns, and what they say of people who want no mail is understood with them.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence

import msgspec

SEVERAL = frozenset({"tags", "group", "opt_out", ""})
"""What more than one column may become."""

DETAILS = ("first_name", "last_name", "city", "postcode", "region", "country", "time_zone")

COLUMNS = (
    "address",
    "first_name",
    "last_name",
    "name",
    "tier",
    "language",
    "group",
    "group_roles",
    "tags",
    "city",
    "postcode",
    "region",
    "country",
    "time_zone",
    "phone",
    "opt_out",
    "agreed_at",
    "source",
    "",
)
"""What a column may become, besides `field:<slug>`; "" is left out."""

_HEADINGS = {
    "address": "email emailaddress emailaddresses mail mailaddress courriel adressecourriel"
    " adresseemail adressemail adresseelectronique adressedecourriel email1 primaryemail",
    "first_name": "firstname first forename givenname prenom prenoms",
    "last_name": "lastname last surname familyname nomdefamille",
    "name": "name fullname wholename yourname displayname nomcomplet nometprenom prenometnom"
    " prenomnom nom",
    "tier": "tier level levelofengagement engagement rung niveau niveaudengagement palier",
    "language": "language lang preferredlanguage languagecode langue locale",
    "group": "group groups branch section chapter local groupe groupes syndicat union organisation"
    " organization org",
    "group_roles": "grouproles rolesingroups rolesdanslesgroupes",
    "tags": "tag tags label labels etiquette etiquettes motscles",
    "city": "city town place ville commune localite lieu municipality",
    "postcode": "postcode postalcode zip zipcode plz codepostal",
    "region": "region state province county departement stateprovince",
    "country": "country countrycode pays",
    "time_zone": "timezone tz fuseauhoraire",
    "phone": "phone phonenumber telephone mobile mobilenumber mobilephone tel portable",
    "opt_out": "optout optedout unsubscribed unsubscribedat donotemail nomail desabonne desinscrit",
    "agreed_at": "agreedat consentedat consentdate optintime confirmtime dateduconsentement"
    " consentile",
    "source": "source origin origine",
}
# A heading that may mean something else is taken only where nothing better stands.
_PERHAPS = {"address": "address adresse contact", "opt_out": "status statut"}


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """The export of another tool: what tells it, and what its columns become.

    Headings are as `plain` writes them. `parted_by` parts several tags or groups in one cell.
    """

    name: str
    words: str  # the tool's own name
    tells: tuple[frozenset[str], ...]  # all headings of one of these sets
    becomes: Mapping[str, str]
    parted_by: str = ";"


def _sets(*sets: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(one.split()) for one in sets)


PRESETS = (
    Preset(
        name="mailchimp",
        words="Mailchimp",
        tells=_sets("emailaddress memberrating", "emailaddress leid euid"),
        # UNSUB_TIME and CLEAN_TIME stand in the files of those who left or bounced, and only there.
        becomes={
            "emailaddress": "address",
            "firstname": "first_name",
            "lastname": "last_name",
            "phonenumber": "phone",
            "phone": "phone",
            "address": "",
            "confirmtime": "agreed_at",
            "optintime": "",
            "timezone": "time_zone",
            "cc": "country",
            "region": "region",
            "tags": "tags",
            "unsubtime": "opt_out",
            "cleantime": "opt_out",
            "status": "opt_out",
            "memberrating": "",
        },
        parted_by=",",
    ),
    Preset(
        name="listmonk",
        words="listmonk",
        tells=_sets("uuid email name attributes status", "uuid email name attribs status"),
        becomes={"email": "address", "name": "name", "status": "opt_out"},
    ),
    Preset(
        name="action_network",
        words="Action Network",
        tells=_sets("email can2subscriptionstatus", "email can2usertags"),
        becomes={
            "email": "address",
            "firstname": "first_name",
            "lastname": "last_name",
            "zipcode": "postcode",
            "can2usercity": "city",
            "can2stateabbreviated": "region",
            "country": "country",
            "language": "language",
            "can2phone": "phone",
            "can2subscriptionstatus": "opt_out",
            "can2usertags": "tags",
        },
        parted_by=",",
    ),
    Preset(
        name="civicrm",
        words="CiviCRM",
        tells=_sets(
            "contactid email donotemail",
            "contactid email onhold",
            "email donotemail isoptout",
            "email donotemail donotphone",
            "email nobulkemailsuseroptout",
        ),
        becomes={
            "email": "address",
            "firstname": "first_name",
            "lastname": "last_name",
            "city": "city",
            "postalcode": "postcode",
            "state": "region",
            "stateprovince": "region",
            "country": "country",
            "preferredlanguage": "language",
            "phone": "phone",
            "donotemail": "opt_out",
            "isoptout": "opt_out",
            "nobulkemails": "opt_out",
            "nobulkemailsuseroptout": "opt_out",
            "onhold": "opt_out",
            "emailonhold": "opt_out",
            "groups": "group",
            "tags": "tags",
            "source": "source",
            "contactsource": "source",
        },
        parted_by=",",
    ),
    Preset(
        name="mailman",
        words="Mailman",
        tells=_sets("address deliverystatus", "email deliverystatus", "address deliverymode"),
        becomes={
            "address": "address",
            "email": "address",
            "displayname": "name",
            "realname": "name",
            "preferredlanguage": "language",
            "language": "language",
            "deliverystatus": "opt_out",
        },
    ),
)


def plain(words: str) -> str:
    """Leave letters and digits, in lower case and without accents, to compare headings by."""
    parts = unicodedata.normalize("NFKD", words.casefold())
    return "".join(letter for letter in parts if letter.isalnum())


KNOWN = frozenset(
    {
        heading
        for names in (_HEADINGS, _PERHAPS)
        for words in names.values()
        for heading in words.split()
    }
    | {heading for preset in PRESETS for heading in preset.becomes}
)
"""All headings that we know, as `plain` writes them."""


def preset_of(headings: Sequence[str]) -> Preset | None:
    """Find the tool that wrote a file, by its headings."""
    there = {plain(heading) for heading in headings}
    return next(
        (preset for preset in PRESETS if any(wanted <= there for wanted in preset.tells)), None
    )


def guess(headings: Sequence[str], fields: Mapping[str, Collection[str]]) -> list[str]:
    """Propose what each column becomes; the first of two equals counts.

    `fields` are the slugs of our own fields with what each may be called.
    """
    preset = preset_of(headings)
    plain_ones = [plain(heading) for heading in headings]
    columns = [""] * len(headings)
    if preset is not None:
        for at, heading in enumerate(plain_ones):
            becomes = preset.becomes.get(heading, "")
            if becomes in SEVERAL or becomes not in columns:
                columns[at] = becomes
    taken = preset.becomes if preset else {}
    for names in (_HEADINGS, _PERHAPS):
        for becomes, words in names.items():
            _take(columns, plain_ones, becomes, [one for one in words.split() if one not in taken])
    if "first_name" in columns and "name" in columns:
        # French files say “prénom” and “nom”: the second is then the family name.
        whole = columns.index("name")
        columns[whole] = "" if "last_name" in columns else "last_name"
    for slug, spelt in fields.items():
        wanted = [plain(words) for words in (f"field:{slug}", slug, *spelt)]
        _take(columns, plain_ones, f"field:{slug}", [one for one in wanted if one not in taken])
    return columns


def _take(columns: list[str], headings: list[str], becomes: str, words: Sequence[str]) -> None:
    if becomes in columns and becomes not in {"tags", "group", "opt_out"}:
        return
    for at, heading in enumerate(headings):
        if heading in words and not columns[at]:
            columns[at] = becomes
            if becomes not in {"tags", "group", "opt_out"}:
                return


# --- wanting no mail ----------------------------------------------------------------------------

_NO_MAIL = frozenset(
    "yes y true t 1 2 x on oui o vrai ja si sí sim"
    " unsubscribed unsubscribe optout optedout cleaned bounced bouncing hardbounced spam"
    " complained complaint spamcomplaint blocklisted blacklisted blocked suppressed disabled"
    " banned removed left deleted donotemail invalid undeliverable archived"
    " byuser bybounces bymoderator onholdbounce onholdoptout holdbounce holdoptout"
    " desabonne desinscrit".split()
)
_MAIL = frozenset(
    "no n false f 0 off non faux nein nao não none"
    " subscribed subscribe active enabled confirmed ok valid member regular optin optedin"
    " abonne inscrit".split()
)
_NEVER_AGREED = frozenset(
    "unconfirmed pending nonsubscribed transactional notsubscribed unknown unsubscribedpending"
    " neversubscribed nonconfirme enattente".split()
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}.*|[0-9]{1,2}[/.][0-9]{1,2}[/.][0-9]{4}.*")


def wants_no_mail(said: str) -> bool | None:
    """Read a cell that says whether somebody wants no mail: a yes, a no, a status or a date.

    None where it says that they never agreed. Raises `ValueError` for a word that we do not know:
    who is not sure must not write to them.
    """
    word = plain(said)
    if not word or word in _MAIL:
        return False
    if word in _NO_MAIL or _DATE.fullmatch(said):
        return True
    if word in _NEVER_AGREED:
        return None
    raise ValueError(said)
