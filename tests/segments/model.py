"""The model that segments are compared with: people as plain values, and questions as plain Python.

What a facet says in SQL is said here once more, as a newcomer would say it. A world has a few
dozen people with facts of every kind, drawn by chance, at hours around midnight of another zone.
"""

import dataclasses
import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from mailer.activity.model import Activity
from mailer.asks.model import Ask, AskState, Pledge, PledgeState
from mailer.campaigns.model import Campaign, CampaignState, Kind
from mailer.consent.model import ConsentRecord, MailingList, Subscription, SubscriptionState
from mailer.deliveries.model import Delivery, Reason
from mailer.fields.model import Field, FieldKind, FieldValue
from mailer.followups.model import (
    CaseKind,
    CaseState,
    FollowUp,
    FollowUpStep,
    Outcome,
    Rank,
    StepKind,
)
from mailer.groups.model import Group, GroupKind
from mailer.kit.work import Door, Work
from mailer.outbox.model import DeliveryState
from mailer.phones.model import Phone
from mailer.relays import store as rules
from mailer.subscribers.model import (
    GroupRole,
    Membership,
    Subscriber,
    Suppression,
    SuppressionReason,
)
from mailer.tags.model import Tag, Tagging
from mailer.tiers import store as ladder
from mailer.tiers.model import ChosenTier, Source, TierChange

ZONE = ZoneInfo("Pacific/Auckland")
NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)  # half past one at night of the 22nd, over there
PEOPLE = 48

TAGS, GROUPS, ASKS, CAMPAIGNS, LISTS = (1, 2, 3), (101, 102, 103), (1, 2), (1, 2), (1, 12)
TEXT, NUMBER, DATE, CHOICE, CHOICES, YES_NO = range(1, 7)
KINDS = dict(zip((TEXT, NUMBER, DATE, CHOICE, CHOICES, YES_NO), FieldKind, strict=True))
SLUGS = ("bus", "tram", "rail")
WORDS = ("Depot", "depot north", "DEPOT 5", "Office_1", "Off%ce", "Élan")
TOWNS = ("", "Northgate", "NORTH END", "northam", "South_1", "Éire")
POSTCODES = ("", "N1 5", "n1 7", "N2", "%")
REGIONS = ("", "North", "South")
KIND_OF = {101: GroupKind.UNION, 102: GroupKind.BRANCH, 103: None}
SECTOR_OF = {101: "transport", 102: "", 103: "transport"}


@dataclasses.dataclass
class Person:
    """Somebody, and all that is known of them."""

    no: int
    row: dict[str, Any]
    suppressed: bool = False
    tier: int | None = None
    moves: list[tuple[int | None, int, Source, datetime, bool]] = dataclasses.field(
        default_factory=list
    )
    lists: dict[int, tuple[SubscriptionState, datetime]] = dataclasses.field(default_factory=dict)
    agreed: list[tuple[int, Door]] = dataclasses.field(default_factory=list)
    tags: set[int] = dataclasses.field(default_factory=set)
    fields: dict[int, list[tuple[str, float | None]]] = dataclasses.field(default_factory=dict)
    groups: dict[int, GroupRole] = dataclasses.field(default_factory=dict)
    pledges: dict[int, tuple[PledgeState, datetime, datetime | None]] = dataclasses.field(
        default_factory=dict
    )
    mails: dict[int, tuple[DeliveryState, str | None, datetime]] = dataclasses.field(
        default_factory=dict
    )
    acts: list[tuple[Door, datetime]] = dataclasses.field(default_factory=list)
    phone: tuple[bool, bool] | None = None
    waits: list[tuple[datetime, bool]] = dataclasses.field(default_factory=list)
    calls: list[tuple[Outcome, datetime, bool]] = dataclasses.field(default_factory=list)

    @property
    def living(self) -> bool:
        return self.row["erased_at"] is None


@dataclasses.dataclass
class World:
    """Everybody, by number, and the ranks of the ladder by number of their tier."""

    people: dict[int, Person]
    ranks: dict[int, int]

    def __repr__(self) -> str:
        return f"<World of {len(self.people)}>"  # all of it would fill the report of a failure

    def who(self, tree: Mapping[str, Any], scope: frozenset[int] | None = None) -> set[int]:
        """Say who answers, of those whom the actor may see."""
        return {
            one.no
            for one in self.people.values()
            if one.living
            and (scope is None or scope & one.groups.keys())
            and answers(self, one, tree, scope)
        }


