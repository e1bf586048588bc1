"""The A2A server kit: an agent's author writes an executor, and its conversations survive every restart."""
