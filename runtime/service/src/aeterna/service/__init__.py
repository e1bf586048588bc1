"""The service package of Aeterna."""
