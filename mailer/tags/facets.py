"""What can be asked about somebody's tags."""

from sqlalchemy import Select, select

from mailer.kit.facets import Args, Facet, Option, Parameter, Takes, in_order, number_of, uses_the
from mailer.kit.i18n import N_, _
from mailer.kit.work import Work
from mailer.tags import store
from mailer.tags.model import Tagging


async def _tags(work: Work, _args: Args) -> list[Option]:
    return [Option(str(tag.no), tag.name) for tag in await store.open_tags(work)]


async def _tagged(_work: Work, args: Args) -> Select[int]:
    tagged = select(Tagging.subscriber_no).where(Tagging.tag_no == number_of(args, "tag"))
    return in_order(tagged)


async def _said(work: Work, args: Args, *, holds: bool) -> str:
    number = int(args["tag"])
    name = (await store.names_of(work, [number])).get(number, "")
    return (_("have the tag %(tag)s") if holds else _("do not have the tag %(tag)s")) % {
        "tag": name
    }


FACETS = (
    Facet(
        name="tag",
        group=N_("What we noted"),
        words=N_("have the tag"),
        negated=N_("do not have the tag"),
        parameters=(Parameter(name="tag", takes=Takes.ONE, words=N_("Tag"), options=_tags),),
        numbers=_tagged,
        sentence=_said,
        uses=uses_the("tag", "tag"),
    ),
)
