"""Where the thread store meets PostgreSQL; the only place that knows a driver."""
