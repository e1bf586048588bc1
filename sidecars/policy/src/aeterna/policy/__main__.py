"""Runs the policy sidecar: ``python -P -m aeterna.policy``."""

from aeterna.policy.main import main

if __name__ == "__main__":
    main()