# --- questions ------------------------------------------------------------------------------------


def answers(
    world: World,
    one: Person,
    tree: Mapping[str, Any],
    scope: frozenset[int] | None = None,
    *,
    taken: bool = False,
) -> bool:
    """Say whether somebody answers. `taken`: this is taken away from the others (under `none`).

    Nothing that is asked is nobody, and where it would be taken away, everybody.
    """
    match tree:
        case {"everybody": True}:
            return True
        case {"all": []} | {"any": []} | {"none": []}:
            return taken
        case {"all": nodes}:
            return all(answers(world, one, node, scope, taken=taken) for node in nodes)
        case {"any": nodes}:
            return any(answers(world, one, node, scope, taken=taken) for node in nodes)
        case {"none": nodes}:
            return not any(answers(world, one, node, scope, taken=not taken) for node in nodes)
        case {"is": name, **args}:
            return taken if gone(args) else FACETS[name](world, one, args, scope)
        case {"not": name, **args}:
            return taken if gone(args) else not FACETS[name](world, one, args, scope)
        case _:  # {}
            return taken


GONE = "999999"


def gone(args: Mapping[str, Any]) -> bool:
    """Say whether a condition stands on something that is not there."""
    return GONE in args.values()


def day(moment: datetime) -> date:
    return moment.astimezone(ZONE).date()


def lately(moment: datetime | None, args: Mapping[str, Any]) -> bool:
    """In the last N days; without a number of days, ever."""
    if "days" not in args:
        return True
    return moment is not None and day(moment) >= day(NOW) - timedelta(days=args["days"])


def compared(what: date, args: Mapping[str, Any]) -> bool:
    asked = date.fromisoformat(args["date"])
    match args["how"]:
        case "before":
            return what < asked
        case "after":
            return what > asked
        case "is":
            return what == asked
        case _:
            return asked <= what <= date.fromisoformat(args["until"])


def same_beginning(text: str, said: str) -> bool:
    ways = (said, said.lower(), said.upper(), said.title(), said[:1].upper() + said[1:])
    return any(text.startswith(way) for way in ways)


def tier(world: World, one: Person, args: Mapping[str, Any], _scope: object) -> bool:
    if one.tier is None:
        return False
    rank, asked = world.ranks[one.tier], world.ranks[int(args["tier"])]
    return {"is": rank == asked, "at_least": rank >= asked, "at_most": rank <= asked}[args["how"]]


def tier_was(_world: World, one: Person, args: Mapping[str, Any], _scope: object) -> bool:
    return any(
        left == int(args["tier"])
        for left, _, source, _, undone in one.moves
        if not undone and source is not Source.UNDO
    )


def tier_moved(world: World, one: Person, args: Mapping[str, Any], _scope: object) -> bool:
    for left, to, source, at, undone in one.moves:
        if left is None or undone or source is Source.UNDO or not lately(at, args):
            continue
        up = world.ranks[to] > world.ranks[left]
        if args["way"] not in {"any", "up" if up else "down"}:
            continue
        if source.value in args.get("sources", [source.value]):
            return True
    return False


def on_list(_world: World, one: Person, args: Mapping[str, Any], _scope: object) -> bool:
    state, when = one.lists.get(int(args["list"]), (None, NOW))
    return state is not None and state.value == args["state"] and lately(when, args)


def consent(_world: World, one: Person, args: Mapping[str, Any], _scope: object) -> bool:
    return any(
        args["list"] in {"any", str(list_no)} and door.value == args.get("door", door.value)
        for list_no, door in one.agreed
    )


def state(_world: World, one: Person, args: Mapping[str, Any], _scope: object) -> bool:
    states = {state for state, _when in one.lists.values()}
    if one.row["stopped_at"]:
        found = "stopped"
    elif one.suppressed:
        found = "suppressed"
    elif SubscriptionState.CONFIRMED in states:
        until = one.row["paused_until"]
        found = "paused" if until and until > NOW else "active"
    elif SubscriptionState.UNCONFIRMED in states or not states:
        found = "pending"
    else:
        found = "unsubscribed"
    return bool(found == args["state"])


