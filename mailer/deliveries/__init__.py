"""Deliveries: the ledger and the engine.

A delivery is one message to one subscriber: a row that says how far it has come. A worker
*claims* rows, which is harmless to lose; a *beat*, one short transaction, settles what came of
the last and marks the next as `sending`; only then does a body go out. So what a killed worker
leaves in doubt is never more than it had in hand, and it is listed by name. `sent` means that the
mail server of the recipient's side accepted it. Letters go through the same gate, before
campaigns.
"""
