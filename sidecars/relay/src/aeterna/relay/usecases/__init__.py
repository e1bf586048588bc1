"""What the relay does."""
