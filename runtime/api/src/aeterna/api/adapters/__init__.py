"""Where the graph API meets its drivers."""
