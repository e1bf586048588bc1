"""Where the graph meets its drivers: pyiceberg, DuckDB, numpy and OpenTelemetry."""
