"""The runtime on one machine: its state, its processes and their ports, keys and database."""
