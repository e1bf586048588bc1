"""The data plane's OpenAPI document, kept as a file beside this one; a test holds it equal to the routes."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

OPENAPI: Final = "/openapi.json"


def document() -> bytes:
    """Return the document."""
    return files(__package__ or __name__).joinpath("openapi.json").read_bytes()
