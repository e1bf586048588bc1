"""For tests of the graph API: its ports in plain Python."""

from __future__ import annotations


class RecordingFeedObserver:
    """A `FeedObserver` that remembers."""

    def __init__(self) -> None:
        self.open = 0
        self.bytes = 0
        self.codes: list[str] = []

    def opened(self) -> None:
        """Note a feed that begins."""
        self.open += 1

    def closed(self) -> None:
        """Note a feed that ends."""
        self.open -= 1

    def taken(self, size: int) -> None:
        """Note bytes that a reader took."""
        self.bytes += size

    def failed(self, code: str) -> None:
        """Note the error that ended a feed."""
        self.codes.append(code)


class RecordingToolObserver:
    """A `ToolObserver` that remembers."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str | None]] = []

    def called(self, tool: str, code: str | None, seconds: float) -> None:
        """Note a call."""
        del seconds
        self.calls.append((tool, code))
