"""Alarms on what a foundation is made of: their spec, and where a deployed set of them speaks."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.contracts.naming import require_between, require_distinct, require_name

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsSpec:
    """Alarms before users notice: a store that fills up, is busy, or has no connection left; a node that is gone.

    - ``name`` leads the alarms' names.
    - ``emails`` are told, each after confirming it where the cloud asks for that. Default: nobody; subscribe whatever
      your people watch to `AlertsOutputs.channel`.
    - ``busy_percent`` is the processor load that counts as busy when it lasts a quarter of an hour. Default: 85.
    - ``full_percent`` is how full a disk or a cache may become. Default: 85.
    """

    name: str
    emails: tuple[str, ...] = ()
    busy_percent: int = 85
    full_percent: int = 85

    def __post_init__(self) -> None:
        """Refuse what no cloud could deploy."""
        kind = type(self).__name__
        require_name(kind, "name", self.name)
        require_distinct(kind, "emails", self.emails)
        for email in self.emails:
            if not EMAIL.fullmatch(email):
                problem = f"{email!r} is not an address of electronic mail"
                raise InvalidSpecError(kind, "emails", problem, 'write one such as "ops@example.com"')
        require_between(kind, "busy_percent", self.busy_percent, (50, 99), "percent")
        require_between(kind, "full_percent", self.full_percent, (50, 95), "percent")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsOutputs:
    """Deployed alarms."""

    channel: Late
    """The identifier of what every alarm is sent to, for further subscribers."""
