"""Bundles, requests and verdicts, in Cedar's words."""
