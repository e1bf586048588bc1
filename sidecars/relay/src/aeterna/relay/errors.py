"""What the relay refuses or cannot do."""
