"""What a service and everything of it in a database are called; all of it follows from one word."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """``name`` is the service's own, such as ``threads``; ``title`` what people read, such as ``the thread store``.

    ``within`` is the service that a library is a part of, such as ``api``, where it is no service itself.
    """

    name: str
    title: str
    within: str | None = None

    @property
    def schema(self) -> str:
        """The schema that holds its tables."""
        return self.name

    @property
    def role(self) -> str:
        """The role that it acts as, which owns nothing."""
        return f"aeterna_{self.name}"

    @property
    def application(self) -> str:
        """What PostgreSQL shows of its connections."""
        return f"aeterna-{self.name}"

    @property
    def module(self) -> str:
        """What ``python -m`` runs."""
        return f"aeterna.{self.within or self.name}"

    @property
    def variables(self) -> str:
        """What the names of its settings begin with."""
        return "_".join(("AETERNA", *((self.within.upper(),) if self.within else ()), self.name.upper(), ""))
