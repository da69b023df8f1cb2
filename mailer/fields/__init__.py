"""Fields: what an organisation wants to know of its people beyond what everybody is asked.

A field has a kind, and a value that is not of it is refused at the field. Fields about what the law
protects specially (GDPR article 9: belief, health, origin…) are off until somebody turns them on;
their values are encrypted in a table of their own, need a consent of their own, and are shown only
as numbers, from a threshold on.
"""
