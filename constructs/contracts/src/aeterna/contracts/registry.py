"""A private registry of container images: its spec, and what a deployed one tells."""

from __future__ import annotations

from dataclasses import dataclass

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.contracts.naming import require_between, require_distinct, require_name

IMAGES = (
    *("graph-api", "threads", "policies", "injector"),
    *("policy", "secrets", "relay", "opal", "opal-client"),
)
"""What the runtime and its sidecars are run from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySpec:
    """A registry whose tags cannot be moved once pushed, scanned on push and encrypted under the customer's key.

    - ``name`` leads the images' names. Changing it makes a new, empty registry.
    - ``images`` are the images that it holds, where the cloud wants each one named beforehand. Default: those of the
      runtime.
    - ``untagged_days`` is how long an image without a tag is kept. Default: 14.
    - ``protected`` refuses to delete the registry while it holds images. Default: on.
    """

    name: str
    images: tuple[str, ...] = IMAGES
    untagged_days: int = 14
    protected: bool = True

    def __post_init__(self) -> None:
        """Refuse what no cloud could deploy."""
        kind = type(self).__name__
        require_name(kind, "name", self.name)
        if not self.images:
            raise InvalidSpecError(kind, "images", "a registry for no image", "name at least one image")
        require_distinct(kind, "images", self.images)
        for image in self.images:
            require_name(kind, "images", image)
        require_between(kind, "untagged_days", self.untagged_days, (1, 365), "days")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryOutputs:
    """A deployed registry."""

    url: Late
    """What stands before ``/<image>:<tag>``; no scheme, no slash at the end."""
