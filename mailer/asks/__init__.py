"""Asks: concrete things to do, the demands that they serve, and who has said yes to them.

A *demand* is a one-line aim; an *ask* is one thing that somebody can do for it. Saying yes is a
*pledge*, and it is followed to its end: done, not yet, help is needed, not for me. Every answer is
dated, can be repeated without changing anything more, and can be undone for 30 days. A campaign
offers one ask to all its readers, or to each the one that is best for them (`choosing`).
"""
