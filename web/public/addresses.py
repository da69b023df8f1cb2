"""Another address: confirmed at the new one, undone from the old one, each from a letter."""

from mailer.kit.addresses import masked
from mailer.kit.tokens import LinkUnknown
from mailer.subscribers import actions as subscribers
from mailer.subscribers import store
from mailer.subscribers.model import AddressChange
from web.public.opening import Answer, Opened, leads_nowhere


async def show_new_address(link: Opened) -> Answer:
    """Ask at a new address whether we may write there; afterwards say that we do."""
    change = await _its_change(link)
    if change.undone_at is not None:
        return leads_nowhere(link.request)
    return link.page(
        "public/preferences/address.html",
        new=masked(change.new_address),
        done=change.confirmed_at is not None,
    )


async def confirm_address(link: Opened) -> str:
    """Write to the new address from now on."""
    change = await _its_change(link)
    await subscribers.confirm_address_change(link.work, change.no)
    return link.here


async def show_old_address(link: Opened) -> Answer:
    """Ask at the old address whether to go back to it; afterwards say that we have."""
    change = await _its_change(link)
    if change.old_address is None or change.confirmed_at is None:
        return leads_nowhere(link.request)
    return link.page(
        "public/preferences/address_undo.html",
        old=masked(change.old_address),
        new=masked(change.new_address),
        undone=change.undone_at is not None,
    )


async def undo_address(link: Opened) -> str:
    """Go back to the old address."""
    change = await _its_change(link)
    await subscribers.undo_address_change(link.work, change.no)
    return link.here


async def _its_change(link: Opened) -> AddressChange:
    """Find the change that a link is about; it must be one of this person's."""
    change = await store.address_change(link.work, link.claim.subject)
    if change is None or change.subscriber_no != link.subscriber.no:
        raise LinkUnknown
    return change
