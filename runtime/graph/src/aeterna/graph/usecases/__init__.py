"""What the graph does: admit and commit sessions, keep a tenant's lens fresh, look at the past."""
