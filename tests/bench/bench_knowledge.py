"""What knowledge costs: finding the communities of a large graph, beside the libraries that others use, and ingestion.

Progress goes to stderr; the last line of stdout is one JSON object.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import knowledge_communities as communities
import knowledge_ingest as ingestion


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        result = {
            "bench": "knowledge",
            "communities": communities.report(Path(name)),
            "ingestion": ingestion.report(),
        }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
