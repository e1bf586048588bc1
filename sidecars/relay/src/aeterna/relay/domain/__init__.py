"""What the relay reasons about."""
