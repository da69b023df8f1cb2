"""Writing down what a file knows better of people: details and telephone numbers, by its rule."""

from typing import Any

from sqlalchemy import select

from mailer.imports import judging
from mailer.imports.batch import Batch
from mailer.imports.judging import DETAILS, UNSCOPED, L, S
from mailer.imports.model import Basis, Fate, Rule
from mailer.phones import actions as phones
from mailer.phones import store as phone_store
from mailer.subscribers.model import Subscriber


async def change(batch: Batch) -> int:
    """Write the details that the file knows better, by the rule; keep what stood there."""
    people = (
        select(L.line, S.no, *[S[name] for name in DETAILS], *[L[name] for name in DETAILS])
        .where(batch.willing, L.fate == Fate.CHANGED, S.no == L.subscriber_no)
        .order_by(S.no)
        .execution_options(**UNSCOPED)
    )
    changes: list[dict[str, Any]] = []
    befores: list[dict[str, Any]] = []
    for line, no, *details in await batch.work.session.execute(people):
        stands = dict(zip(DETAILS, details, strict=False))
        said = dict(zip(DETAILS, details[len(DETAILS) :], strict=True))
        becomes = {
            name: said[name]
            for name in DETAILS
            if said[name] and _changes(name, stands[name], said[name], batch.import_.rule)
        }
        if not becomes:
            continue
        row = {**stands, **becomes}
        keys = Subscriber.keys_of(row["first_name"], row["last_name"])
        changes.append({"at": no, **row, **keys})
        befores.append(
            {"at": line, "kept": {"was": {n: stands[n] for n in becomes}, "became": becomes}}
        )
    await judging.write_details(batch.work, changes)
    await judging.keep_befores(batch.work, batch.import_, befores)
    return len(changes)


async def note_phones(batch: Batch) -> int:
    """Take down telephone numbers, under the evidence; who is only asked gave none for that."""
    if "phone" not in batch.import_.columns or batch.import_.basis is not Basis.AGREED:
        return 0
    wanted = select(L.line, L.subscriber_no, L.phone).where(batch.willing, L.phone.is_not(None))
    if batch.import_.rule is Rule.LEAVE:
        wanted = wanted.where(batch.is_new)
    said = {
        no: (line, batch.work.keys.unseal("phone", sealed))
        for line, no, sealed in (await batch.work.session.execute(wanted))
    }
    if batch.import_.rule is not Rule.OVERWRITE:
        standing = await phone_store.of_many(batch.work, list(said))
        for no, phone in standing.items():
            if phone.sealed is not None:
                del said[no]
    changed = await phones.note_many(
        batch.work,
        {no: number for no, (_, number) in said.items()},
        wording=batch.import_.evidence,
        language=batch.ground.us.language,
        import_no=batch.import_.no,
    )
    await judging.keep_phones(
        batch.work,
        batch.import_,
        [
            {"at": said[no][0], "kept": batch.work.keys.seal("phone", before)}
            for no, before in changed.items()
        ],
    )
    return len(changed)


def _changes(name: str, stands: str, said: str, rule: Rule) -> bool:
    if rule is Rule.FILL:
        return not stands and name != "language"
    return said != stands
