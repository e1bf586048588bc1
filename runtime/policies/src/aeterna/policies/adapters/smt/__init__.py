"""Policies as formulas that z3 solves, and its models as requests that Cedar can be asked about."""
