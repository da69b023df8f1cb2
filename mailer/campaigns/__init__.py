"""Campaigns: one mailing to one audience.

A campaign is written as revisions that are only ever added. At review its audience is *frozen*:
one row for each person who gets it, counted, and everyone who is left out counted by reason. The
number that is typed to confirm is the number of those rows. It is then scheduled, with time to
call it off, sent, and done only when every row is accounted for.
"""
