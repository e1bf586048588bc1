"""A group of commands that imports a command only when it is run, so that `aeterna --help` stays fast."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Lazy:
    """Where a command is, and the line that help shows for it."""

    module: str
    attribute: str
    summary: str


class LazyGroup(click.Group):
    """A group whose commands are named, listed and completed without being imported."""

    def __init__(self, *, lazy: Mapping[str, Lazy], **settings: object) -> None:
        super().__init__(**settings)  # pyright: ignore[reportArgumentType]  # click.Group's own keywords, passed on
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names, in the order in which they were given."""
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import a command."""
        where = self._lazy.get(cmd_name)
        if where is None:
            return None
        command: object = getattr(importlib.import_module(where.module), where.attribute)
        if not isinstance(command, click.Command):
            message = f"{where.module}.{where.attribute} is not a command"
            raise TypeError(message)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, and suggest the likeliest of ours for a mistyped name."""
        name = args[0]
        if name not in self._lazy and not name.startswith("-") and not ctx.resilient_parsing:
            likeliest = get_close_matches(name, self._lazy, n=1)
            suggestion = f" Did you mean {likeliest[0]!r}?" if likeliest else ""
            message = f"No such command {name!r}.{suggestion}"
            raise click.UsageError(message, ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the list of commands from the summaries."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, where.summary) for name, where in self._lazy.items()])
