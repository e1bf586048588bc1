"""The root of every error that Aeterna raises on purpose.

AeternaError
├── InvalidSpecError          a spec cannot work; raised at synthesis
└── (each package draws its own tree below AeternaError)
"""

from __future__ import annotations

from typing import ClassVar


class AeternaError(Exception):
    """Something Aeterna refuses or cannot do; ``code`` is stable and part of the public contract."""

    code: ClassVar[str] = "aeterna.error"


class InvalidSpecError(AeternaError):
    """A spec cannot work as written; nothing was synthesized."""

    code = "spec.invalid"

    def __init__(self, spec: str, field: str, problem: str, remedy: str, *, path: str | None = None) -> None:
        """Name the spec's class, the field, what is wrong with it and what to change; ``path`` is the construct's."""
        where = "" if path is None else f"{path}: "
        super().__init__(f"{where}{spec}.{field}: {problem}; {remedy}")
        self.spec = spec
        self.field = field
        self.problem = problem
        self.remedy = remedy
        self.path = path

    def at(self, path: str) -> InvalidSpecError:
        """Return the same refusal, said of the construct at this path."""
        return InvalidSpecError(self.spec, self.field, self.problem, self.remedy, path=path)
