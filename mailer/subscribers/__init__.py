"""Subscribers: the people we know.

A subscriber is a row, usually with an email address; one without (phone or paper only) is never in
an audience. Whether they may be written to is not a column: it is derived from what they agreed to
and from the suppression list (`consent`). Everything else is a dated fact about them. Who may see
whom is decided here, by `visible`, and every query that reads subscribers says it.
"""
