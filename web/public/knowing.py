"""What an organisation asks of people in fields of its own, as somebody sees it of themselves."""

from typing import Any

from mailer.fields import special
from mailer.fields import store as fields
from mailer.fields.model import Field
from mailer.kit.i18n import in_language
from web.kit import answers
from web.kit.forms import Form
from web.public.opening import Opened


async def shown(link: Opened, typed: Form | None) -> dict[str, Any]:
    """Give the public fields with what stands in each, and the specially protected ones apart."""
    work, person = link.work, link.subscriber
    values = (await fields.values_of(work, [person.no])).get(person.no, {})
    plain, protected = [], []
    for field in await fields.public_fields(work):
        said = answers.typed_in(typed, field) if typed else None
        if field.is_special:
            told = await special.told(work, person, field)
            one = answers.asked(field, told, typed=said)
            wording = in_language(field.consent_text)
            protected.append({**one, "slug": field.slug, "wording": wording, "has": bool(told)})
        else:
            plain.append(answers.asked(field, values.get(field.no, []), typed=said))
    return {"asked_fields": plain, "protected_fields": protected}


async def plain_fields(link: Opened) -> list[Field]:
    """Give the fields that their person fills in like any other detail."""
    return [one for one in await fields.public_fields(link.work) if not one.is_special]
