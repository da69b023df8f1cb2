"""Rounds: who has begun to wait as time went by is found, and organisers are told of it."""
