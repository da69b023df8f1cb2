"""The census of the ladder: how many stand on each tier."""
