"""A service on the chassis with routes that take their time; started by ``test_service_process``."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta

import structlog
from fastapi import APIRouter, Request

from aeterna.service.app import service_app
from aeterna.service.lifecycle import Drain, serve
from aeterna.service.settings import ServiceSettings
from aeterna.service.telemetry import configure
from aeterna.service.testing import FakeDecisionPoint, FakeTokenVerifier

log = structlog.stdlib.get_logger(__name__)
router = APIRouter()


@router.get("/slow")
async def slow(request: Request) -> str:
    """Answer once the process is asked to stop."""
    drain: Drain = request.app.state.drain
    log.info("slow.begun")
    await drain.wait()
    return "finished because of the drain"


@router.get("/never")
async def never() -> None:
    """Never answer."""
    log.info("never.begun")
    await asyncio.Event().wait()


@router.post("/echo")
async def echo(request: Request) -> list[str]:
    """Answer with the names of the headers, once the body is there."""
    await request.body()
    return sorted(request.headers)


if __name__ == "__main__":
    certificate, key = sys.argv[1:3] or (None, None)
    settings = ServiceSettings.model_validate(
        {
            "port": 0,
            "issuer": "urn:test",
            "jwks": "unused",
            "policy_url": "http://policy",
            "tls_certificate_file": certificate,
            "tls_key_file": key,
        }
    )
    configure("slow", settings)
    app = service_app(
        name="slow",
        version="1",
        settings=settings,
        verifier=FakeTokenVerifier({}),
        decisions=FakeDecisionPoint(),
        checks={},
        problems={},
        routers=[router],
    )
    serve(app, host="127.0.0.1", port=0, drain_timeout=timedelta(seconds=10))
