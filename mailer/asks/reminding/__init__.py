"""Letters about the date of a yes: once shortly before it, and once after it whether it was done.

They go to who said yes and has not told us what came of it, about that yes alone. Who needs help
waits for us and is left alone, and so is who answered within the last day, or was asked again and
has promised nothing. Whoever is on a break is asked when it is over.
"""
