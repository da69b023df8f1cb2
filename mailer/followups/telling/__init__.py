"""Telling: when rounds were walked, and which organisers are told in the morning who waits."""
