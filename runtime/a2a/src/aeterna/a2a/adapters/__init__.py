"""The kit's way to the thread store."""
