"""What the runners follow: a stream that remembers where it is, across any number of connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.client.errors import ClientError
    from aeterna.client.json_value import JsonObject
    from aeterna.client.operation import Service

T_co = TypeVar("T_co", covariant=True)


class Followed(Protocol[T_co]):
    """A stream of server-sent events. Nothing in it does input or output."""

    @property
    def service(self) -> Service:
        """The service that sends it."""
        ...

    @property
    def path(self) -> str:
        """Where it is."""
        ...

    @property
    def body(self) -> JsonObject | None:
        """What is asked for; without it the stream is simply read."""
        ...

    def headers(self) -> Mapping[str, str]:
        """Return the headers of the next connection, which resumes where the last one ended."""
        ...

    def feed(self, line: str) -> T_co | None:
        """Take one line; return what it completes, if it does and that is new."""
        ...

    def pause(self, failure: ClientError | None) -> float:
        """Return the seconds to wait before connecting again; raise the failure when that cannot help."""
        ...
