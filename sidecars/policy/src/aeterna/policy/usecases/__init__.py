"""Deciding, remembering decisions, and taking on new editions of the policies."""
