"""Segments: living questions about the roll, read as sentences.

A segment is a tree of conditions under *all*, *any* and *none*. Each condition is a *facet* that
some slice of ours knows how to say in words and in SQL; bootstrap registers them. An empty question
is nobody, and everybody is a choice that somebody makes and sees spelled out.
"""
