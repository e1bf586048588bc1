"""A vault for backups that outlive what they are of: its spec, and what a deployed one tells."""

from __future__ import annotations

from dataclasses import dataclass

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.contracts.naming import require_between, require_name

EVERY_HOURS = (1, 2, 4, 6, 8, 12, 24)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSpec:
    """A vault apart from the stores, so that deleting a store does not delete its backups.

    Beside it each store keeps a point-in-time log of its own (`DatabaseSpec.backup_days`).

    - ``name`` is the vault's. Changing it makes a new, empty vault.
    - ``every_hours`` is how often a backup is taken, where the cloud can; a cloud that cannot takes the nearest longer
      interval, and says so in the parity table. Default: 6.
    - ``keep_days`` is how long a backup is kept, and the least time for which the vault's lock refuses to delete it.
      Default: 7.
    - ``hour`` is when (UTC) the first of a day begins. Default: 05:00, clear of what stores do at night.
    - ``protected`` refuses to delete the vault. Default: on.
    """

    name: str
    every_hours: int = 6
    keep_days: int = 7
    hour: int = 5
    protected: bool = True

    def __post_init__(self) -> None:
        """Refuse what no cloud could deploy."""
        kind = type(self).__name__
        require_name(kind, "name", self.name)
        if self.every_hours not in EVERY_HOURS:
            remedy = f"use one of {', '.join(map(str, EVERY_HOURS))}"
            raise InvalidSpecError(kind, "every_hours", f"a day does not divide into {self.every_hours} hours", remedy)
        require_between(kind, "keep_days", self.keep_days, (1, 365), "days")
        require_between(kind, "hour", self.hour, (0, 23), "o'clock")


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupOutputs:
    """A deployed vault."""

    vault: Late
    """The vault's full identifier."""
