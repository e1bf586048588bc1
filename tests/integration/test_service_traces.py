"""Spans really leave the process when a collector is configured, and a start without one loads nothing for it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

PROGRAM = """
import sys
from aeterna.service.settings import ListenSettings
from aeterna.service.telemetry import configure, tracer
configure("shelf", ListenSettings(port=0, otlp_endpoint=sys.argv[1] or None))
with tracer("test").start_as_current_span("storage.iceberg.commit"):
    pass
sys.exit("opentelemetry.exporter.otlp.proto.http" in sys.modules)
"""


def spans_of_a_process(endpoint: str) -> int:
    """Run a process that makes one span and ends; return its exit status."""
    command = [sys.executable, "-P", "-c", PROGRAM, endpoint]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return subprocess.run(command, env=environment, timeout=30, check=False).returncode


def test_a_span_reaches_the_collector_before_the_process_is_gone() -> None:
    received: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
            del format, args

    with HTTPServer(("127.0.0.1", 0), Collector) as collector:
        thread = threading.Thread(target=collector.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        spans_of_a_process(f"http://127.0.0.1:{collector.server_port}")
        collector.shutdown()
        thread.join()

    ((path, body),) = received
    assert path == "/v1/traces"
    assert b"storage.iceberg.commit" in body
    assert b"shelf" in body


def test_without_a_collector_the_exporter_is_not_even_loaded() -> None:
    assert spans_of_a_process("") == 0