def tag(_world: World, one: Person, args: Mapping[str, Any], _scope: object) -> bool:
    return int(args["tag"]) in one.tags


def field(_world: World, one: Person, args: Mapping[str, Any], _scope: object) -> bool:
    number = int(args["field"])
    values = one.fields.get(number, [])
    how = args["how"]
    if how == "filled":
        return bool(values)
    return any(field_value(KINDS[number], how, value, args) for value in values)


def field_value(
    kind: FieldKind, how: str, value: tuple[str, float | None], args: Mapping[str, Any]
) -> bool:
    words, number = value
    match kind:
        case FieldKind.TEXT if how == "begins":
            return same_beginning(words, args["text"])
        case FieldKind.TEXT:
            said = args["text"]
            return words in {
                said,
                said.lower(),
                said.upper(),
                said.title(),
                said[:1].upper() + said[1:],
            }
        case FieldKind.NUMBER:
            assert number is not None
            asked = args["number"]
            compares: dict[str, bool] = {
                "is": number == asked,
                "at_least": number >= asked,
                "at_most": number <= asked,
                "between": asked <= number <= args.get("most", asked),
            }
            return compares[how]
        case FieldKind.DATE if how in {"last", "next"}:
            there, here = date.fromisoformat(words), day(NOW)
            far = timedelta(days=args["days"])
            return here - far <= there <= here if how == "last" else here <= there <= here + far
        case FieldKind.DATE:
            return compared(date.fromisoformat(words), args)
        case FieldKind.YES_NO:
            return words == how
        case _:
            return words in args["values"]


def group(
    _world: World, one: Person, args: Mapping[str, Any], scope: frozenset[int] | None
) -> bool:
    for no, role in one.groups.items():
        if role.value != args.get("role", role.value):
            continue
        if args["group"] == str(no):
            return True
        if args["group"] != "any" or (scope is not None and no not in scope):
            continue
        kind = KIND_OF[no]
        if "kind" in args and (kind is None or kind.value != args["kind"]):
            continue
        if SECTOR_OF[no] == args.get("sector", SECTOR_OF[no]):
            return True
    return False


def language(_world: World, one: Person, args: Mapping[str, Any], _scope: object) -> bool:
    return bool(one.row["language"] == args["language"])


def place(_world: World, one: Person, args: Mapping[str, Any], _scope: object) -> bool:
    found: str = one.row[args["how"]]
    if args["how"] in {"city", "postcode"}:
        return same_beginning(found, args["text"])
    return bool(found == args["place"])


def joined(_world: World, one: Person, args: Mapping[str, Any], _scope: object) -> bool:
    at = one.row["joined_at"]
    return lately(at, args) if args["how"] == "last" else compared(day(at), args)


def source(_world: World, one: Person, args: Mapping[str, Any], _scope: object) -> bool:
    if args["how"] == "door":
        return bool(one.row["door"].value == args["door"])
    return bool(one.row["source"] == args["source"])


def address(_world: World, one: Person, _args: object, _scope: object) -> bool:
    return one.row["address"] is not None


def declared(_world: World, one: Person, args: Mapping[str, Any], _scope: object) -> bool:
    return any(door in {Door.EMAIL, Door.PAGE} and lately(at, args) for door, at in one.acts)


def phone(_world: World, one: Person, args: Mapping[str, Any], _scope: object) -> bool:
    sealed, never = one.phone or (False, False)
    return {"has": sealed, "may_call": sealed and not never, "never": never}[args["how"]]


def ask(_world: World, one: Person, args: Mapping[str, Any], _scope: object) -> bool:
    to_do = {PledgeState.PLEDGED, PledgeState.IN_PROGRESS, PledgeState.BLOCKED}
    done = {PledgeState.DONE, PledgeState.VERIFIED}
    wanted = {
        "pledged": to_do | done,
        "done": done,
        "not_done": to_do,
        "blocked": {PledgeState.BLOCKED},
        "declined": {PledgeState.DECLINED},
    }[args["how"]]
    return any(
        args["ask"] in {"any", str(no)}
        and state in wanted
        and lately(done_at if args["how"] == "done" else made_at, args)
        for no, (state, made_at, done_at) in one.pledges.items()
    )


