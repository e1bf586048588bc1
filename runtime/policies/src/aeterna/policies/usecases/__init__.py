"""Proposing, analysing, deploying and rolling back."""
