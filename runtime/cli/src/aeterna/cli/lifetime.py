"""A duration on the command line, such as 90s, 15m, 8h or 30d."""

from __future__ import annotations

import re
from datetime import timedelta

import click

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Lifetime(click.ParamType[timedelta]):
    """A duration such as 90s, 15m, 8h or 30d."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Parse the text of the option."""
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"(\d+)([smhd])", str(value))
        if found is None:
            self.fail(f"{value!r} is not a duration such as 90s, 15m, 8h or 30d", param, ctx)
        return timedelta(**{UNITS[found[2]]: int(found[1])})
