"""Records: one person whole.

Each slice keeps what it knows of a person, and says it in its own `record.py`; this room walks them
all: for the timeline today, for my-data, merge and erasure when their time comes.
"""
