"""All tables, for migrations to compare with."""

from mailer.accounts.model import Account, AccountScope, RecoveryCode, Session, SignInTry
from mailer.activity.model import Activity
from mailer.audit.model import AuditLine
from mailer.campaigns.model import Campaign, Revision
from mailer.consent.model import (
    Confirmation,
    ConsentRecord,
    MailingList,
    Subscription,
)
from mailer.deliveries.model import Delivery, Worker
from mailer.groups.model import Group
from mailer.imports.model import Import, ImportLine
from mailer.kit.orm import Base
from mailer.organisation.model import Organisation
from mailer.outbox.model import Letter
from mailer.relays.model import DomainPace, Relay, RelayHour, SendingRules
from mailer.signing.model import SigningKey
from mailer.subscribers.model import AddressChange, Membership, Subscriber, Suppression
from mailer.tiers.model import ChosenTier, Tier, TierChange, TierRequest

__all__ = [
    "Account",
    "AccountScope",
    "Activity",
    "AddressChange",
    "AuditLine",
    "Base",
    "Campaign",
    "ChosenTier",
    "Confirmation",
    "ConsentRecord",
    "Delivery",
    "DomainPace",
    "Group",
    "Import",
    "ImportLine",
    "Letter",
    "MailingList",
    "Membership",
    "Organisation",
    "RecoveryCode",
    "Relay",
    "RelayHour",
    "Revision",
    "SendingRules",
    "Session",
    "SignInTry",
    "SigningKey",
    "Subscriber",
    "Subscription",
    "Suppression",
    "Tier",
    "TierChange",
    "TierRequest",
    "Worker",
]
