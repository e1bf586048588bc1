"""What was counted while secrets were handed over."""

from __future__ import annotations

from dataclasses import dataclass


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
