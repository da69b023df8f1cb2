"""The people of all our stories. They are always the same.

Amina organises and owns the installation, Bo is a member, Chidi has left, Dana never confirmed,
Esra has an account, Farid must see nobody but the people of his group, of whom there is one: Gil.
"""

import dataclasses
from typing import TypeVar

import pyotp

from mailer.accounts import signing_in
from mailer.accounts import store as account_store
from mailer.accounts.actions import open_account
from mailer.accounts.model import Account, Role
from mailer.consent import actions as consent
from mailer.consent import store as consents
from mailer.consent.model import MailingList
from mailer.groups import actions as groups
from mailer.groups import store as group_store
from mailer.groups.model import Group
from mailer.kit.work import Work
from mailer.organisation import actions as organisation
from mailer.organisation import store as organisation_store
from mailer.organisation.model import Organisation
from mailer.relays import actions as relays
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import Subscriber
from mailer.tiers import actions as tiers
from mailer.tiers import store as ladder
from mailer.tiers.joining import sign_up
from mailer.tiers.model import Tier

PASSWORD = "a long road, walked together"
# Argon2id of the above at the lowest price there is: nobody guards a secret here.
PASSWORD_HASH = (
    "$argon2id$v=19$m=8,t=1,p=1$n2VzHi2vbt4JHHjvZIjc9g$teV2DAgcj/qRgtafPazseoiHeIJAJkl0E+GuRAww0eM"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cast:
    """Everybody, and what they stand on."""

    organisation: Organisation
    bulletin: MailingList
    wording: str  # what Bo, Chidi and Gil have agreed to

    follower: Tier
    supporter: Tier
    activist: Tier
    organiser: Tier

    northgate: Group  # Bo's and Chidi's
    harbour: Group  # Gil's, and Farid's scope

    amina: Account  # owner
    esra: Account  # organiser
    farid: Account  # group organiser of Harbour

    bo: Subscriber  # confirmed, a supporter
    chidi: Subscriber  # was a supporter, has left
    dana: Subscriber  # signed up as a follower, never confirmed
    gil: Subscriber  # confirmed, a follower


async def gather(work: Work) -> Cast:
    """Bring everybody together, by the verbs that anybody would use."""
    await organisation.furnish(work)
    await tiers.furnish(work)
    await consent.furnish(work)
    await relays.furnish(work)
    described = await organisation.describe(
        work,
        name="Workers Against Racism",
        postal_address="Transport House\n1 Harbour Road\nNorthgate",
        sender_name="Workers Against Racism",
        sender_address="news@war.example.org",
        reply_to="office@war.example.org",
        colour="#ffc233",
        language="en",
        headline={"en": "Racism divides us. We organise.", "fr": "Le racisme nous divise."},
        lede={"en": "Do one concrete thing at a time.", "fr": "Une action concrète à la fois."},
    )
    [bulletin] = await consents.lists(work)
    follower, supporter, activist, organiser = await ladder.ladder(work)
    northgate = await groups.found(work, name="Northgate Transport Branch", place="Northgate")
    harbour = await groups.found(work, name="Harbour Workers’ Centre", place="Harbour")

    bo = await _joined(work, "bo@example.org", "Bo", supporter, northgate)
    chidi = await _joined(work, "chidi@example.org", "Chidi", supporter, northgate)
    await consent.unsubscribe(work, chidi, list_no=None)
    gil = await _joined(work, "gil@example.org", "Gil", follower, harbour, language="fr")
    dana = await _signed_up(work, "dana@example.org", "Dana", follower)

    return Cast(
        organisation=described,
        bulletin=bulletin,
        wording=await consent.wording_of(work, bulletin, "en"),
        follower=follower,
        supporter=supporter,
        activist=activist,
        organiser=organiser,
        northgate=northgate,
        harbour=harbour,
        amina=await _account(work, "amina@war.example.org", "Amina", Role.OWNER),
        esra=await _account(work, "esra@war.example.org", "Esra", Role.ORGANISER),
        farid=await _account(work, "farid@war.example.org", "Farid", Role.GROUP_ORGANISER, harbour),
        bo=bo,
        chidi=chidi,
        dana=dana,
        gil=gil,
    )


async def recall(work: Work) -> Cast | None:
    """Find everybody again in a database where they were gathered before; None where not."""
    tiers_of_ladder = await ladder.ladder(work)
    if not tiers_of_ladder:
        return None
    follower, supporter, activist, organiser = tiers_of_ladder
    [bulletin] = await consents.lists(work)

    async def group(name: str) -> Group:
        return _found(await group_store.by_name(work, name))

    async def account(name: str) -> Account:
        return _found(await account_store.by_address(work, f"{name}@war.example.org"))

    async def person(name: str) -> Subscriber:
        return _found(await subscribers.by_address(work, f"{name}@example.org"))

    return Cast(
        organisation=await organisation_store.the_one(work),
        bulletin=bulletin,
        wording=await consent.wording_of(work, bulletin, "en"),
        follower=follower,
        supporter=supporter,
        activist=activist,
        organiser=organiser,
        northgate=await group("Northgate Transport Branch"),
        harbour=await group("Harbour Workers’ Centre"),
        amina=await account("amina"),
        esra=await account("esra"),
        farid=await account("farid"),
        bo=await person("bo"),
        chidi=await person("chidi"),
        dana=await person("dana"),
        gil=await person("gil"),
    )


Row = TypeVar("Row")


def _found(row: Row | None) -> Row:
    assert row is not None
    return row


async def _joined(
    work: Work, address: str, name: str, tier: Tier, group: Group, language: str = "en"
) -> Subscriber:
    person = await _signed_up(work, address, name, tier, group.name, language)
    [confirmation] = (await consents.asked_since_a_click(work, [str(person.mark)])).values()
    await consent.confirm(work, confirmation[-1].no)
    return person


async def _signed_up(
    work: Work, address: str, name: str, tier: Tier, group: str = "", language: str = "en"
) -> Subscriber:
    [bulletin] = await consents.lists(work)
    await sign_up(
        work,
        address=address,
        first_name=name,
        language=language,
        tier_slug=tier.slug,
        list_slug=bulletin.slug,
        group_name=group,
        wording=await consent.wording_of(work, bulletin, language),
    )
    person = await subscribers.by_address(work, address)
    assert person is not None
    return person


async def _account(work: Work, address: str, name: str, role: Role, *groups: Group) -> Account:
    account = await open_account(
        work,
        address=address,
        name=name,
        role=role,
        password_hash=PASSWORD_HASH,
        groups=[group.no for group in groups],
    )
    seed = await signing_in.begin_factor(work, account)
    await signing_in.confirm_factor(work, account, pyotp.TOTP(seed).at(work.now))
    return account
