"""Cedar, the SMT solver and PostgreSQL."""
