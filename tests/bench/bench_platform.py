"""What the platform costs: an admission, a pod's sidecars, and synthesizing all of it.

Admissions are compared with a webhook as one would first write it, synthesis with the published bindings of the same
provider. Progress goes to stderr; the last line of stdout is one JSON object.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import platform_admission as admission
import platform_sidecars as sidecars
import platform_synthesis as synthesis


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        result = {
            "bench": "platform",
            "admission": admission.report(folder),
            "sidecars": sidecars.report(),
            "synthesis": synthesis.report(folder),
        }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
