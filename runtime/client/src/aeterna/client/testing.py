"""A fake of the HTTP API for writing, reading and talking: give its transport to a client and no network is needed.

    fake = FakeRuntime()
    client = Aeterna(graph_url="http://graph", threads_url="http://threads", token="any", transport=fake.transport())

It keeps one tenant, and it keeps the promises of the services that a caller can see: a session is one snapshot or
nothing, session and message ids make repetitions harmless, and a thread's sequence has no gap.

It knows sessions, nodes, neighbours (without ``where`` and without pages), shortest paths, snapshots, statistics, and
threads with their messages and events; ``as_of`` is a snapshot or a time. Whatever else the client can ask is answered
with 404 and the code ``http.404``, and never with a guess. Of the graph API that is: search, related nodes, subgraphs
and patterns; tags, differences, restores and the feed of changes; erasures and holds; upkeep. Of the thread store:
listing by anything and search; tasks, leases and dead letters; erasures, holds and usage. And all of the
administration of policies. Put the answers that a test needs into ``failures``, or run the service.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias, cast
from urllib.parse import unquote

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Json: TypeAlias = dict[str, object]
Route: TypeAlias = "Callable[[httpx.Request, str], httpx.Response]"
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One snapshot: nodes by id and edges by (source, type, target)."""

    snapshot_id: str
    committed_at: datetime
    nodes: dict[str, Json]
    edges: dict[tuple[str, str, str], Json]


