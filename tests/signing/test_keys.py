"""Keys that sign: made, published by somebody, switched on, retired."""

import pytest
from sqlalchemy import select

from mailer.audit.model import AuditLine
from mailer.bootstrap import House
from mailer.kit.secrets import Keys, SealBroken
from mailer.kit.work import Work
from mailer.signing import actions, dkim, store
from mailer.signing.actions import KeyRetired, NotPublished, SenderUnsaid
from mailer.signing.dkim import Algorithm
from mailer.signing.model import STAYS_PUBLISHED, SigningKey, Stage
from tests import makers as make
from tests.cast import Cast

DOMAIN = "war.example.org"


async def made(work: Work, algorithm: Algorithm = Algorithm.ED25519) -> SigningKey:
    return await actions.new_key(work, await actions.generate(algorithm))


async def signing(work: Work, algorithm: Algorithm = Algorithm.ED25519) -> SigningKey:
    key = await made(work, algorithm)
    await actions.switch_on(work, key, is_published=True)
    return key


async def test_a_new_key_belongs_to_the_senders_domain_and_signs_nothing_yet(
    work: Work, cast: Cast
) -> None:
    key = await made(work, Algorithm.RSA)

    assert key.domain == DOMAIN
    assert key.selector == f"rc{work.now:%Y%m%d}-rsa"
    assert key.record_name == f"{key.selector}._domainkey.{DOMAIN}"
    assert key.record.startswith("v=DKIM1; k=rsa; p=MIIB")
    assert key.stage is Stage.MADE
    assert await store.current(work, DOMAIN) == ()


async def test_a_domain_with_other_letters_is_named_as_dns_has_it(work: Work, cast: Cast) -> None:
    cast.organisation.sender_address = "news@Œuvre.example.org"
    work.session.add(cast.organisation)
    await work.session.flush()

    assert (await made(work)).domain == "xn--uvre-f4a.example.org"


async def test_without_a_senders_address_there_is_no_key(work: Work, cast: Cast) -> None:
    key = await actions.generate(Algorithm.ED25519)
    cast.organisation.sender_address = ""
    work.session.add(cast.organisation)
    await work.session.flush()

    with pytest.raises(SenderUnsaid):
        await actions.new_key(work, key)


async def test_the_secret_half_is_sealed(work: Work, cast: Cast) -> None:
    key = await made(work)

    assert key.sealed
    assert b"PRIVATE" not in key.sealed
    opened = dkim.read(work.keys.unseal(store.SEAL, key.sealed))
    assert dkim.public_half(opened) == key.public


async def test_keys_of_one_day_have_names_of_their_own(work: Work, cast: Cast) -> None:
    keys = [await made(work) for _ in range(3)]
    first = f"rc{work.now:%Y%m%d}-ed25519"
    assert [key.selector for key in keys] == [first, f"{first}-2", f"{first}-3"]


async def test_a_key_signs_once_somebody_has_said_that_it_is_published(
    work: Work, cast: Cast
) -> None:
    key = await made(work)
    with pytest.raises(NotPublished):
        await actions.switch_on(work, key, is_published=False)
    assert await store.current(work, DOMAIN) == ()

    await actions.switch_on(work, key, is_published=True)

    [signature] = await store.current(work, DOMAIN)
    header = signature.sign(b"From: news@war.example.org\r\n\r\nHello\r\n", 0)
    assert f"s={key.selector};".encode() in header
    assert f"d={DOMAIN};".encode() in header
    assert await store.current(work, "other.example.org") == ()


async def test_both_algorithms_sign_side_by_side(work: Work, cast: Cast) -> None:
    for algorithm in Algorithm:
        await signing(work, algorithm)

    found = await store.current(work, DOMAIN)
    assert {one.algorithm for one in found} == set(Algorithm)


async def test_the_next_key_of_its_kind_takes_its_place(work: Work, cast: Cast) -> None:
    rsa = await signing(work, Algorithm.RSA)
    old = await signing(work)
    new = await made(make.later(work, days=90))

    retired = await actions.switch_on(make.later(work, days=90), new, is_published=True)

    assert retired == [old]
    assert old.retired_at == make.later(work, days=90).now
    assert old.published_until == make.later(work, days=90).now + STAYS_PUBLISHED
    assert old.sealed is None
    assert {key.no for key in await store.signing(work, DOMAIN)} == {rsa.no, new.no}


async def test_switching_on_twice_is_switching_on_once(work: Work, cast: Cast) -> None:
    key = await signing(work)
    since = key.signs_since
    assert await actions.switch_on(make.later(work, days=1), key, is_published=True) == []
    assert key.signs_since == since


async def test_a_retired_key_signs_nothing_and_cannot_come_back(work: Work, cast: Cast) -> None:
    key = await signing(work)
    await actions.retire(work, key)
    await actions.retire(make.later(work, days=1), key)

    assert key.retired_at == work.now
    assert key.sealed is None
    assert await store.current(work, DOMAIN) == ()
    with pytest.raises(KeyRetired):
        await actions.switch_on(work, key, is_published=True)


async def test_a_key_that_never_signed_may_leave_dns_at_once(work: Work, cast: Cast) -> None:
    key = await made(work)
    assert key.published_until is None
    await actions.retire(work, key)
    assert key.published_until == work.now


async def test_with_another_root_key_nothing_goes_out_unsigned(house: House, cast: Cast) -> None:
    async with house.work() as work:
        await signing(work)
    other = House(settings=house.settings, engine=house.engine, keys=Keys(b"another root key" * 2))
    async with other.work(reading=True) as work:
        with pytest.raises(SealBroken):
            await store.current(work, DOMAIN)


async def test_each_step_is_in_the_record(work: Work, cast: Cast) -> None:
    key = await signing(work)
    await actions.retire(work, key)

    lines = await work.session.scalars(
        select(AuditLine).where(AuditLine.act.startswith("signing_key")).order_by(AuditLine.no)
    )
    found = [(line.act, line.facts) for line in lines]
    assert found == [
        (f"signing_key_{done}", {"selector": key.selector})
        for done in ("made", "switched_on", "retired")
    ]
