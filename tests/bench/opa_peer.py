"""Open Policy Agent as a peer: built from source once a machine, and started as its documentation says."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from policy_servers import Server, free_port, post

from fixtures.build_cache import built_once
from fixtures.tofu_build import go_built

if TYPE_CHECKING:
    from policy_corpus import Corpus

MODULE = Path(__file__).with_name("opa")
VERSION = "1.22.2"


def opa() -> Path:
    """Return OPA's program: about a minute once a machine, then found in the cache."""

    def say(text: str) -> None:
        sys.stderr.write(f"{text}\n")

    def build(folder: Path) -> None:
        go_built(MODULE, "github.com/open-policy-agent/opa", folder / "opa", say)

    return built_once("opa", (MODULE / "go.mod", MODULE / "go.sum"), build) / "opa"


def opa_server(corpus: Corpus, folder: Path, *, questions: int) -> Server:
    """Return OPA with the corpus, asked the same questions."""
    (folder / "authz.rego").write_text(corpus.rego())
    (folder / "data.json").write_text(corpus.rego_data())
    port = free_port()
    command = [opa(), "run", "--server", "--addr", f"127.0.0.1:{port}", "--log-level", "error", "--disable-telemetry"]
    return Server(
        name=f"OPA, {len(corpus.grants) + 1} policies",
        command=[str(word) for word in (*command, folder / "authz.rego", folder / "data.json")],
        port=port,
        ready_path=b"/health",
        requests=[
            post("/v1/data/authz/decision", json.dumps({"input": question}).encode())
            for question in corpus.questions(questions)
        ],
        environment={},
    )
