"""The client package of Aeterna."""
