"""What the queries of the graph share: the point in history that they read, and the way they go along edges."""

from __future__ import annotations

from dataclasses import dataclass

import click

direction_option = click.option(
    "--direction", type=click.Choice(["out", "in", "both"]), default="out", show_default=True, help="Along which edges."
)
types_option = click.option(
    "--type", "types", multiple=True, help="Follow only edges of this type; may be given several times."
)
kinds_option = click.option(
    "--kind", "kinds", multiple=True, help="Show only nodes of this kind; may be given several times."
)
where_option = click.option(
    "--where",
    multiple=True,
    metavar="CONDITION",
    help="Show only nodes with owner=payments, 'tier<=2', owner (it exists) or !owner; may be given several times.",
)


@dataclass(frozen=True, slots=True)
class Point:
    """The point in the graph's history that the subcommands read; None is now."""

    as_of: str | None


pass_point = click.make_pass_decorator(Point)
