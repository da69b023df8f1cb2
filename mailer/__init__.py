"""Rollcall: who is on the roll, how far each wants to go, and what to ask of them next."""
