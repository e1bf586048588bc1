"""What a conversation is, without anything that keeps or carries it."""
