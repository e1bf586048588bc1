"""The threads package of Aeterna."""
