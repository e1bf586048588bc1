"""The data plane's OpenAPI document, kept as a file beside this one; a test holds it equal to the routes."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

import orjson

OPENAPI: Final = "/openapi.json"


def document(*, max_evaluations: int) -> bytes:
    """Return the document, with the limit that this sidecar was given."""
    parsed = orjson.loads(files(__package__ or __name__).joinpath("openapi.json").read_bytes())
    parsed["components"]["schemas"]["Evaluations"]["properties"]["evaluations"]["maxItems"] = max_evaluations
    return orjson.dumps(parsed)
