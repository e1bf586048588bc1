"""Where the graph meets its drivers: pyiceberg, DuckDB, numpy, SQL databases, the clouds' logins and OpenTelemetry."""
