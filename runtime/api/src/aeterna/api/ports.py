"""What the graph API needs from the world besides a graph: somebody who watches its feeds and its tools."""

from __future__ import annotations

from typing import Protocol


class FeedObserver(Protocol):
    """Watches feeds: how many, how much they carry, and what ends them.

    Kept by ``adapters.feed_metrics``; faked in ``testing``. It never fails: a feed does not end because it is watched.
    """

    def opened(self) -> None:
        """Note a feed that begins."""
        ...

    def closed(self) -> None:
        """Note a feed that ends."""
        ...

    def taken(self, size: int) -> None:
        """Note bytes that a reader took."""
        ...

    def failed(self, code: str) -> None:
        """Note the error that ended a feed."""
        ...


class ToolObserver(Protocol):
    """Watches tools: which are called, how long they take, and what they fail with.

    Kept by ``adapters.tool_metrics``; faked in ``testing``. It never fails.
    """

    def called(self, tool: str, code: str | None, seconds: float) -> None:
        """Note a call of a tool that exists, and the stable code of the error that it ended with."""
        ...
