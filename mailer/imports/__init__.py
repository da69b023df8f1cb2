"""Imports: people from a file.

A file is *rehearsed* first: every line is read and its fate is written down, and nothing else
happens. A person then chooses the basis (*already agreed, with this evidence* or *ask them
again*), and the lines are applied in small batches that survive a crash exactly where they were.
A file never makes anyone confirmed without such a basis, and never brings back who has left or is
suppressed.
"""
