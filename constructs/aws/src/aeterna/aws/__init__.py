"""The aws package of Aeterna."""
