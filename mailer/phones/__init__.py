"""Phones: a number to call somebody by, encrypted, with a consent of its own.

A leak of the database alone gives no number away. Somebody may say when to call, or that nobody is
to call at all: that wish stands even when there is no number.
"""
