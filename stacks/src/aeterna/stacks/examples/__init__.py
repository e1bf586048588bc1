"""Stacks as a customer would write them, to be copied."""
