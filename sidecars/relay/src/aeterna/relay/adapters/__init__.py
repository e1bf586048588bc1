"""What the relay stands on."""
