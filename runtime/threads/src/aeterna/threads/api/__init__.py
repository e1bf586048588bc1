"""The thread store over HTTP."""
