"""What a name in a spec may look like, so that every cloud's own rules can be met from it."""

from __future__ import annotations

import re

from aeterna.contracts.errors import InvalidSpecError

NAME = re.compile(r"[a-z](?:-?[a-z0-9])*")
LONGEST_NAME = 40
"""The longest name any spec takes; each cloud's own limit, suffix included, is checked where the suffix is known."""

REGION = re.compile(r"[a-z]+(?:-?[a-z0-9]+)*")


def require_name(spec: str, field: str, value: str, *, longest: int = LONGEST_NAME) -> None:
    """Refuse a name that is not lower-case letters, digits and single hyphens, starting with a letter."""
    if not NAME.fullmatch(value):
        raise InvalidSpecError(
            spec,
            field,
            f"{value!r} is not a name that every cloud accepts",
            "use lower-case letters, digits and single hyphens, beginning with a letter and not ending with a hyphen",
        )
    if len(value) > longest:
        raise InvalidSpecError(
            spec, field, f"{value!r} has {len(value)} characters", f"use at most {longest} characters"
        )


def suffixed(spec: str, field: str, name: str, suffix: str, *, longest: int) -> str:
    """Return ``name-suffix``, or say how long the name may be for the suffixed one to fit the service's limit."""
    full = f"{name}-{suffix}"
    if len(full) > longest:
        room = longest - len(suffix) - 1
        raise InvalidSpecError(
            spec,
            field,
            f"{full!r} has {len(full)} characters and the service takes {longest}",
            f"shorten {name!r} to at most {room} characters",
        )
    return full


def require_between(spec: str, field: str, value: int, bounds: tuple[int, int], unit: str) -> None:
    """Refuse a number outside ``bounds``, both of which are allowed."""
    least, most = bounds
    if not least <= value <= most:
        raise InvalidSpecError(spec, field, f"{value} {unit}", f"use {least} to {most} {unit}")


def require_distinct(spec: str, field: str, values: tuple[str, ...]) -> None:
    """Refuse a tuple that names the same thing twice."""
    repeated = sorted({value for value in values if values.count(value) > 1})
    if repeated:
        raise InvalidSpecError(spec, field, f"{', '.join(repeated)} given more than once", "give each one once")