@dataclass(slots=True)
class FakeRuntime:
    """What the module says of the graph API, and the thread store; ``requests`` keeps what was asked, in order.

    ``failures`` are used up one per request: a response is sent back as it is and an exception is raised; an
    `httpx.ReadError` is raised after the work was done, which is what makes a retry dangerous.
    """

    failures: deque[httpx.Response | Exception] = field(default_factory=deque[httpx.Response | Exception])
    requests: list[httpx.Request] = field(default_factory=list[httpx.Request])
    states: list[State] = field(default_factory=list[State])
    sessions: dict[str, tuple[bytes, Json]] = field(default_factory=dict[str, tuple[bytes, Json]])
    threads: dict[str, Json] = field(default_factory=dict[str, Json])
    messages: dict[str, list[Json]] = field(default_factory=dict[str, list[Json]])

    def transport(self) -> httpx.MockTransport:
        """Return the port to this runtime, for blocking and for asynchronous clients alike."""
        return httpx.MockTransport(self.handle)

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.requests.append(request)
        failure = self.failures.popleft() if self.failures else None
        if isinstance(failure, httpx.Response):
            return failure
        if isinstance(failure, Exception) and not isinstance(failure, httpx.ReadError):
            raise failure
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return problem(401, "token.missing", "the request carries no bearer token")
        answer = self._route(request)
        if failure is not None:
            raise failure
        return answer

    def _route(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().partition("?")[0]
        routes: tuple[tuple[str, str, Route], ...] = (
            ("POST", "/api/v1/graph/sessions", self._commit),
            ("GET", "/api/v1/graph/nodes/", self._node),
            ("GET", "/api/v1/graph/neighbors", self._neighbors),
            ("GET", "/api/v1/graph/paths/shortest", self._path),
            ("GET", "/api/v1/graph/snapshots", self._snapshots),
            ("GET", "/api/v1/graph/statistics", self._statistics),
            ("POST", "/api/v1/threads/", self._append),
            ("GET", "/api/v1/threads/", self._thread),
            ("POST", "/api/v1/threads", self._open),
            ("GET", "/api/v1/threads", self._threads),
        )
        if path == "/api/v1/threads/search":
            return problem(404, "http.404", "this fake does not search; it is no thread of that name")
        for method, prefix, route in routes:
            if request.method == method and path.startswith(prefix):
                return route(request, path.removeprefix(prefix))
        return problem(404, "http.404", f"nothing at {path}")

    def _commit(self, request: httpx.Request, _: str) -> httpx.Response:
        body = _body(request)
        session_id = str(body["session_id"])
        if session_id in self.sessions:
            seen, answer = self.sessions[session_id]
            if seen == request.content:
                return httpx.Response(200, json=answer)
            return problem(409, "graph.session_conflict", f"session {session_id!r} has other content")
        latest = self.states[-1] if self.states else None
        nodes = dict(latest.nodes) if latest else {}
        edges = dict(latest.edges) if latest else {}
        removed = cast("dict[str, list[object]]", body["remove"])
        written_nodes, written_edges = _items(body["nodes"]), _items(body["edges"])
        nodes.update({str(node["id"]): node for node in written_nodes})
        for node_id in removed["nodes"]:
            nodes.pop(str(node_id), None)
        edges.update({_key(edge): edge for edge in written_edges})
        for edge in _items(removed["edges"]):
            edges.pop(_key(edge), None)
        for source, _type, target in [_key(edge) for edge in written_edges]:
            for end in (source, target):
                if end not in nodes:
                    return problem(422, "graph.unknown_node", f"no node {end!r}")
        return self._committed(session_id, request.content, (nodes, edges), (len(written_nodes), len(written_edges)))

    def _committed(
        self,
        session_id: str,
        content: bytes,
        graph: tuple[dict[str, Json], dict[tuple[str, str, str], Json]],
        counts: tuple[int, int],
    ) -> httpx.Response:
        seq = len(self.states) + 1
        moment = EPOCH + timedelta(hours=seq)
        state = State(snapshot_id=str(2**60 + seq), committed_at=moment, nodes=graph[0], edges=graph[1])
        self.states.append(state)
        answer: Json = {
            "session_id": session_id,
            "snapshot_id": state.snapshot_id,
            "seq": seq,
            "committed_at": moment.isoformat(),
            "nodes": counts[0],
            "edges": counts[1],
        }
        self.sessions[session_id] = (content, answer)
        return httpx.Response(201, json=answer, headers={"Aeterna-Snapshot": state.snapshot_id})

    def _state(self, request: httpx.Request) -> State | None:
        as_of = request.url.params.get("as_of")
        if as_of is None:
            return self.states[-1] if self.states else None
        if as_of.isdigit():
            return next((state for state in self.states if state.snapshot_id == as_of), None)
        moment = datetime.fromisoformat(as_of)
        return next((state for state in reversed(self.states) if state.committed_at <= moment), None)

    def _node(self, request: httpx.Request, rest: str) -> httpx.Response:
        state = self._state(request)
        if state is None:
            return problem(404, "graph.snapshot_not_found", "no such snapshot")
        node = state.nodes.get(unquote(rest))
        if node is None:
            return problem(404, "graph.node_not_found", f"no node {unquote(rest)!r}")
        return httpx.Response(200, json={**node, "snapshot_id": state.snapshot_id})

    def _neighbors(self, request: httpx.Request, _: str) -> httpx.Response:
        state, start = self._state(request), request.url.params["node"]
        if state is None:
            return problem(404, "graph.snapshot_not_found", "no such snapshot")
        if start not in state.nodes:
            return problem(404, "graph.node_not_found", f"no node {start!r}")
        parameters = request.url.params
        types, kinds = parameters.get_list("type"), parameters.get_list("kind")
        furthest = int(parameters.get("depth", "1"))
        found = {
            node_id: depth
            for node_id, depth in _depths(state, start, parameters.get("direction", "out"), types).items()
            if 0 < depth <= furthest and (not kinds or state.nodes[node_id]["kind"] in kinds)
        }
        ends = {start, *found}
        return httpx.Response(
            200,
            json={
                "snapshot_id": state.snapshot_id,
                "nodes": [{**state.nodes[node_id], "depth": depth} for node_id, depth in found.items()],
                "edges": [
                    edge
                    for (source, type_, target), edge in state.edges.items()
                    if {source, target} <= ends and (not types or type_ in types)
                ],
                "next_cursor": None,
            },
        )

    def _path(self, request: httpx.Request, _: str) -> httpx.Response:
        state, parameters = self._state(request), request.url.params
        if state is None:
            return problem(404, "graph.snapshot_not_found", "no such snapshot")
        source, target = parameters["source"], parameters["target"]
        depths = _depths(state, source, "out")
        if target not in depths:
            return problem(404, "graph.no_path", f"no path from {source!r} to {target!r}")
        nodes, edges = [target], list[Json]()
        while nodes[0] != source:
            edge = next(e for k, e in state.edges.items() if k[2] == nodes[0] and depths.get(k[0]) == depths[k[2]] - 1)
            nodes.insert(0, str(edge["source"]))
            edges.insert(0, edge)
        body = {"snapshot_id": state.snapshot_id, "nodes": nodes, "edges": edges, "hops": len(edges)}
        return httpx.Response(200, json=body)

    def _snapshots(self, _request: httpx.Request, _: str) -> httpx.Response:
        listed = [
            {"snapshot_id": state.snapshot_id, "committed_at": state.committed_at.isoformat()}
            for state in reversed(self.states)
        ]
        return httpx.Response(200, json={"snapshots": listed})

    def _statistics(self, request: httpx.Request, _: str) -> httpx.Response:
        state = self._state(request)
        if state is None:
            return problem(404, "graph.snapshot_not_found", "no such snapshot")
        counts = {"nodes": len(state.nodes), "edges": len(state.edges)}
        return httpx.Response(200, json={"snapshot_id": state.snapshot_id, **counts})

    def _open(self, request: httpx.Request, _: str) -> httpx.Response:
        body = _body(request)
        thread_id = str(body["thread_id"])
        created = thread_id not in self.threads
        if created:
            facts: Json = {"title": body.get("title"), "metadata": body.get("metadata") or {}}
            ttl = cast("float | None", body.get("ttl_seconds"))
            # Nothing expires here: the time is told, and stands still.
            facts["expires_at"] = None if ttl is None else (EPOCH + timedelta(seconds=ttl)).isoformat()
            self.threads[thread_id] = {"thread_id": thread_id, "created_at": EPOCH.isoformat(), **facts}
            self.messages[thread_id] = []
        return httpx.Response(201 if created else 200, json=self._facts(thread_id))

    def _facts(self, thread_id: str) -> Json:
        return {**self.threads[thread_id], "last_seq": len(self.messages[thread_id])}

    def _threads(self, request: httpx.Request, _: str) -> httpx.Response:
        asked = set(request.url.params) - {"limit", "cursor"}
        if asked:
            return problem(404, "http.404", f"this fake lists all threads, and not by {sorted(asked)}")
        listed = [self._facts(thread_id) for thread_id in self.threads]
        return httpx.Response(200, json={"threads": listed, "next_cursor": None})

    def _append(self, request: httpx.Request, rest: str) -> httpx.Response:
        thread_id, body = unquote(rest.removesuffix("/messages")), _body(request)
        if thread_id not in self.threads:
            return problem(404, "threads.thread_not_found", f"no thread {thread_id!r}")
        kept = self.messages[thread_id]
        expected = body.pop("expected_seq", None)
        same = next((message for message in kept if message["message_id"] == body["message_id"]), None)
        if same is not None and {**same, **body} == same:
            return httpx.Response(200, json=same)
        if same is not None:
            return problem(409, "threads.message_conflict", "this message id has other content")
        if expected is not None and expected != len(kept):
            return problem(409, "threads.sequence_conflict", f"the thread is at {len(kept)}")
        message: Json = {"metadata": {}, **body, "seq": len(kept) + 1, "created_at": EPOCH.isoformat()}
        kept.append(message)
        return httpx.Response(201, json=message)

    def _thread(self, request: httpx.Request, rest: str) -> httpx.Response:
        name, _, view = rest.partition("/")
        thread_id = unquote(name)
        if thread_id not in self.threads:
            return problem(404, "threads.thread_not_found", f"no thread {thread_id!r}")
        kept = self.messages[thread_id]
        if view == "events":
            after = int(request.headers.get("last-event-id", "0"))
            events = "".join(f"id: {m['seq']}\nevent: message\ndata: {json.dumps(m)}\n\n" for m in kept[after:])
            return httpx.Response(200, text=": hello\n\n" + events, headers={"content-type": "text/event-stream"})
        if view == "messages":
            after, limit = int(request.url.params.get("after_seq", "0")), int(request.url.params.get("limit", "100"))
            page = kept[after : after + limit]
            more = after + len(page) < len(kept)
            next_after = after + len(page) if more else None
            return httpx.Response(200, json={"messages": page, "last_seq": len(kept), "next_after": next_after})
        return httpx.Response(200, json=self._facts(thread_id))


def problem(status: int, code: str, detail: str, **headers: str) -> httpx.Response:
    """Return a problem document as the services write it."""
    body = {
        "type": f"urn:aeterna:problem:{code}",
        "title": code,
        "status": status,
        "detail": detail,
        "code": code,
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
    }
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(
        status, content=json.dumps(body).encode(), headers={"content-type": "application/problem+json", **named}
    )


def _body(request: httpx.Request) -> Json:
    return cast("Json", json.loads(request.content))


def _items(value: object) -> list[Json]:
    return cast("list[Json]", value)


def _key(edge: Json) -> tuple[str, str, str]:
    return str(edge["source"]), str(edge["type"]), str(edge["target"])


def _depths(state: State, start: str, direction: str, types: Sequence[str] = ()) -> dict[str, int]:
    """Return the hops from the start, along edges of these types (all without any), to every node it reaches."""
    followed = [(source, target) for source, type_, target in state.edges if not types or type_ in types]
    depths, waiting = {start: 0}, deque([start])
    while waiting:
        node_id = waiting.popleft()
        ahead = [target for source, target in followed if source == node_id and direction != "in"]
        behind = [source for source, target in followed if target == node_id and direction != "out"]
        for near in ahead + behind:
            if near not in depths:
                depths[near] = depths[node_id] + 1
                waiting.append(near)
    return depths
