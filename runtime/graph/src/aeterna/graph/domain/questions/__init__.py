"""The questions that look at more than one node's surroundings: each is checked when it is made."""
