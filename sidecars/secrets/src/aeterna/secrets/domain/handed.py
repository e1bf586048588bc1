"""What came of handing secrets over: what was not taken, and what was counted."""

from __future__ import annotations

from dataclasses import dataclass

from aeterna.secrets.errors import SecretsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a part was not taken.

    ``untaken`` are the secrets that whoever uses them does not have yet: what they replace stays in use. ``stale`` are
    those of them whose files hold what they replace, and not only somebody's memory.
    """

    reason: SecretsError
    untaken: frozenset[str]
    stale: frozenset[str]


@dataclass(slots=True, kw_only=True)
class Handed:
    """Counts since the start, written where they happen and read by the metrics."""

    switches: int = 0
    """Times that the files were replaced, all of them in one step."""
    files: int = 0
    """Files there are now."""
    render_failures: int = 0
    """Files that kept their former content, since none could be made of the new secrets."""
    folder_failures: int = 0
    """Times that the folder could not be written to."""
    notices: int = 0
    notice_failures: int = 0
    answers: int = 0
    """Secrets given out over the socket."""
    peers_refused: int = 0
