"""Measures `aeterna up` with a warm environment and an initialised database, and each service's own cold start.

usage: python -P bench_up.py [RUNS]

The peer is a bare FastAPI application that answers one route under uvicorn: what any service in Python pays before it
does anything of its own.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from aeterna.cli.local.ports import free_block
from aeterna.cli.local.record import PORTS, Record
from aeterna.cli.local.state_dir import StateDir

AETERNA = [sys.executable, "-P", "-m", "aeterna.cli"]
BARE = """
import sys
import uvicorn
from fastapi import FastAPI

app = FastAPI()


@app.get("/ready")
def ready() -> dict[str, str]:
    return {"status": "ready"}


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
"""
LIMITS = {"up": 10.0, "cold_start": 3.0}


def say(text: str) -> None:
    """Report progress."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a benchmark speaks to a terminal


def aeterna(state: Path, *arguments: str) -> dict[str, Any]:
    """Run one command on the state folder and return its JSON answer."""
    done = subprocess.run(
        [*AETERNA, *arguments, "--json", "--state-dir", str(state)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        say(done.stderr)
        raise SystemExit(done.returncode)
    return json.loads(done.stdout)


def warm_up(state: Path) -> tuple[float, dict[str, Any]]:
    """Return the wall time of one warm `aeterna up --detach`, from the prompt to the prompt, and its answer."""
    aeterna(state, "down")
    started = time.perf_counter()
    document = aeterna(state, "up", "--detach")
    return time.perf_counter() - started, document


def cold_start(state: Path, part: str) -> float:
    """Return the seconds from the start of one service's process to its first ready answer, the others running."""
    record = Record.read(StateDir(state)).processes[part]
    os.kill(record.pid, signal.SIGTERM)
    while record.alive:
        time.sleep(0.02)
    return float(aeterna(state, "up", "--detach", "--no-synth", "--no-corpus")["seconds"][part])


def bare_start(port: int) -> float:
    """Return the same for the peer."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-P", "-c", BARE, str(port)])
    try:
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/ready", trust_env=False).raise_for_status()
            except httpx.ConnectError:
                time.sleep(0.02)
                continue
            return time.perf_counter() - started
    finally:
        process.terminate()
        process.wait()


def main(runs: int) -> None:
    """Measure, and print one JSON object on the last line."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        say("first start, which initialises the database …")
        first = aeterna(state, "up", "--detach")["seconds"]["total"]
        try:
            ups: list[float] = []
            for run in range(runs):
                seconds, document = warm_up(state)
                say(f"warm up {run + 1} of {runs}: {seconds:.2f} s {document['seconds']}")
                ups.append(seconds)
            starts = {part: statistics.median(cold_start(state, part) for _ in range(runs)) for part in PORTS}
            say(f"cold starts: {starts}")
        finally:
            aeterna(state, "down")
        bare = statistics.median(bare_start(free_block(Path(folder), 1)) for _ in range(runs))
    up = statistics.median(ups)
    answer = {
        "bench": "up",
        "peer": "bare FastAPI application under uvicorn",
        "runs": runs,
        "first_up_s": round(first, 2),
        "warm_up_s": round(up, 2),
        "warm_up_limit_s": LIMITS["up"],
        "cold_start_s": {part: round(seconds, 2) for part, seconds in starts.items()},
        "cold_start_limit_s": LIMITS["cold_start"],
        "peer_cold_start_s": round(bare, 2),
        "ratios": {part: round(seconds / bare, 2) for part, seconds in starts.items()},
        "within_limits": up <= LIMITS["up"] and max(starts.values()) <= LIMITS["cold_start"],
    }
    print(json.dumps(answer))  # noqa: T201 - the benchmark's answer


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
