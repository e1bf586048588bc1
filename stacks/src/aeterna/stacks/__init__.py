"""The stacks package of Aeterna."""
