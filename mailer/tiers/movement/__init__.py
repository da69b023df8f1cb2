"""Movement: how many moved between which rungs in a time, and how they came to.

Joining is no move, and one that was undone is none.
"""
