"""What cases are about: pledges and what was answered since, suggestions, questions."""
