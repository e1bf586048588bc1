"""Serve the graph API: ``python -P -m aeterna.api``."""

from aeterna.api.main import main

if __name__ == "__main__":
    main()
