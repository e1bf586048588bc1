"""A time on the command line, such as 2026-11-23, 2026-11-23T08:00:00+01:00, or "3 hours ago"."""

from __future__ import annotations

from datetime import datetime, timedelta

import click

from aeterna.cli.when import AGO


class Timestamp(click.ParamType[datetime]):
    """A date (its beginning), a time, or how long ago; without a zone, of this machine's."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Parse the text of the option."""
        if isinstance(value, datetime):
            return value
        text = str(value).strip()
        if ago := AGO.fullmatch(text.lower()):
            return datetime.now().astimezone() - timedelta(**{f"{ago[2]}s": int(ago[1])})
        try:
            return datetime.fromisoformat(text).astimezone()
        except ValueError:
            self.fail(f"{value!r} is not a time such as 2026-11-23, 2026-11-23T08:00 or '3 hours ago'", param, ctx)
