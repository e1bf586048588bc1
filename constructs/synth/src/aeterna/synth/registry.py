"""Finds the clouds that are installed: distributions that offer an entry point in the group ``aeterna.clouds``."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any, Final, TypeAlias

from aeterna.synth.cloud import Cloud
from aeterna.synth.errors import UnknownCloudError

GROUP: Final = "aeterna.clouds"

# Which handles a cloud found by name has, only the cloud knows; a caller passes them back without looking inside.
AnyCloud: TypeAlias = Cloud[Any, Any, Any, Any, Any, Any, Any, Any, Any]


def clouds() -> tuple[str, ...]:
    """Return the names of the installed clouds, sorted."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


def cloud(name: str) -> AnyCloud:
    """Return the installed cloud of this name; nothing of it is imported before. Raises `UnknownCloudError`."""
    for point in entry_points(group=GROUP, name=name):
        found: AnyCloud = point.load()
        return found
    raise UnknownCloudError(name, clouds())