def follow_up(_world: World, one: Person, args: Mapping[str, Any], _scope: object) -> bool:
    if args["how"] == "waits":
        return any(is_open and lately(at, args) for at, is_open in one.waits)
    talks = {Outcome.REACHED, Outcome.CALL_BACK}
    return any(
        stands and lately(at, args) and (outcome in talks or args["how"] == "called")
        for outcome, at, stands in one.calls
    )


def campaign(_world: World, one: Person, args: Mapping[str, Any], _scope: object) -> bool:
    for no, (state, reply, at) in one.mails.items():
        if args["campaign"] not in {"any", str(no)} or not lately(at, args):
            continue
        left = state is DeliveryState.FAILED and reply == Reason.LEFT_IN_DOUBT
        got = state in {DeliveryState.SENT, DeliveryState.IN_DOUBT} or left
        if args["how"] == "got":
            if got:
                return True
            continue
        why = {
            DeliveryState.REFUSED: "refused",
            DeliveryState.FAILED: "failed",
            DeliveryState.QUEUED: "waiting",
        }.get(state, reply)
        if not got and args.get("why", why) == why:
            return True
    return False


FACETS = {
    "tier": tier,
    "tier_was": tier_was,
    "tier_moved": tier_moved,
    "list": on_list,
    "consent": consent,
    "state": state,
    "tag": tag,
    "field": field,
    "group": group,
    "language": language,
    "place": place,
    "joined": joined,
    "source": source,
    "address": address,
    "declared": declared,
    "phone": phone,
    "ask": ask,
    "follow_up": follow_up,
    "campaign": campaign,
}


# --- a world --------------------------------------------------------------------------------------


async def people_a_world(work: Work) -> World:
    """Write a world into a furnished database, and give it."""
    chance = random.Random(4)
    (await rules.the_rules(work)).time_zone = ZONE.key
    tiers = await ladder.ladder(work)
    world = World({}, {tier.no: tier.rank for tier in tiers})
    work.session.add_all(_things())
    await work.session.flush()
    for number in range(PEOPLE):
        one = _somebody(chance, number + 1)
        if one.living:
            _known_of(chance, one, list(world.ranks))
        _remembered_of(chance, one, list(world.ranks))
        world.people[one.no] = one
        work.session.add(Subscriber(no=one.no, **one.row))
        await work.session.flush()
        work.session.add_all(_rows(one))
    await work.session.flush()
    return world


def _things() -> list[Any]:
    at = NOW - timedelta(days=1000)
    return [
        MailingList(no=12, slug="alerts", name={"en": "Alerts"}, made_at=at),
        *[Tag(no=no, uid=f"t{no}", name=f"T{no}", name_key=f"t{no}", made_at=at) for no in TAGS],
        *[
            Field(
                no=no,
                slug=f"f{no}",
                kind=kind,
                name={"en": f"F{no}"},
                choices=[{"slug": slug, "name": {"en": slug}} for slug in SLUGS],
                made_at=at,
            )
            for no, kind in KINDS.items()
        ],
        *[
            Group(
                no=no,
                uid=f"g{no}",
                name=f"G{no}",
                name_key=f"g{no}",
                kind=KIND_OF[no],
                sector=SECTOR_OF[no],
                made_at=at,
            )
            for no in GROUPS
        ],
        *[
            Ask(no=no, uid=f"a{no}", title={"en": f"A{no}"}, state=AskState.OPEN, made_at=at)
            for no in ASKS
        ],
        *[
            Campaign(
                no=no,
                uid=f"c{no}",
                slug=f"c{no}",
                kind=Kind.NEWSLETTER,
                name=f"C{no}",
                state=CampaignState.SENT,
                made_at=at,
                started_at=NOW - timedelta(days=20 * no),
                ended_at=NOW - timedelta(days=20 * no - 12),
            )
            for no in CAMPAIGNS
        ],
    ]


