"""Runs the injector: ``python -P -m aeterna.injector``."""

from aeterna.injector.main import main

if __name__ == "__main__":
    main()
