"""The API of the Unix socket: the secrets of the pod for the pod's own processes, and word of each that changes."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

import structlog

from aeterna.secrets.api.problem import STATUSES
from aeterna.secrets.errors import PeerRefusedError, SecretsError
from aeterna.service.asgi import header
from aeterna.service.errors import RequestTooLargeError, ServiceError
from aeterna.service.problem import problem_of, problem_of_status, send_problem, unexpected

if TYPE_CHECKING:
    from aeterna.secrets.domain.handed import Handed
    from aeterna.secrets.domain.moment import Moment
    from aeterna.secrets.domain.secret import Secret
    from aeterna.secrets.usecases.changes import Changes
    from aeterna.secrets.usecases.holdings import Holdings
    from aeterna.service.asgi import Receive, Scope, Send
    from aeterna.service.lifecycle import Drain

SECRETS: Final = "/v1/secrets"
CHANGES: Final = "/v1/changes"

_LONGEST_WAIT: Final = 60
_WAIT: Final = re.compile(r"[0-9]{1,2}")
_PEER: Final = re.compile(r"uid:([0-9]{1,10})")
_CLOSE: Final = {"Connection": "close"}

log = structlog.stdlib.get_logger(__name__)


class SecretsApp:
    """Answers GET and takes no bodies. ``peers`` are the users that may ask; None is whoever reaches the socket."""

    def __init__(
        self,
        holdings: Holdings,
        changes: Changes,
        *,
        counts: Handed,
        drain: Drain,
        peers: frozenset[int] | None = None,
    ) -> None:
        self._holdings = holdings
        self._changes = changes
        self._counts = counts
        self._drain = drain
        self._peers = peers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; the socket's server runs no lifespan."""
        del receive
        try:
            self._admit(scope)
            answer = await self._answer(scope)
        except (SecretsError, ServiceError) as exc:
            extra = _CLOSE if isinstance(exc, RequestTooLargeError | PeerRefusedError) else {}
            await send_problem(send, problem_of(exc, STATUSES), scope["path"], extra)
        except Exception as exc:  # noqa: BLE001 - the edge of the process
            log.error("request.failed", kind=type(exc).__name__)  # noqa: TRY400 - a traceback ends with the message
            await send_problem(send, unexpected(), scope["path"])
        else:
            if isinstance(answer, int):
                extra = {"Allow": "GET"} if answer == 405 else {}  # noqa: PLR2004 - the status that has this header
                await send_problem(send, problem_of_status(answer), scope["path"], extra)
            else:
                await _send(send, answer)

    def _admit(self, scope: Scope) -> None:
        """Refuse users that secrets are not for, bodies, which no request here has, and whatever comes over TCP.

        Web pages can reach the ports of the loopback, under any name that they make up for it, but no Unix socket.
        """
        # What the kernel says of the other end, put there by the server; None where the kernel says nothing.
        client = scope.get("client")
        found = _PEER.fullmatch(client[0]) if client else None
        named = self._peers is None or (found is not None and int(found[1]) in self._peers)
        if not named or (client and found is None):
            self._counts.peers_refused += 1
            raise PeerRefusedError
        if header(scope, b"transfer-encoding") is not None or (header(scope, b"content-length") or b"0") != b"0":
            raise RequestTooLargeError(0)

    async def _answer(self, scope: Scope) -> bytes | int:
        """Return the document as it is sent, or the status of what is none."""
        path: str = scope["path"]
        one = path.startswith(f"{SECRETS}/") and "/" not in path[len(SECRETS) + 1 :]
        if path not in {SECRETS, CHANGES} and not one:
            return 404
        if scope["method"] != "GET":
            return 405
        if path == CHANGES:
            return await self._changed(scope)
        return _json(self._one(path[len(SECRETS) + 1 :]) if one else self._all())

    def _all(self) -> object:
        current = self._holdings.current()
        return {
            "secrets": [self._described(name, current[name]) for name in sorted(current)],
            "missing": sorted(self._holdings.names - current.keys()),
        }

    def _one(self, name: str) -> object:
        secret = self._holdings.read(name)
        self._counts.answers += 1
        return self._described(name, secret) | {"fields": dict(secret.fields)}

    def _described(self, name: str, secret: Secret) -> dict[str, object]:
        return {"name": name, "version": secret.version, "expires_at": _written(self._holdings.ends(name))}

    async def _changed(self, scope: Scope) -> bytes | int:
        """Wait for a change; with no cursor, say where one can begin."""
        asked = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        cursor, wait = asked.get("after", [""])[-1], asked.get("wait", ["0"])[-1]
        if not _WAIT.fullmatch(wait) or int(wait) > _LONGEST_WAIT or asked.keys() - {"after", "wait"}:
            return 400
        if "after" not in asked:
            return _json({"cursor": self._changes.cursor, "changes": []})
        await self._patiently(cursor, int(wait))
        # Both are read with nothing awaited in between, so that no change is missed.
        found = [{"name": each.name, "kind": each.kind} for each in self._changes.since(cursor)]
        return _json({"cursor": self._changes.cursor, "changes": found})

    async def _patiently(self, cursor: str, seconds: int) -> None:
        """Return when something has changed, when the time is over, or when the process is to stop."""
        waiting = {asyncio.ensure_future(self._changes.wait(cursor)), asyncio.ensure_future(self._drain.wait())}
        try:
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()


def _written(moment: Moment | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment.wall, UTC).isoformat(timespec="seconds")


def _json(document: object) -> bytes:
    """Return a document as it is sent; numbers of any length, which faster writers refuse, are what sources have."""
    return json.dumps(document, separators=(",", ":"), allow_nan=False).encode("ascii")


async def _send(send: Send, body: bytes) -> None:
    headers = [
        (b"content-type", b"application/json"),
        # Whoever stands in between keeps no secret.
        (b"cache-control", b"no-store"),
        (b"content-length", b"%d" % len(body)),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
