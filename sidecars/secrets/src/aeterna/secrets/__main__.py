"""Runs the secrets sidecar: ``python -P -m aeterna.secrets``."""

from aeterna.secrets.main import main

if __name__ == "__main__":
    main()
