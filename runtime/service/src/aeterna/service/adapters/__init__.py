"""Drivers that the chassis stands on: JWT verification and the AuthZEN client."""
