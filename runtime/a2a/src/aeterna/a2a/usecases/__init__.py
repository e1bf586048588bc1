"""What runs an agent's tasks, in terms of the ports."""
