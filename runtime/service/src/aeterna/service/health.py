"""What a process says of itself to its platform: alive, ready, healthy and its metrics; framework-free."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

import structlog
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from aeterna.contracts.errors import AeternaError
from aeterna.service.asgi import send_bytes
from aeterna.service.errors import NotReadyError
from aeterna.service.problem import problem_of_status, send_problem

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from aeterna.service.asgi import App, Receive, Scope, Send
    from aeterna.service.lifecycle import Drain

Check: TypeAlias = Callable[[], Awaitable[None]]
"""Returns when what it looks at works, and raises when it does not."""

PATHS: Final = frozenset({"/health", "/live", "/ready", "/metrics"})
PROBES: Final = PATHS - {"/health"}
_TIMEOUT: Final = timedelta(seconds=2)

log = structlog.stdlib.get_logger(__name__)


class Health:
    """Answers ``/live``, ``/ready``, ``/health`` and ``/metrics`` in front of an application.

    ``/live`` says only that the process answers: a lost database must not get it restarted. ``/ready`` runs the checks
    and turns false while the process drains. ``/health`` runs the same checks and tells how long each took. Probes that
    arrive together share one run, so that probing cannot be used to load what is probed.

    ``notes`` is what ``/health`` tells beside that, of faults that keep nobody from being served.
    """

    def __init__(
        self,
        app: App,
        *,
        name: str,
        version: str,
        checks: Mapping[str, Check],
        drain: Drain,
        registry: CollectorRegistry,
        timeout: timedelta = _TIMEOUT,
        notes: Callable[[], Mapping[str, object]] = dict[str, object],
    ) -> None:
        self._app = app
        self._identity = {"service": name, "version": version}
        self._checks = checks
        self._drain = drain
        self._registry = registry
        self._timeout = timeout.total_seconds()
        self._notes = notes
        self._running: asyncio.Task[dict[str, dict[str, object]]] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a probe, and pass everything else on."""
        if scope["type"] != "http" or scope["path"] not in PATHS or scope["method"] not in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        match scope["path"]:
            case "/live":
                await _answer(send, 200, {"status": "ok"})
            case "/metrics":
                await send_bytes(send, 200, CONTENT_TYPE_PLAIN_0_0_4, generate_latest(self._registry))
            case "/ready" if self._drain.requested:
                await _answer(send, 503, {"status": "draining"})
            case path:
                await self._deep(send, details=path == "/health")

    async def _deep(self, send: Send, *, details: bool) -> None:
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        # Shielded: a prober that hangs up must not cancel the run that the others wait for.
        results = await asyncio.shield(self._running)
        failed = sorted(name for name, result in results.items() if not result["ok"])
        summary: dict[str, object] = {"status": "unavailable" if failed else "ok", "failed": failed}
        more: dict[str, object] = {**self._identity, "draining": self._drain.requested, "checks": results}
        notes = self._notes()
        if notes:
            more["notes"] = notes
        await _answer(send, 503 if failed else 200, summary | more if details else summary)

    async def _run(self) -> dict[str, dict[str, object]]:
        outcomes = await asyncio.gather(*(self._one(name, check) for name, check in self._checks.items()))
        return dict(zip(self._checks, outcomes, strict=True))

    async def _one(self, name: str, check: Check) -> dict[str, object]:
        """Run one check; the answer names the kind of failure only, since a message may hold an address or a secret."""
        begun = time.perf_counter()
        reason: str | None = None
        why: dict[str, object] = {}
        try:
            async with asyncio.timeout(self._timeout):
                await check()
        except NotReadyError as exc:
            reason = exc.code
            why = {"why": exc.why}
        except AeternaError as exc:
            reason = exc.code
        except TimeoutError:
            reason = "timeout"
        except Exception as exc:
            # Whatever a driver raises means "not ready" here; the log has the rest.
            log.exception("health.check_failed", check=name)
            reason = type(exc).__name__
        outcome: dict[str, object] = {"ok": reason is None, "ms": round((time.perf_counter() - begun) * 1000, 2)}
        return outcome if reason is None else outcome | {"reason": reason} | why


class ProbesOnly:
    """Passes ``/live``, ``/ready`` and ``/metrics`` on to an application with a `Health`, and is nothing else.

    For a listener of the pod's address beside a process that serves on a socket: the kubelet and Prometheus reach it,
    and so does whoever else reaches the pod.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["path"] in PROBES and scope["method"] in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        known = scope["path"] in PROBES
        problem = problem_of_status(405, headers={"Allow": "GET, HEAD"}) if known else problem_of_status(404)
        await send_problem(send, problem, scope["path"])


async def _answer(send: Send, status: int, document: Mapping[str, object]) -> None:
    await send_bytes(send, status, "application/json", json.dumps(document).encode())
