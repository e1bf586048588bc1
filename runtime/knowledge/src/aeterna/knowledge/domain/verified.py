"""What is left of a model's answer when it has been held to its sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified(Generic[T]):
    """What stands of an answer: None if nothing does. ``problem`` says what is wrong, to whoever gave it."""

    value: T | None
    problem: str = ""
