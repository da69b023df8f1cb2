"""Activity: the lines of a subscriber's timeline.

Each is a dated fact about one person: what happened, through which door, and which account did it
if one did. Lines are only ever added. Deliveries are shown on the timeline from their own rows and
write none here.
"""
