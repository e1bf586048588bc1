"""Where a stack keeps its state."""

from __future__ import annotations

from aeterna.synth._cdk import LocalBackend, S3Backend

__all__ = ["LocalBackend", "S3Backend"]
