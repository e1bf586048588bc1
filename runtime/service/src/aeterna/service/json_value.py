"""The shape of any JSON value, as the chassis's ports name it."""

from __future__ import annotations

from aeterna.contracts.json_value import JsonValue

__all__ = ["JsonValue"]
