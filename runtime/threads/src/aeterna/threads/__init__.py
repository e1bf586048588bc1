"""Conversations that survive restarts: threads and messages in PostgreSQL, appended exactly once."""
