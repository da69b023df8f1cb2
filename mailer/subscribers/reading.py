"""How somebody reads: their mail as it is, in large letters, or as plain text."""

from mailer.activity import actions as activity
from mailer.kit.errors import Invalid
from mailer.kit.work import Work
from mailer.subscribers import store
from mailer.subscribers.holding import held
from mailer.subscribers.model import MailForm, Subscriber


class MailFormUnknown(Invalid):
    """Please choose how your emails are written."""


async def write_as(work: Work, subscriber: Subscriber, form: str) -> bool:
    """Write to somebody in another form from the next mail on; say whether that is new."""
    if form not in set(MailForm):
        raise MailFormUnknown(field="mail_form")
    subscriber = await held(work, subscriber)
    chosen = MailForm(form)
    if subscriber.mail_form is chosen:
        return False
    await activity.record(work, subscriber.no, "mail_form", form=chosen.value)
    await store.change(work, subscriber, {"mail_form": chosen})
    return True
