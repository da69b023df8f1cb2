"""What became of asks: how many people said yes, did it, or need help; and who they are."""
