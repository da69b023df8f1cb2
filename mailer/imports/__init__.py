"""Imports: people from a file.

A file is received in parts, or read where it lies on the command line, and what its columns are is
proposed and put right by somebody. Then every line is read and its *fate* written down, and nothing
else happens: that is the rehearsal. A person chooses the basis (*already agreed, with this
evidence* or *ask them again*), and the lines are applied in batches that survive a crash exactly
where they were. For 7 days, and until somebody of it was written to, an import can be taken back as
a whole. A file never makes anyone confirmed without such a basis, and never brings back who has
left or is suppressed; who wants no mail by it is dealt with before everybody else.
"""
