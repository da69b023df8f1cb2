"""What time does to asks and to what was answered."""
