"""What the command refuses or cannot do, with a hint that mends it and the exit status that says so.

AeternaError
└── CommandError              exit status 1
├── NotRunningError       3: there is no runtime to talk to
├── PortInUseError        another process holds a port that was asked for
├── PartFailedError       a part of the runtime did not start or died
├── DatabaseSetupError    the embedded PostgreSQL cannot be set up here
├── StateUnusableError    the state folder cannot be used
├── SynthesisError        the example stacks did not synthesize
├── SourceUnreadableError a document or a file to ingest cannot be read
├── EndpointUnreachableError 3: nothing answers where the tools should be
├── EndpointRefusedError  4: the deployment refuses the token
├── EndpointUnusableError what answers there has no tools
└── TimeUnclearError      2: words that name no time
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from aeterna.contracts.errors import AeternaError

if TYPE_CHECKING:
    from pathlib import Path

DONE = 0
FAILED = 1
USAGE = 2
UNREACHABLE = 3
REFUSED = 4
INTERRUPTED = 130


class CommandError(AeternaError):
    """The command failed; ``hint`` says what to do about it."""

    code = "cli.failed"
    status: ClassVar[int] = FAILED

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.hint = hint


class NotRunningError(CommandError):
    """There is no runtime to talk to."""

    code = "cli.not_running"
    status = UNREACHABLE

    def __init__(self, state_dir: Path) -> None:
        super().__init__(
            f"no runtime is running for {state_dir}",
            "run: aeterna up --detach  (or set AETERNA_TOKEN_FILE and the address of what you ask: AETERNA_GRAPH_URL, "
            "AETERNA_THREADS_URL or AETERNA_POLICIES_URL)",
        )


class PortInUseError(CommandError):
    """Another process holds a port that this runtime was told to use."""

    code = "cli.port_in_use"

    def __init__(self, port: int, holder: str | None) -> None:
        by = f" by {holder}" if holder else ""
        super().__init__(f"port {port} of 127.0.0.1 is in use{by}", "stop it, or choose other ports with: --port BASE")
        self.port = port
        self.holder = holder


class PartFailedError(CommandError):
    """A part of the runtime did not start, or died."""

    code = "cli.part_failed"

    def __init__(self, part: str, happened: str, log: Path, tail: str) -> None:
        shown = "".join(f"\n  | {line}" for line in tail.splitlines())
        super().__init__(f"{part} {happened}{shown}", f"the whole log is in {log}")
        self.part = part
        self.log = log


class DatabaseSetupError(CommandError):
    """The embedded PostgreSQL cannot be set up here."""

    code = "cli.database_setup"


class StateUnusableError(CommandError):
    """The state folder cannot be used."""

    code = "cli.state_unusable"

    def __init__(self, path: Path, reason: str, hint: str = "choose another folder with: --state-dir PATH") -> None:
        super().__init__(f"cannot use {path}: {reason}", hint)
        self.path = path


class SynthesisError(CommandError):
    """The example stacks did not synthesize."""

    code = "cli.synthesis"

    def __init__(self, status: int, tail: str) -> None:
        shown = "".join(f"\n  | {line}" for line in tail.splitlines())
        super().__init__(f"the example stacks did not synthesize (exit status {status}){shown}", "run: aeterna synth")


class SourceUnreadableError(CommandError):
    """A document or a file to ingest cannot be read."""

    code = "cli.source_unreadable"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot read {path}: {reason}")
        self.path = path


class EndpointUnreachableError(CommandError):
    """Nothing answers where the tools should be."""

    code = "cli.endpoint_unreachable"
    status = UNREACHABLE

    def __init__(self, problem: str) -> None:
        super().__init__(problem, "look at: aeterna status  (or at AETERNA_GRAPH_URL)")


class EndpointRefusedError(CommandError):
    """The deployment refuses the token."""

    code = "cli.endpoint_refused"
    status = REFUSED

    def __init__(self, problem: str) -> None:
        super().__init__(problem, "mint a token with: aeterna token --role writer  (or look at AETERNA_TOKEN_FILE)")


class EndpointUnusableError(CommandError):
    """What answers at the address has no tools."""

    code = "cli.endpoint_unusable"

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(f"{url} does not serve tools: {problem}", "is AETERNA_GRAPH_URL a graph API of this version?")


class TimeUnclearError(CommandError):
    """Words that name no time, no snapshot and no tag."""

    code = "cli.time_unclear"
    status = USAGE

    def __init__(self, words: str) -> None:
        super().__init__(
            f"{words!r} is not a time",
            "write a time (2026-11-01, 2026-11-01T12:00:00Z, yesterday, '3 hours ago'), a tag, seq:42 or a snapshot id",
        )
