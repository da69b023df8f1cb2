"""Finding anything by its name: people, segments, campaigns, groups, tags, lists.

People are found by how a word of their name or their address begins. Of the others there are few
enough to look at each: any part of the name will do.
"""

import enum
from collections.abc import Iterable, Sequence

import msgspec

from mailer.campaigns import store as campaigns
from mailer.consent import store as lists
from mailer.groups import store as groups
from mailer.kit.i18n import in_language
from mailer.kit.work import Work
from mailer.records import store as people
from mailer.segments import store as segments
from mailer.subscribers.model import Subscriber
from mailer.tags import store as tags

MOST_OF_EACH = 8


class Kind(enum.StrEnum):
    """What sort of thing was found."""

    SEGMENT = "segment"
    CAMPAIGN = "campaign"
    GROUP = "group"
    TAG = "tag"
    LIST = "list"


class Thing(msgspec.Struct, frozen=True):
    """Something with a name; `key` is how the outside knows it: its uid, a list's slug."""

    kind: Kind
    key: str
    name: str


class Found(msgspec.Struct, frozen=True):
    """All that was found, people first."""

    people: Sequence[Subscriber] = ()
    things: Sequence[Thing] = ()

    @property
    def is_anything(self) -> bool:
        """Say whether there is anything at all."""
        return bool(self.people or self.things)


async def find(work: Work, typed: str, *, campaigns_too: bool) -> Found:
    """Find what has these words, at most a few of each sort; nothing is typed: nothing is found.

    Inside what the actor may see; `campaigns_too`: they may see what is written, too.
    """
    words = " ".join(typed.split()).casefold()
    if not words:
        return Found()
    named = [
        *_having(
            words, Kind.SEGMENT, [(one.uid, one.name) for one in await segments.all_segments(work)]
        ),
        *_having(words, Kind.CAMPAIGN, await campaigns.names(work) if campaigns_too else ()),
        *_having(
            words, Kind.GROUP, [(one.uid, one.name) for one in await groups.open_groups(work)]
        ),
        *_having(words, Kind.TAG, [(one.uid, one.name) for one in await tags.open_tags(work)]),
        *_having(
            words, Kind.LIST, [(one.slug, in_language(one.name)) for one in await lists.lists(work)]
        ),
    ]
    return Found(await people.begin_with(work, typed, limit=MOST_OF_EACH), named)


def _having(words: str, kind: Kind, names: Iterable[tuple[str, str]]) -> list[Thing]:
    """Take those whose name has the words; those that begin with them come first."""
    found = [Thing(kind, key, name) for key, name in names if words in name.casefold()]
    found.sort(key=lambda one: not one.name.casefold().startswith(words))
    return found[:MOST_OF_EACH]
