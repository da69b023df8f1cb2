"""Every question about sign-up forms."""

from collections.abc import Collection, Sequence

from sqlalchemy import select

from mailer.forms.model import SignUpForm
from mailer.kit.work import Work


async def all_forms(work: Work) -> Sequence[SignUpForm]:
    """Give every form there ever was: the open ones first, oldest first."""
    found = await work.session.scalars(
        select(SignUpForm).order_by(SignUpForm.closed_at.is_not(None), SignUpForm.no)
    )
    return found.all()


async def open_forms(work: Work, *, list_no: int) -> Sequence[SignUpForm]:
    """Give the open forms by which people join a list."""
    found = await work.session.scalars(
        select(SignUpForm)
        .where(SignUpForm.list_no == list_no, SignUpForm.closed_at.is_(None))
        .order_by(SignUpForm.no)
    )
    return found.all()


async def by_no(work: Work, no: int) -> SignUpForm | None:
    """Find one by number."""
    return await work.session.get(SignUpForm, no)


async def by_nos(work: Work, nos: Collection[int]) -> dict[int, SignUpForm]:
    """Find several by number."""
    found = await work.session.scalars(select(SignUpForm).where(SignUpForm.no.in_(nos)))
    return {form.no: form for form in found}


async def by_slug(work: Work, slug: str) -> SignUpForm | None:
    """Find one by the name in its address."""
    return await work.session.scalar(select(SignUpForm).where(SignUpForm.slug == slug))


async def again(work: Work, form: SignUpForm) -> SignUpForm:
    """Read a form anew and hold it, for changing it."""
    return await work.session.get_one(
        SignUpForm, form.no, populate_existing=True, with_for_update={"key_share": True}
    )
