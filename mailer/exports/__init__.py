"""Exports: people to a file. A counted act, with a reason, that is written down.

A file goes out row by row as it is read, in a form that can be read in again without loss.
"""
