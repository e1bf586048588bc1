"""What the relay needs of the world."""
