"""Welcoming: the letter to somebody who has just joined a list. A file welcomes nobody."""

from mailer.consent.model import MailingList
from mailer.kit.work import Work
from mailer.outbox.actions import Post, post
from mailer.subscribers.model import Subscriber


async def welcome(
    work: Work, subscriber: Subscriber, mailing_list: MailingList, *, language: str, once: str
) -> None:
    """Owe somebody the letter of welcome; `once` names the joining, which is welcomed once."""
    await post(
        work,
        Post(
            kind="welcome",
            dedupe_key=f"welcome:{once}",
            language=language,
            facts={"list": mailing_list.no},
            subscriber=subscriber.no,
        ),
    )
