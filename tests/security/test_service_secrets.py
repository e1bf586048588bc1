"""A token is a secret: it goes in, and comes out of nothing that the service says, logs or counts."""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING

import pytest
import structlog

from aeterna.service.telemetry import configure_logs
from aeterna.service.testing import FakeDecisionPoint
from fixtures.fix_service import client_of, shelf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.service.adapters.jwt import JwksTokenVerifier

pytestmark = pytest.mark.anyio


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Return everything the process logs, down to the debugging of its libraries."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    written = io.StringIO()
    configure_logs("shelf", "debug", written)
    yield written
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


async def test_a_token_leaves_no_trace_whatever_happens_to_the_request(
    verifier: JwksTokenVerifier, bearer: dict[str, str], log: io.StringIO
) -> None:
    """The route that breaks even puts all its headers into the message of its exception."""
    token = bearer["Authorization"].removeprefix("Bearer ")
    touched = {"Authorization": f"{bearer['Authorization'][:-4]}AAAA"}
    said: list[str] = []
    for decisions in (FakeDecisionPoint(), FakeDecisionPoint(allow=False), FakeDecisionPoint(available=False)):
        async with client_of(shelf(verifier, decisions)) as client:
            for headers in (bearer, touched):
                said.extend(
                    [
                        str((answer.headers, answer.text))
                        for answer in [
                            await client.post("/api/v1/books/emma", json={"pages": 1}, headers=headers),
                            await client.post("/api/v1/books/emma", json={"pages": "?"}, headers=headers),
                            await client.get("/api/v1/broken", headers=headers),
                            await client.get("/nowhere", headers=headers),
                            await client.get("/health", headers=headers),
                            await client.get("/metrics"),
                        ]
                    ]
                )

    header, payload, signature = token.split(".")
    assert "request.failed" in log.getvalue()
    for part in (header, payload, signature):
        assert part not in log.getvalue()
        assert not any(part in text for text in said)
