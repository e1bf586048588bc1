"""Versions and audit in PostgreSQL."""
