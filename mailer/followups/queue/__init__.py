"""The queue: who waits for an organiser now, in the order in which to call."""
