"""SMTP: aiosmtplib lives here and nowhere else.

It opens connections (greeting, EHLO, TLS, signing in) and hands them to a protocol of our own, one
synchronous state machine per connection. Relays share the errands by their weights and stand in for
each other. This room knows nothing of campaigns, rows or the database: it takes errands and says
what came of them.
"""

from mailer.smtp.fleet import Fleet, greet, route_of
from mailer.smtp.relay import greet_route

__all__ = ["Fleet", "greet", "greet_route", "route_of"]
