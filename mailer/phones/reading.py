"""Reading a telephone number as people write it. The library is large: loaded when first needed."""

from mailer.kit.errors import Invalid

LONGEST = 60


class PhoneWrong(Invalid):
    """This is not a telephone number. One of another country begins with + and its code."""


def read_number(typed: str, country: str = "") -> str:
    """Give a number in the form of E.164 (ITU-T): `+33612345678`.

    `country` (ISO 3166-1, two letters) is where a number without its country's code is called.
    Refuses what no telephone has.
    """
    import phonenumbers as library  # noqa: PLC0415  # 12 MB that most processes never need

    if len(typed) > LONGEST:
        raise PhoneWrong(field="phone")
    try:
        number = library.parse(typed, country.upper() or None)
    except library.NumberParseException as refused:
        raise PhoneWrong(field="phone") from refused
    if number.extension or not library.is_possible_number(number):
        raise PhoneWrong(field="phone")
    return library.format_number(number, library.PhoneNumberFormat.E164)


def shown_number(number: str) -> str:
    """Write a number of E.164 with the spaces by which people read it: `+33 6 12 34 56 78`."""
    import phonenumbers as library  # noqa: PLC0415  # as above

    return library.format_number(library.parse(number), library.PhoneNumberFormat.INTERNATIONAL)
