"""Words that have broken programs: a page shows them as they are, and keeps them as they are."""

import html5lib
import httpx

from mailer.bootstrap import House
from mailer.kit.work import Door
from mailer.subscribers import store as people
from mailer.subscribers.model import Subscriber
from tests import makers as make
from tests.cast import Cast
from tests.exports.test_round_trip import NASTY, TEXTS, blns, naughty
from tests.support.forms import form_on


async def test_naughty_words_go_through_a_page_and_stay_what_they_are(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    texts = [*naughty(NASTY), *naughty(blns())[::40]]
    async with house.work(door=Door.CLI) as work:
        crowd = await make.people(work, len(texts), tier=cast.follower)
        for person, text in zip(crowd, texts, strict=True):
            await people.change(work, person, _called(text))

    for person, text in zip(crowd, texts, strict=True):
        path = f"/admin/people/{person.uid}"
        shown = (await admin.get(path)).text
        page = html5lib.parse(shown, namespaceHTMLElements=False)
        named = f"{_called(text)['first_name']} {_called(text)['last_name']}"
        assert named.split() == "".join(page.find(".//h1").itertext()).split()
        form = form_on(shown, holding="first_name")
        saved = await admin.post(f"{path}/details", data=form)
        assert saved.status_code == 303, (text, saved.text)

    async with house.work(reading=True) as work:
        after = await people.by_nos(work, [person.no for person in crowd])
    for person, text in zip(crowd, texts, strict=True):
        kept = {name: getattr(after[person.no], name) for name in _called(text)}
        assert kept == _called(text)


def _called(text: str) -> dict[str, str | None]:
    words = {name: text[:longest].strip() for name, longest in TEXTS.items()}
    return {**words, **Subscriber.keys_of(words["first_name"], words["last_name"])}
