"""Bulk acts: one thing done to many people, who were counted first.

Who is touched is written down before anything happens, and the number is shown. The worker does it
in small batches that survive a crash; each person's row says whether they were changed, and an undo
takes back for those alone.
"""
