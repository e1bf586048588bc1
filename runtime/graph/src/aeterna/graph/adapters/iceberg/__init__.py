"""The durable graph on Apache Iceberg, through pyiceberg."""
