"""Fetch libraries for Java from Maven's repository once a machine, and print where they are.

usage: python3 .make/jars.py GROUP:ARTIFACT:VERSION[:PACKAGING[:CLASSIFIER]]=SHA256...

Whatever a repository answers, only what has the digest is kept.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path


def folder() -> Path:
    """Return where the libraries are kept."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "aeterna" / "jars"


def digest(path: Path) -> str:
    """Return the file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetched(coordinate: str, expected: str) -> Path:
    """Return the library, now or earlier from Maven; stop with an error when it is another one."""
    _group, artifact, version, *more = coordinate.split(":")
    classifier = f"-{more[1]}" if len(more) > 1 else ""
    # The digest is part of the name: what is there is what was asked for, without a look at every byte.
    kept = folder() / f"{artifact}-{version}{classifier}-{expected[:16]}.jar"
    if kept.exists():
        return kept
    with tempfile.TemporaryDirectory(dir=folder()) as scratch:
        goal = "org.apache.maven.plugins:maven-dependency-plugin:copy"
        command = ["mvn", "-q", "-B", goal, f"-Dartifact={coordinate}", f"-DoutputDirectory={scratch}"]
        done = subprocess.run(command, cwd=scratch, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            sys.exit(f"error: Maven cannot fetch {coordinate}:\n{done.stdout.decode('utf-8', 'replace')}")
        (found,) = Path(scratch).glob("*.jar")
        if digest(found) != expected:
            sys.exit(f"error: {coordinate} has the digest {digest(found)}, and not {expected}")
        found.rename(kept)
    return kept


def main(arguments: list[str]) -> int:
    """Print one path for each library."""
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    folder().mkdir(parents=True, exist_ok=True)
    with (folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for argument in arguments:
            coordinate, _, expected = argument.partition("=")
            print(fetched(coordinate, expected))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
