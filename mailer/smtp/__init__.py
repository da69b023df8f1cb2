"""SMTP: aiosmtplib lives here and nowhere else.

It opens connections (greeting, EHLO, TLS, signing in) and hands them to a protocol of our own, one
synchronous state machine per connection. This room knows nothing of campaigns, rows or the
database: it takes errands and says what came of them.
"""

from mailer.smtp.relay import Relay, greet

__all__ = ["Relay", "greet"]
