"""The cli package of Aeterna."""
