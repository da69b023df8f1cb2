"""Consent: who may be written to, and how we know.

A subscriber is written to only when a subscription is confirmed *and* the address is not
suppressed. Suppression wins over everything, including an account's insistence. What somebody
agreed to is kept as it was shown to them, in records that are only ever added. Taking a consent
back is immediate, costs one tap, and can be undone for 30 days.
"""
