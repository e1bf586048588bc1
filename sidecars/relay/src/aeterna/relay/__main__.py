"""Runs the relay: ``python -P -m aeterna.relay``."""

from aeterna.relay.main import main

if __name__ == "__main__":
    main()
