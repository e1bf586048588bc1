"""The graph package of Aeterna."""