def _moment(chance: random.Random, most: int = 60) -> datetime:
    """Some time ago, often near the midnight of the zone."""
    hours = chance.choice((0, 0.4, 0.6, 12, 23.4, 23.6))
    return NOW - timedelta(days=chance.randrange(most), hours=hours)


def _somebody(chance: random.Random, no: int) -> Person:
    address = f"p{no}@example.org" if chance.random() < 0.8 else None
    row: dict[str, Any] = {
        "uid": f"p{no}",
        "address": address,
        "address_key": address,
        "mark": f"m{no}" if address else None,
        "city": chance.choice(TOWNS),
        "postcode": chance.choice(POSTCODES),
        "region": chance.choice(REGIONS),
        "country": chance.choice(("", "GB", "FR")),
        "time_zone": chance.choice(("", "Europe/Paris")),
        "source": chance.choice(("", "Fair")),
        "language": chance.choice(("en", "fr")),
        "door": chance.choice((Door.PAGE, Door.IMPORT)),
        "joined_at": _moment(chance),
        "paused_until": chance.choice((None, None, NOW - timedelta(1), NOW + timedelta(1))),
        "stopped_at": chance.choice((None, None, None, None, NOW)),
        "erased_at": chance.choice((None, None, None, None, None, NOW)),
    }
    return Person(no, row, suppressed=address is not None and chance.random() < 0.15)


def _known_of(chance: random.Random, one: Person, tiers: list[int]) -> None:
    """Draw what only the living have."""
    one.tier = chance.choice((None, *tiers))
    one.lists = {
        no: (chance.choice(list(SubscriptionState)), _moment(chance))
        for no in LISTS
        if chance.random() < 0.6
    }
    one.tags = {no for no in TAGS if chance.random() < 0.4}
    one.groups = {no: chance.choice(list(GroupRole)) for no in GROUPS if chance.random() < 0.4}
    one.fields = _fields(chance)
    for no in ASKS:
        if chance.random() < 0.6:
            done = _moment(chance) if chance.random() < 0.7 else None
            state = chance.choice(
                [PledgeState.DONE, PledgeState.VERIFIED]
                if done
                else [
                    PledgeState.PLEDGED,
                    PledgeState.BLOCKED,
                    PledgeState.WITHDRAWN,
                    PledgeState.DECLINED,
                ]
            )
            one.pledges[no] = (state, _moment(chance), done)
    if chance.random() < 0.5:
        one.phone = (chance.random() < 0.7, chance.random() < 0.4)
    _follow(random.Random(one.no), one)


def _follow(chance: random.Random, one: Person) -> None:
    """Draw for what somebody waited, and when they were called about it."""
    for _case in range(chance.choice((0, 0, 1, 2))):
        one.waits.append((_moment(chance), chance.random() < 0.5))
    for _call in range(chance.choice((0, 1, 2)) if one.waits else 0):
        outcome = chance.choice(list(Outcome))
        one.calls.append((outcome, _moment(chance), chance.random() < 0.8))


def _fields(chance: random.Random) -> dict[int, list[tuple[str, float | None]]]:
    number = chance.choice((-2.5, 0.0, 3.0, 12.0))
    there = (day(NOW) + timedelta(days=chance.randrange(-20, 20))).isoformat()
    drawn: dict[int, list[tuple[str, float | None]]] = {
        TEXT: [(chance.choice(WORDS), None)],
        NUMBER: [(f"{number:g}", number)],
        DATE: [(there, None)],
        CHOICE: [(chance.choice(SLUGS), None)],
        CHOICES: [(slug, None) for slug in SLUGS if chance.random() < 0.5],
        YES_NO: [(chance.choice(("yes", "no")), None)],
    }
    return {no: values for no, values in drawn.items() if values and chance.random() < 0.6}


