"""The `aeterna` command: the runtime on one machine, and the daily needs of whoever uses it."""
