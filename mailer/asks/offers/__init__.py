"""What campaigns offered to whom, and whom they may offer what."""
