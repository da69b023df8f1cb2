"""Signals: how a lower room lets a higher one react to what happened to somebody.

A higher room says at bootstrap which kinds of lines it follows. Whenever such a line is written to
a timeline, a signal is written in the same transaction, so that neither is there without the other;
the worker hands it on and deletes it. A row and not a cursor over numbers: a slow transaction would
be overtaken by a quicker one with a higher number, and its line never seen.
"""
