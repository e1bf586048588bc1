"""What one machine is too small for: compaction, expiry and communities of many tenants' graphs, on Apache Spark."""
