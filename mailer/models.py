"""All tables, for migrations to compare with."""

from mailer.accounts.model import Account, AccountScope, RecoveryCode, Session, SignInTry
from mailer.activity.model import Activity
from mailer.activity.signals.model import Signal
from mailer.asks.model import Ask, Demand, Offer, OfferTally, Pledge, PledgeChange
from mailer.audit.model import AuditLine
from mailer.bulk.model import BulkAct, BulkPerson
from mailer.campaigns.model import Campaign, Revision
from mailer.consent.model import (
    Confirmation,
    ConsentRecord,
    ConsentText,
    MailingList,
    OnlyUrgent,
    SignUpTally,
    Subscription,
)
from mailer.deliveries.model import Delivery, Worker
from mailer.fields.model import Field, FieldValue, SpecialValue
from mailer.followups.model import DigestWish, FollowUp, FollowUpRound, FollowUpStep
from mailer.forms.model import SignUpForm
from mailer.groups.model import Group
from mailer.imports.model import (
    Import,
    ImportItem,
    ImportLine,
    ImportName,
    ImportPart,
    ImportSource,
)
from mailer.kit.orm import Base
from mailer.organisation.model import Organisation
from mailer.outbox.model import Letter
from mailer.phones.model import Phone
from mailer.records.model import AlsoMe, Look, Merging, TwoPeople
from mailer.relays.model import DomainPace, Relay, RelayHour, SendingRules
from mailer.segments.model import Segment, SegmentVersion
from mailer.signing.model import SigningKey
from mailer.subscribers.model import AddressChange, Membership, Subscriber, Suppression
from mailer.tags.model import Tag, Tagging
from mailer.tiers.model import ChosenTier, Tier, TierChange, TierRequest

__all__ = [
    "Account",
    "AccountScope",
    "Activity",
    "AddressChange",
    "AlsoMe",
    "Ask",
    "AuditLine",
    "Base",
    "BulkAct",
    "BulkPerson",
    "Campaign",
    "ChosenTier",
    "Confirmation",
    "ConsentRecord",
    "ConsentText",
    "Delivery",
    "Demand",
    "DigestWish",
    "DomainPace",
    "Field",
    "FieldValue",
    "FollowUp",
    "FollowUpRound",
    "FollowUpStep",
    "Group",
    "Import",
    "ImportItem",
    "ImportLine",
    "ImportName",
    "ImportPart",
    "ImportSource",
    "Letter",
    "Look",
    "MailingList",
    "Membership",
    "Merging",
    "Offer",
    "OfferTally",
    "OnlyUrgent",
    "Organisation",
    "Phone",
    "Pledge",
    "PledgeChange",
    "RecoveryCode",
    "Relay",
    "RelayHour",
    "Revision",
    "Segment",
    "SegmentVersion",
    "SendingRules",
    "Session",
    "SignInTry",
    "SignUpForm",
    "SignUpTally",
    "Signal",
    "SigningKey",
    "SpecialValue",
    "Subscriber",
    "Subscription",
    "Suppression",
    "Tag",
    "Tagging",
    "Tier",
    "TierChange",
    "TierRequest",
    "TwoPeople",
    "Worker",
]
