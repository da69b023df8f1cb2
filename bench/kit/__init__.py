"""What the measuring programs share: a town of people, sinks, processes, tables."""
