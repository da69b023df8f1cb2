"""Every question about telephones."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select

from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.phones.model import Phone

USE = "phone"  # of the root key


async def of(work: Work, subscriber_no: int) -> Phone | None:
    """Give how somebody is called. The caller has asked whether they may."""
    return await work.session.get(Phone, subscriber_no, populate_existing=True)


async def of_many(work: Work, subscriber_nos: Collection[int]) -> dict[int, Phone]:
    """Give how several people are called. The caller has asked whether they may."""
    found = await work.session.scalars(
        select(Phone)
        .where(Phone.subscriber_no.in_(subscriber_nos))
        .execution_options(populate_existing=True)
    )
    return {phone.subscriber_no: phone for phone in found}


def opened(work: Work, phone: Phone) -> str:
    """Give the number in the form of E.164; empty where there is none."""
    return "" if phone.sealed is None else work.keys.unseal(USE, phone.sealed)


def closed(work: Work, number: str) -> dict[str, Any]:
    """Give the columns that keep a number in the form of E.164, or that there is none."""
    if not number:
        return {"sealed": None, "mark": None, "consent_no": None}
    return {"sealed": work.keys.seal(USE, number), "mark": work.keys.scramble(USE, number)}


async def write(work: Work, subscriber_no: int, values: Mapping[str, Any]) -> Phone:
    """Write how somebody is called; their row is held."""
    row = {
        "subscriber_no": subscriber_no,
        "best_time": "",
        "never_call": False,
        "at": work.now,
        **values,
    }
    if added := await add_missing(work, Phone, [row]):
        return added[0]
    phone = await work.session.get_one(Phone, subscriber_no, populate_existing=True)
    for name, value in {**values, "at": work.now}.items():
        setattr(phone, name, value)
    await work.session.flush()
    return phone


async def remove(work: Work, subscriber_no: int) -> None:
    """Keep nothing of how somebody is called."""
    if (phone := await of(work, subscriber_no)) is not None:
        await work.session.delete(phone)
        await work.session.flush()
