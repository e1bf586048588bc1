"""The ledger in PostgreSQL: documents, what they contribute, and what the graph does not show yet."""
