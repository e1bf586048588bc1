"""A request's trace goes on into the database's calls, and reaches the collector under the caller's own id."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from fixtures.fix_threads import ServiceProcess

TRACE = "0af7651916cd43dd8448eb211c80319c"
NAMES = {b"threads.append", b"POST /api/v1/threads/{thread_id}/messages"}
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def test_an_append_is_a_span_of_its_request_in_the_callers_trace(
    start_threads: Callable[..., ServiceProcess], threads_client: Callable[..., httpx.Client]
) -> None:
    received: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
            del format, args

    with HTTPServer(("127.0.0.1", 0), Collector) as collector:
        thread = threading.Thread(target=collector.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        store = start_threads(AETERNA_THREADS_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.server_port}")
        client = threads_client(store)
        client.post("/api/v1/threads", json={"thread_id": "t-1"}).raise_for_status()
        said = {"message_id": "m-1", "role": "user", "parts": [{"kind": "text", "text": "hello"}]}

        client.post("/api/v1/threads/t-1/messages", json=said, headers={"traceparent": TRACEPARENT})

        store.terminate()
        collector.shutdown()
        thread.join()
    spans = b"".join(received)
    # A span begins with its trace's id (field 1, 16 bytes); its name is field 5.
    of_the_trace = spans.split(b"\n\x10" + bytes.fromhex(TRACE))[1:]
    named = {name for name in NAMES for span in of_the_trace if b"*" + bytes([len(name)]) + name in span}
    assert named == NAMES
