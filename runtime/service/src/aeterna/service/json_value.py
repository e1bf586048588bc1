"""The shape of any JSON value, as the chassis's ports name it; the enforcement point below it has the same."""

from __future__ import annotations

from aeterna.enforcement.json_value import JsonValue

__all__ = ["JsonValue"]
