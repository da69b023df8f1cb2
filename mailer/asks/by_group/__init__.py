"""How far asks have come in each group: who said yes, did it, or needs help.

Whoever is in two groups counts in both.
"""
