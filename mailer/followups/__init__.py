"""Follow-ups: the people who wait for an organiser, and whom to help or to call next.

A *case* is opened because somebody asked for help, said yes to an ask that needs support, let its
date go by, is ready to step up, goes quiet, or did not read an alert; or because an organiser wants
to remember somebody. It has an owner or waits for one, is held by whoever is at it so that nobody
is called by two, and stays in the queue until it is settled. What somebody was told and answered is
a dated *step*, kept encrypted, which they can read, and which can be taken back for 30 days.
"""
