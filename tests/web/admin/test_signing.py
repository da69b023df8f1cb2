"""The page of the signature: what to publish, and what signs."""

import html
import re

import httpx

from mailer.bootstrap import House
from mailer.organisation import store as organisations
from mailer.signing import actions, store
from mailer.signing.dkim import Algorithm, in_strings
from mailer.signing.model import SigningKey, Stage
from tests.cast import Cast
from tests.support.looking import viewer
from tests.support.signing_in import post, signed_in

PAGE = "/admin/signing"
DOMAIN = "war.example.org"


async def made(house: House, algorithm: Algorithm = Algorithm.ED25519) -> SigningKey:
    key = await actions.generate(algorithm)
    async with house.work() as work:
        return await actions.new_key(work, key)


async def signing(house: House) -> SigningKey:
    key = await made(house)
    async with house.work() as work:
        await actions.switch_on(work, await work.session.merge(key), is_published=True)
    return await again(house, key)


async def again(house: House, key: SigningKey) -> SigningKey:
    """Read a key as it stands now."""
    async with house.work(reading=True) as work:
        found = await store.by_selector(work, key.selector)
    assert found is not None
    return found


def read(answer: httpx.Response) -> str:
    """Give the words of a page as they are read."""
    return html.unescape(re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", answer.text)))


async def test_without_a_key_it_says_who_should_sign(admin: httpx.AsyncClient) -> None:
    shown = read(await admin.get(PAGE))
    assert f"Emails from {DOMAIN} are not signed here." in shown
    assert "good if the mail server that you send through signs them" in shown


async def test_a_key_is_made_and_its_record_is_there_to_be_copied(
    admin: httpx.AsyncClient, house: House
) -> None:
    answer = await post(admin, PAGE, {"algorithm": "rsa"})
    shown = read(await admin.get(answer.headers["location"]))

    async with house.work(reading=True) as work:
        [key] = await store.all_keys(work)
    assert (key.algorithm, key.stage) == (Algorithm.RSA, Stage.MADE)
    assert f"The key {key.selector} is made. It signs nothing" in shown
    for said in (key.record_name, key.record, in_strings(key.record)):
        assert said in shown
    assert f"Emails from {DOMAIN} are not signed here." in shown


async def test_it_signs_once_somebody_says_that_it_is_published(
    admin: httpx.AsyncClient, house: House
) -> None:
    key = await made(house)
    refused = await post(admin, f"{PAGE}/{key.selector}/use", page=PAGE)
    assert refused.status_code == 422
    assert "First publish the record." in read(refused)
    assert f'href="#published-{key.selector}"' in refused.text
    assert (await again(house, key)).stage is Stage.MADE

    answer = await post(admin, f"{PAGE}/{key.selector}/use", {"published": "yes"}, page=PAGE)
    shown = read(await admin.get(answer.headers["location"]))

    assert (await again(house, key)).stage is Stage.SIGNING
    assert f"Emails from {DOMAIN} are signed here." in shown
    assert f"signed with {key.selector}" in shown


async def test_a_key_that_was_retired_meanwhile_is_not_switched_on(
    admin: httpx.AsyncClient, house: House
) -> None:
    key = await made(house)
    async with house.work() as work:
        await actions.retire(work, await work.session.merge(key))

    answer = await post(admin, f"{PAGE}/{key.selector}/use", {"published": "yes"}, page=PAGE)
    assert answer.status_code == 422
    assert "This key is retired" in read(answer)


async def test_retiring_says_what_follows_and_asks(admin: httpx.AsyncClient, house: House) -> None:
    key = await signing(house)
    ask = f"{PAGE}/{key.selector}/retirement"
    shown = read(await admin.get(ask))
    assert "Emails then leave here unsigned" in shown

    await post(admin, ask, {"answer": "no"})
    assert (await again(house, key)).stage is Stage.SIGNING

    answer = await post(admin, ask, {"answer": "yes"})
    shown = read(await admin.get(answer.headers["location"]))
    retired = await again(house, key)
    assert retired.stage is Stage.RETIRED
    assert retired.sealed is None
    assert f"The key {key.selector} is retired." in shown
    assert "Leave it in your DNS until" in shown
    assert (await admin.get(ask)).status_code == 303


async def test_retiring_one_of_two_says_which_still_signs(
    admin: httpx.AsyncClient, house: House
) -> None:
    first = await signing(house)
    rsa = await made(house, Algorithm.RSA)
    await post(admin, f"{PAGE}/{rsa.selector}/use", {"published": "yes"}, page=PAGE)

    shown = read(await admin.get(f"{PAGE}/{first.selector}/retirement"))
    assert f"Emails are still signed with {rsa.selector}." in shown


async def test_a_key_that_never_signed_may_be_thrown_away(
    admin: httpx.AsyncClient, house: House
) -> None:
    key = await made(house)
    shown = read(await admin.get(f"{PAGE}/{key.selector}/retirement"))
    assert "It has signed nothing" in shown


async def test_a_key_of_another_domain_signs_nothing_and_says_so(
    admin: httpx.AsyncClient, house: House
) -> None:
    await signing(house)
    async with house.work() as work:
        (await organisations.the_one(work)).sender_address = "news@new.example.org"

    shown = read(await admin.get(PAGE))
    assert "Emails from new.example.org are not signed here." in shown
    assert "Emails do not come from this domain any more." in shown


async def test_without_a_senders_address_there_is_nothing_to_make(
    admin: httpx.AsyncClient, house: House
) -> None:
    before = await admin.get(PAGE)
    async with house.work() as work:
        (await organisations.the_one(work)).sender_address = ""
    shown = await admin.get(PAGE)
    assert "Nobody has said yet which address emails come from." in read(shown)
    assert 'aria-labelledby="make"' not in shown.text

    token = re.findall(r'name="csrf" value="([^"]+)"', before.text)[0]
    refused = await admin.post(PAGE, data={"csrf": token, "algorithm": "ed25519"})
    assert refused.status_code == 422
    assert "First say which address that is." in read(refused)


async def test_an_unknown_key_is_not_found(admin: httpx.AsyncClient) -> None:
    assert (await admin.get(f"{PAGE}/nothing/retirement")).status_code == 404


async def test_the_record_says_who_did_what_with_keys(
    admin: httpx.AsyncClient, house: House
) -> None:
    await post(admin, PAGE, {"algorithm": "ed25519"})
    async with house.work(reading=True) as work:
        [key] = await store.all_keys(work)
    assert f"Made the key {key.selector} for the signature" in read(
        await admin.get("/admin/record")
    )


async def test_who_may_not_change_settings_may_not_see_it(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await signed_in(web, house, await viewer(house))
    assert (await web.get(PAGE)).status_code == 403
