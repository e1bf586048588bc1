"""What decisions cost: the sidecar and Open Policy Agent under the same load, and the engine beside one Cedar handle.

Run as ``python -P tests/bench/bench_policy.py``; it needs Go, which builds OPA. Each server is a process of its own,
asked over loopback for the same decisions on the same policies and entities; before it is measured, its answers are
compared with those of plain Cedar. A figure is the CPU time of the server for one request. Progress goes to stderr; the
last line of stdout is one JSON object.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from opa_peer import VERSION, opa_server
from policy_analysis import analysis
from policy_corpus import Corpus
from policy_engine import one_handle_us, our_engine_us, plain_decisions
from policy_servers import Server, connected, free_port, measure, paced, percentile, post, running
from policy_swap import longest_wait_ms

if TYPE_CHECKING:
    from collections.abc import Mapping

ROUNDS = 3
# Of the remembered decisions: few enough for any cache. Of the others: of so many pairs that few come again.
REMEMBERED = 500
DISTINCT = 20_000
ENTITIES = 10_000
# So few that the engine keeps them parsed.
FEW_ENTITIES = 1_000
SIZES = (100, 1_000, 10_000)
NAIVE = Path(__file__).with_name("naive_policy_server.py")


def sidecar(name: str, corpus: Corpus, folder: Path, *, questions: int, **settings: str) -> Server:
    """Return the sidecar with the corpus as its local bundle."""
    for path, text in corpus.files().items():
        (folder / path).write_text(text)
    port = free_port()
    return Server(
        name=name,
        command=[sys.executable, "-P", "-m", "aeterna.policy"],
        port=port,
        ready_path=b"/ready",
        requests=[post("/access/v1/evaluation", json.dumps(asked).encode()) for asked in corpus.questions(questions)],
        environment={
            "AETERNA_POLICY_BUNDLE": str(folder),
            "AETERNA_POLICY_PORT": str(port),
            **{f"AETERNA_POLICY_{key}": value for key, value in settings.items()},
        },
    )


def naive(corpus: Corpus, folder: Path) -> Server:
    """Return the decision endpoint as one would first write it."""
    port = free_port()
    return Server(
        name="FastAPI and texts",
        command=[sys.executable, "-P", str(NAIVE), str(folder), str(port)],
        port=port,
        ready_path=b"/ready",
        requests=[post("/access/v1/evaluation", json.dumps(asked).encode()) for asked in corpus.questions(REMEMBERED)],
        environment={},
    )


async def answers(server: Server) -> list[bool]:
    """Return the server's decisions, one a question, in either server's shape of answer."""
    found: list[bool] = []
    async with connected(server.port) as connection:
        for request in server.requests:
            answer: Mapping[str, Any] = json.loads(await connection.ask(request))
            found.append(answer.get("result", answer)["decision"])
    return found


def agreed(server: Server, corpus: Corpus) -> None:
    """End the benchmark when the server decides otherwise than Cedar: a wrong answer may well be a cheap one."""
    compared = dataclasses.replace(server, requests=server.requests[:REMEMBERED])
    with running(compared):
        right = plain_decisions(corpus, corpus.questions(REMEMBERED))
        differing = sum(ours != theirs for ours, theirs in zip(asyncio.run(answers(compared)), right, strict=True))
    if differing:
        raise SystemExit(f"{server.name} decides {differing} of {REMEMBERED} questions otherwise than Cedar")


def best(server: Server, count: int) -> dict[str, float]:
    """Return the round in which a request cost least: what else ran on the machine only ever adds."""
    rounds = [measure(server, count) for _ in range(ROUNDS)]
    return dataclasses.asdict(min(rounds, key=lambda each: each.cpu_us))


def at_size(policies: int, entities: int, folder: Path) -> dict[str, Any]:
    """Measure sidecar, peer and engine at one size; most questions name a pair that was not asked about before."""
    corpus = Corpus(policies=policies, entities=entities)
    bundle = folder / f"bundle-{policies}-{entities}"
    bundle.mkdir()
    uncached = sidecar(f"uncached, {policies}/{entities}", corpus, bundle, questions=DISTINCT, TTL="0")
    peer = opa_server(corpus, folder, questions=DISTINCT)
    agreed(uncached, corpus)
    agreed(peer, corpus)
    ours, theirs = best(uncached, DISTINCT), best(peer, DISTINCT)
    engine_us = our_engine_us(corpus, DISTINCT)
    handle_us = one_handle_us(corpus, REMEMBERED)
    sys.stderr.write(f"{'engine alone':>24}: {engine_us:7.1f} us, one handle over all: {handle_us:.1f} us\n")
    return {
        "uncached_cpu_us": ours["cpu_us"],
        "opa_cpu_us": theirs["cpu_us"],
        "uncached_over_opa": ours["cpu_us"] / theirs["cpu_us"],
        "engine_us": engine_us,
        "one_handle_us": handle_us,
        "one_handle_over_engine": handle_us / engine_us,
        "rss_mb": ours["rss_mb"],
        "opa_rss_mb": theirs["rss_mb"],
        "ready_ms": ours["ready_ms"],
    }


def latency(server: Server, per_second: float) -> float:
    """Return the 99th percentile in milliseconds at a fixed pace; the first second only warms up."""
    with running(server):
        asyncio.run(paced(server, per_second=per_second, seconds=1))
        return min(percentile(asyncio.run(paced(server, per_second=per_second, seconds=5)), 99) for _ in range(ROUNDS))


def rounded(value: object) -> object:
    """Return a JSON value with four digits a figure, which is more than they are good for."""
    if isinstance(value, dict):
        return {str(key): rounded(inner) for key, inner in cast("dict[object, object]", value).items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


def main() -> None:
    """Measure everything in one run and print the ratios."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        small = Corpus(policies=100, entities=ENTITIES)
        (folder / "cached").mkdir()
        cached_server = sidecar("cached, 100", small, folder / "cached", questions=REMEMBERED)
        agreed(cached_server, small)
        cached = best(cached_server, 40_000)
        texts = best(naive(small, folder / "cached"), 20)
        half = latency(cached_server, 1_000)
        few = at_size(SIZES[0], FEW_ENTITIES, folder)
        sizes = {policies: at_size(policies, ENTITIES, folder) for policies in SIZES}
        (folder / "swap").mkdir()
        swapped = Corpus(policies=1_000, entities=ENTITIES)
        swap = longest_wait_ms(sidecar("swap, 1000", swapped, folder / "swap", questions=1), folder)
    result = {
        "bench": "policy",
        "entities": ENTITIES,
        "peer": f"Open Policy Agent {VERSION}",
        "cached_cpu_us": cached["cpu_us"],
        "cached_over_opa": cached["cpu_us"] / sizes[100]["opa_cpu_us"],
        "cached_per_second": cached["per_second"],
        "cached_p99_ms_at_1000_per_second": half,
        "by_policies": sizes,
        "with_1000_entities": few,
        "uncached_10000_over_100": sizes[10_000]["uncached_cpu_us"] / sizes[100]["uncached_cpu_us"],
        "texts_cpu_us": texts["cpu_us"],
        "texts_over_uncached": texts["cpu_us"] / sizes[100]["uncached_cpu_us"],
        **swap,
        **analysis(),
        "seconds": time.monotonic() - begun,
    }
    sys.stdout.write(json.dumps(rounded(result)) + "\n")


if __name__ == "__main__":
    main()
