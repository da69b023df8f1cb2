"""What organisers are told: how far it has come, by name, and on a person's timeline."""

from datetime import timedelta

from sqlalchemy import update

from mailer.campaigns import sending
from mailer.deliveries import fates, record, store
from mailer.deliveries.model import Delivery, Key, Reason, Worker, last_word
from mailer.deliveries.naming import Namer
from mailer.kit.i18n import speaking
from mailer.kit.secrets import Keys
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState
from tests import makers as make
from tests.cast import Cast
from tests.support.sending import confirmed, draft, let_many_go


async def settle(work: Work, campaign_no: int, subscriber_no: int, **values: object) -> None:
    await work.session.execute(
        update(Delivery)
        .where(Delivery.campaign_no == campaign_no, Delivery.subscriber_no == subscriber_no)
        .values(at=work.now, **values)
    )


async def test_progress_counts_the_rows_and_says_when_it_ends(cast: Cast, work: Work) -> None:
    people = await make.people(work, 8)
    campaign = await confirmed(work, await draft(work))
    [campaign] = await sending.start_due(work)
    now = make.later(work, minutes=10)
    await settle(now, campaign.no, cast.bo.no, state=DeliveryState.SENT)
    await settle(now, campaign.no, cast.gil.no, state=DeliveryState.SENT)
    await settle(make.later(work, minutes=8), campaign.no, people[0].no, state=DeliveryState.SENT)
    await settle(now, campaign.no, people[1].no, state=DeliveryState.REFUSED)
    again = now.now + timedelta(minutes=5)
    put_off = {"state": DeliveryState.DEFERRED, "due_at": again}
    await settle(now, campaign.no, people[2].no, **put_off)

    progress = await store.progress(now, campaign)

    assert progress.counts == {
        DeliveryState.SENT: 3,
        DeliveryState.REFUSED: 1,
        DeliveryState.DEFERRED: 1,
        DeliveryState.QUEUED: 5,
    }
    assert progress.total == campaign.recipients == 10
    assert progress.rate == 2  # in the last minute
    assert progress.waiting == 6
    # Five are in turn, and two go in a minute; the sixth has an hour of its own.
    assert progress.finish_at == now.now + timedelta(minutes=2.5)
    assert progress.next_try_at == again


async def test_a_beginning_tells_its_pace_before_a_minute_is_over(cast: Cast, work: Work) -> None:
    await make.people(work, 8)
    await confirmed(work, await draft(work))
    [campaign] = await sending.start_due(work)
    soon = make.later(work, seconds=20)
    await settle(soon, campaign.no, cast.bo.no, state=DeliveryState.SENT)

    progress = await store.progress(soon, campaign)

    assert progress.rate == 3  # one in 20 seconds
    assert progress.finish_at == soon.now + timedelta(minutes=3)


async def test_what_is_paused_has_no_hour_at_which_it_is_done(cast: Cast, work: Work) -> None:
    await confirmed(work, await draft(work))
    [campaign] = await sending.start_due(work)
    await settle(work, campaign.no, cast.bo.no, state=DeliveryState.SENT)
    await sending.pause(work, campaign)

    assert (await store.progress(work, campaign)).finish_at is None


async def test_fates_are_told_by_name_a_page_at_a_time(cast: Cast, work: Work) -> None:
    campaign = await confirmed(work, await draft(work))
    for no in (cast.bo.no, cast.gil.no):
        await settle(work, campaign.no, no, state=DeliveryState.REFUSED, code=550, reply="5.1.1 no")

    first = await fates.fates(work, campaign, [DeliveryState.REFUSED], limit=1)
    assert [fate.subscriber_no for fate in first.rows] == [cast.bo.no]
    assert first.next_after == cast.bo.no
    rest = await fates.fates(work, campaign, [DeliveryState.REFUSED], after=first.next_after)
    [fate] = rest.rows
    assert fate.subscriber
    assert (fate.subscriber.no, fate.code, fate.reply) == (cast.gil.no, 550, "5.1.1 no")


async def test_a_timeline_tells_of_each_campaign_that_has_begun(cast: Cast, work: Work) -> None:
    await let_many_go(work)
    sent = await confirmed(work, await draft(work, name="First"))
    skipped = await confirmed(work, await draft(work, name="Second"))
    await confirmed(work, await draft(work, name="Not begun"))
    await sending.start_due(work)
    await settle(work, sent.no, cast.bo.no, state=DeliveryState.SENT)
    await settle(
        work, skipped.no, cast.bo.no, state=DeliveryState.SKIPPED, reply=Reason.PAUSED.value
    )

    entries = await record.entries(work, cast.bo.no)

    assert [(entry.kind, entry.words, entry.details) for entry in entries] == [
        ("delivery_skipped", "Was left out of “Second”", "On a break"),
        ("delivery_sent", "Was sent “First”", "Accepted by their mail server."),
    ]


async def test_a_workers_sign_of_life_is_told(cast: Cast, work: Work) -> None:
    assert await store.last_heartbeat(work) is None
    ago = work.now - timedelta(minutes=5)
    work.session.add(Worker(started_at=ago, seen_at=ago))
    work.session.add(Worker(started_at=work.now, seen_at=work.now, ended_at=work.now))
    await work.session.flush()

    assert await store.last_heartbeat(work) == ago
    assert await store.last_seen(work) == work.now


def test_a_reason_is_said_in_words_and_a_reply_as_the_server_said_it() -> None:
    assert last_word("5.1.1 nobody here") == "5.1.1 nobody here"
    assert last_word(None) == ""
    with speaking("en"):
        assert all(last_word(reason.value) != reason.value for reason in Reason)


def test_a_message_id_names_its_key_and_nobody_can_make_one_up() -> None:
    namer, other = Namer(Keys(b"a" * 32)), Namer(Keys(b"b" * 32))
    for key in (Key(1, 1, 1), Key(0, 0, 7), Key(2**40, 1, 2**62), Key(300, 2, 65536)):
        name = namer.name(key)
        assert namer.read(name) == namer.read(name.upper()) == key
        assert other.read(name) is None
        assert len(name) <= 64
        assert name.isalnum()
    name = namer.name(Key(3, 1, 5))
    changed = ("b" if name[0] == "a" else "a") + name[1:]
    for nonsense in ("", "a", "!", "é", "0189", changed, name[:-1], name + "a"):
        assert namer.read(nonsense) is None
