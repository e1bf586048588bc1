"""The api package of Aeterna."""
