"""Where the state of a stack is kept: versioned, locked and encrypted, in a bucket that exists before any stack."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aeterna.contracts.bucket import require_bucket_name
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.contracts.naming import REGION, require_between

PATH = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class StateStoreSpec:
    """A bucket for the states of an environment, made by its first stack before any other keeps its state there.

    - ``name`` is the bucket's, unique in the whole cloud.
    - ``noncurrent_days`` is how long an older state can be brought back. Default: 365.
    - ``protected`` refuses to delete it. Default: on.
    """

    name: str
    noncurrent_days: int = 365
    protected: bool = True

    def __post_init__(self) -> None:
        """Refuse what no cloud could deploy."""
        kind = type(self).__name__
        require_bucket_name(kind, "name", self.name)
        require_between(kind, "noncurrent_days", self.noncurrent_days, (30, 3653), "days")


@dataclass(frozen=True, slots=True, kw_only=True)
class StateStoreOutputs:
    """A deployed state store: what a `StateSpec` has to say to use it."""

    bucket: Late
    key: Late
    """In the form that `StateSpec.key` takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSpec:
    """A bucket for states, and the key that encrypts them before they leave the machine that applies.

    - ``bucket`` exists already: a state cannot be kept in what it describes. The first stack of a foundation makes one.
    - ``path`` leads each stack's own name inside the bucket. Default: "aeterna".
    - ``region`` is the bucket's. Default: the stack's.
    - ``key`` is the full identifier of the customer's key. With it, state and plan files are encrypted by OpenTofu
      itself, so that whoever can read the bucket still cannot read them, and an unencrypted state is refused.
      Terraform cannot do that. Default: none; the bucket's own encryption is all there is.
    """

    bucket: str
    path: str = "aeterna"
    region: str | None = None
    key: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no backend would take."""
        kind = type(self).__name__
        require_bucket_name(kind, "bucket", self.bucket)
        if not PATH.fullmatch(self.path):
            raise InvalidSpecError(
                kind,
                "path",
                f"{self.path!r} is not a path",
                "use names joined by single slashes, without one at either end",
            )
        if self.region is not None and not REGION.fullmatch(self.region):
            raise InvalidSpecError(kind, "region", f"{self.region!r} is not a region", "use the cloud's own name of it")
