"""Tiers: the ladder of engagement, and how far each subscriber has chosen to go.

A tier has a rank and a promise: what you get, how often at most, and what we ask. People move
themselves: down at once and never argued with; up at once where the tier is open to all, by a
request where an organiser approves. Every move is a dated fact with a source, and can be undone for
30 days. Nothing else moves anybody.
"""
