"""Pairs of rows: two that seem to be one person, that are one by now, or that are two people."""
