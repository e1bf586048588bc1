"""The policy package of Aeterna."""
