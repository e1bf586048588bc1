"""Versions, findings and the audit, as values."""
