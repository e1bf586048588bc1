"""What a caller of the thread store wants done, in terms of the ports."""
