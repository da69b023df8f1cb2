"""Tags: short words that organisers put on people, to find them again.

A tag says nothing that its person may not read. One that a segment, a form or an import uses is not
closed before that is changed.
"""
