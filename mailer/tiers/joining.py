"""Joining by an open page: a level of engagement, an address, and a yes.

Nobody finds out by it who is on the roll: for an address that is, nothing changes, a letter goes
there, and the page is the same.
"""

from mailer.activity import actions as activity
from mailer.consent import actions as consent
from mailer.consent import store as consents
from mailer.consent.actions import Came
from mailer.consent.model import (
    LETTERS_UNTIL_A_CLICK,
    Confirmation,
    MailingList,
    SubscriptionState,
)
from mailer.groups import actions as groups
from mailer.groups import store as group_store
from mailer.kit.addresses import read_address
from mailer.kit.errors import Invalid
from mailer.kit.texts import one_line
from mailer.kit.work import Work
from mailer.outbox.actions import Post, post
from mailer.outbox.model import Lane, Needs
from mailer.subscribers import store as subscribers
from mailer.subscribers.actions import AddressTaken, add
from mailer.subscribers.model import Subscriber, mark_of
from mailer.tiers import store
from mailer.tiers.actions import place_many, wish
from mailer.tiers.model import Source, Tier


class TierNotChosen(Invalid):
    """Please choose how far you want to go."""


class ListNotChosen(Invalid):
    """This list is not open for joining."""


async def sign_up(
    work: Work,
    *,
    address: str,
    first_name: str,
    language: str,
    tier_slug: str,
    list_slug: str,
    group_name: str = "",
    wording: str,
) -> Confirmation:
    """Take a sign-up from the join page, and send one letter that asks whether it was they.

    Somebody new stands on the roll, unconfirmed, on the level they chose; one that needs approval
    is noted as a wish, and they begin on the highest that does not. Somebody known stays exactly
    as they are. Who is never written to gets no letter. The answer is alike in every case.
    """
    first_name = one_line(first_name, longest=120, field="first_name")
    group_name = one_line(group_name, longest=160, field="group")
    tier = await store.by_slug(work, tier_slug)
    if tier is None:
        raise TierNotChosen(field="tier")
    mailing_list = await consents.list_by_slug(work, list_slug)
    if mailing_list is None or not mailing_list.is_public:
        raise ListNotChosen(field="list")
    return await sign_up_to(
        work,
        mailing_list,
        address=address,
        first_name=first_name,
        language=language,
        tier=tier,
        group_name=group_name,
        wording=wording,
        came=Came(),
    )


async def sign_up_to(
    work: Work,
    mailing_list: MailingList,
    *,
    address: str,
    first_name: str = "",
    language: str,
    tier: Tier,
    group_name: str = "",
    wording: str,
    came: Came,
) -> Confirmation:
    """Take a sign-up to one list, as `sign_up` does.

    Where the list asks for no letter, somebody new is on it at once. Somebody known is asked by
    letter all the same: a stranger may have typed their address.
    """
    address = read_address(address)
    if mailing_list.closed_at is not None:
        raise ListNotChosen(field="list")
    mark = mark_of(work.keys, address)
    known = await subscribers.by_address(work, address)
    if known is None and not await subscribers.suppressions(work, [mark]):
        try:
            new = await add(work, address=address, first_name=first_name, language=language)
        except AddressTaken:
            # Somebody signed the same address up a moment ago.
            known = await subscribers.by_address(work, address)
        else:
            await _settle(work, new, tier, group_name)
            if not mailing_list.double_opt_in:
                return await consent.join_at_once(
                    work, new, mailing_list, wording=wording, language=language, came=came
                )
            known = new
    if known is None:
        return await consent.blind_confirmation(
            work, mailing_list, mark=mark, wording=wording, language=language, came=came
        )
    return await _ask(
        work, known, mailing_list, tier, wording=wording, language=language, came=came
    )


async def _settle(work: Work, joined: Subscriber, tier: Tier, group_name: str) -> None:
    """Put somebody new where they want to be, as far as they may by themselves."""
    begin = tier
    if tier.needs_approval:
        await wish(work, joined, tier)
        # There is always one: the lowest level is open to all.
        ladder = await store.ladder(work)
        begin = [one for one in ladder if not one.needs_approval and one.rank < tier.rank][-1]
    await place_many(work, [(joined.no, begin.no)], source=Source.SELF_FORM)
    await name_group(work, joined, group_name)


async def name_group(work: Work, joined: Subscriber, group_name: str) -> None:
    """Put somebody into the group that they named, if there is one of that name.

    An open page founds no group; what they wrote is then for an organiser to read.
    """
    if not group_name:
        return
    group = await group_store.by_name(work, group_name)
    if group is not None and group.closed_at is None:
        await groups.join(work, joined, group)
    else:
        await activity.record(work, joined.no, "group_named", name=group_name)


async def _ask(
    work: Work,
    known: Subscriber,
    mailing_list: MailingList,
    tier: Tier,
    *,
    wording: str,
    language: str,
    came: Came,
) -> Confirmation:
    standing = await consents.subscription(work, known.no, mailing_list.no)
    if standing is None or standing.state is not SubscriptionState.CONFIRMED:
        return await consent.ask(
            work,
            known,
            mailing_list,
            wording=wording,
            language=language,
            tier_no=tier.no,
            came=came,
        )
    confirmation = await consent.blind_confirmation(
        work,
        mailing_list,
        mark=str(known.mark),
        wording=wording,
        language=language,
        came=came,
    )
    never = known.stopped_at is not None or await consents.is_suppressed(work, known)
    mark = str(known.mark)
    since = (await consents.asked_since_a_click(work, [mark])).get(mark, [])
    if not never and len(since) <= LETTERS_UNTIL_A_CLICK:
        await post(
            work,
            Post(
                kind="already-on-the-roll",
                dedupe_key=f"already-on-the-roll:{confirmation.no}",
                language=known.language,
                facts={"list": mailing_list.no},
                subscriber=known.no,
                lane=Lane.URGENT,
                needs=Needs.NOTHING,
            ),
        )
    return confirmation