def _remembered_of(chance: random.Random, one: Person, tiers: list[int]) -> None:
    """Draw what may stay of those who were erased."""
    for _ in range(chance.randrange(3)):
        left, to = chance.sample(tiers, 2)
        kind = chance.choice((Source.SELF_LINK, Source.ASSIGNED, Source.UNDO))
        first = None if chance.random() < 0.2 else left
        one.moves.append((first, to, kind, _moment(chance), chance.random() < 0.2))
    one.agreed = [
        (chance.choice(LISTS), chance.choice((Door.PAGE, Door.IMPORT)))
        for _ in range(chance.randrange(3))
    ]
    one.acts = [
        (chance.choice((Door.PAGE, Door.EMAIL, Door.ADMIN)), _moment(chance))
        for _ in range(chance.randrange(3))
    ]
    for no in CAMPAIGNS:
        if chance.random() < 0.6:
            fate = chance.choice(
                (
                    (DeliveryState.SENT, None),
                    (DeliveryState.IN_DOUBT, None),
                    (DeliveryState.REFUSED, "550 no"),
                    (DeliveryState.FAILED, "451 later"),
                    (DeliveryState.FAILED, Reason.LEFT_IN_DOUBT.value),
                    (DeliveryState.SKIPPED, Reason.PAUSED.value),
                )
            )
            one.mails[no] = (*fate, NOW - timedelta(days=20 * no - chance.randrange(12)))


def _rows(one: Person) -> list[Any]:
    key = {"subscriber_no": one.no}
    rows: list[Any] = []
    if one.suppressed:
        rows.append(
            Suppression(
                mark=one.row["mark"], reason=SuppressionReason.ASKED, at=NOW, door=Door.ADMIN
            )
        )
    if one.tier is not None:
        rows.append(ChosenTier(**key, tier_no=one.tier, since=NOW))
    if one.phone is not None:
        rows.append(
            Phone(**key, sealed=b"x" if one.phone[0] else None, never_call=one.phone[1], at=NOW)
        )
    rows += [
        TierChange(
            **key,
            from_no=left,
            to_no=to,
            source=kind,
            door=Door.PAGE,
            made_at=at,
            undone_at=NOW if undone else None,
        )
        for left, to, kind, at, undone in one.moves
    ]
    rows += [
        Subscription(
            **key,
            list_no=no,
            state=state,
            asked_at=when,
            confirmed_at=None if state is SubscriptionState.UNCONFIRMED else when,
            ended_at=when if state is SubscriptionState.UNSUBSCRIBED else None,
        )
        for no, (state, when) in one.lists.items()
    ]
    rows += [
        ConsentRecord(
            **key,
            list_no=no,
            purpose="bulletin",
            controller="us",
            given=True,
            language="en",
            door=door,
            at=NOW,
        )
        for no, door in one.agreed
    ]
    rows += [Tagging(**key, tag_no=no, since=NOW) for no in one.tags]
    rows += [
        Membership(**key, group_no=no, since=NOW, role=role) for no, role in one.groups.items()
    ]
    rows += [
        FieldValue(**key, field_no=no, value=value, number=number)
        for no, values in one.fields.items()
        for value, number in values
    ]
    rows += [
        Pledge(**key, ask_no=no, state=state, made_at=made, done_at=done, door=Door.PAGE)
        for no, (state, made, done) in one.pledges.items()
    ]
    rows += [
        Delivery(campaign_no=no, run=1, **key, state=state, attempt=1, at=at, reply=reply)
        for no, (state, reply, at) in one.mails.items()
    ]
    rows += [Activity(**key, kind="joined", at=at, door=door) for door, at in one.acts]
    return rows + _follow_ups(one)


def _follow_ups(one: Person) -> list[Any]:
    cases = [
        FollowUp(
            no=10 * one.no + place,
            uid=f"{one.no:032}{place:04}",
            subscriber_no=one.no,
            kind=CaseKind.MANUAL,
            subject_no=place,
            state=CaseState.ASSIGNED if is_open else CaseState.RESOLVED,
            rank=Rank.HELP,
            opened_at=at,
            next_at=at,
            due_at=at,
            resolved_at=None if is_open else NOW,
        )
        for place, (at, is_open) in enumerate(one.waits)
    ]
    steps = [
        FollowUpStep(
            case_no=10 * one.no,
            subscriber_no=one.no,
            kind=StepKind.TRIED,
            outcome=outcome,
            at=at,
            door=Door.ADMIN,
            undone_at=None if stands else NOW,
        )
        for outcome, at, stands in one.calls
    ]
    return [*cases, *steps]
