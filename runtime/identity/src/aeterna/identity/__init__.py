"""Tokens of a workload's own identity in its cloud."""
