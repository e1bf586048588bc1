"""Runs the thread store: ``python -m aeterna.threads``."""

from aeterna.threads.main import main

if __name__ == "__main__":
    main()
