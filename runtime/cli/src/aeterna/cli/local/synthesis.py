"""Synthesizes the example stacks in a process of its own, beside the start of the runtime."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

from aeterna.cli.errors import SynthesisError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

MODULE = "aeterna.stacks"
TAIL = 25


def available() -> bool:
    """Return whether the stacks are installed beside this command."""
    try:
        return importlib.util.find_spec(f"{MODULE}.__main__") is not None
    except ModuleNotFoundError:
        return False


class Synthesis:
    """One run of the stacks' program; leaving the block early ends it."""

    def __init__(self, project: Path, environment: Mapping[str, str]) -> None:
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the block
        # The node of the wheel lies beside our own Python, which need not be on PATH.
        path = os.pathsep.join((str(Path(sys.executable).parent), environment.get("PATH", os.defpath)))
        self._process = subprocess.Popen(  # noqa: S603 - our own Python and our own module
            [sys.executable, "-P", "-m", MODULE],
            cwd=project,
            env={**environment, "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()
        self._output.close()

    def finish(self) -> str:
        """Wait for the end and return what was printed; raise `SynthesisError` when it failed."""
        status = self._process.wait()
        self._output.seek(0)
        text = self._output.read().decode("utf-8", errors="replace")
        if status:
            raise SynthesisError(status, "\n".join(text.splitlines()[-TAIL:]))
        return text
