"""Encryption keys that the customer holds: one key for each purpose, rotated, and never without an administrator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from aeterna.contracts.late import Late
from aeterna.contracts.naming import LONGEST_NAME, require_between, require_distinct, require_name

SHORTEST_ROTATION = timedelta(days=90)
LONGEST_ROTATION = timedelta(days=2560)
SHORTEST_GRACE = timedelta(days=7)
LONGEST_GRACE = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySpec:
    """A symmetric key for one purpose.

    - ``purpose`` says what the key protects ("threads", "cluster", "logs"). One key a purpose keeps the damage of a
      lost or revoked key to that purpose.
    - ``environment`` sets keys of the same purpose apart inside one account and region. Default: "aeterna".
    - ``rotation`` is how often new key material is made; old material stays readable. Default: every year.
    - ``grace`` is how long a deleted key can still be brought back. Default: 30 days, the longest there is, because
      with the key every store under it is gone.
    - ``administrators`` may change and delete the key, but not use it: full principal identifiers of the cloud.
      Default: none beside the account itself, which always stays administrator so that nobody can be locked out.
    - ``protected`` refuses to destroy the key. Default: on.
    """

    purpose: str
    environment: str = "aeterna"
    rotation: timedelta = timedelta(days=365)
    grace: timedelta = LONGEST_GRACE
    administrators: tuple[str, ...] = ()
    protected: bool = True

    def __post_init__(self) -> None:
        """Refuse what the key services would refuse."""
        kind = type(self).__name__
        require_name(kind, "purpose", self.purpose, longest=LONGEST_NAME)
        require_name(kind, "environment", self.environment, longest=LONGEST_NAME)
        require_between(kind, "rotation", self.rotation.days, (SHORTEST_ROTATION.days, LONGEST_ROTATION.days), "days")
        require_between(kind, "grace", self.grace.days, (SHORTEST_GRACE.days, LONGEST_GRACE.days), "days")
        require_distinct(kind, "administrators", self.administrators)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyOutputs:
    """A deployed key: the identifier that stores are encrypted under, and its readable name."""

    key_id: Late
    alias: Late
