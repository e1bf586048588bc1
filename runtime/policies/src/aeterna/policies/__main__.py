"""Runs the policy administration, ``python -P -m aeterna.policies``, or without any service looks at a folder."""

from __future__ import annotations

import os
import sys

OFFLINE = frozenset({"validate", "compare"})


def run() -> int:
    """Run what the command line asks for; the service is not even imported for what needs none."""
    if OFFLINE.isdisjoint(sys.argv[1:2]):
        from aeterna.policies.main import main  # noqa: PLC0415 - a second that nobody needs who looks at a folder

        return main()
    from aeterna.cedar.adapters.directory import DirectoryBundleSource  # noqa: PLC0415 - as above
    from aeterna.policies.adapters.analyser import remembering_analyser  # noqa: PLC0415 - as above
    from aeterna.policies.api.offline import Offline  # noqa: PLC0415 - as above

    offline = Offline(
        read=lambda folder: DirectoryBundleSource(folder).read(),
        analyser=remembering_analyser,
        out=sys.stdout,
        err=sys.stderr,
        color=None if not os.environ.get("NO_COLOR") else False,
    )
    return offline.run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(run())
