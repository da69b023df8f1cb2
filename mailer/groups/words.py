"""What kinds of groups, and what people are in them, are called."""

from mailer.groups.model import GroupKind
from mailer.kit.i18n import N_
from mailer.subscribers.model import GroupRole

KINDS = {
    GroupKind.UNION: N_("Union"),
    GroupKind.BRANCH: N_("Branch"),
    GroupKind.CHAPTER: N_("Chapter"),
    GroupKind.COMMUNITY: N_("Community organisation"),
    GroupKind.FEDERATION: N_("Federation"),
}
ROLES = {
    GroupRole.MEMBER: N_("Member"),
    GroupRole.REP: N_("Rep of a workplace"),
    GroupRole.OFFICER: N_("Officer"),
    GroupRole.CONTACT: N_("Whom to ask about the group"),
}
