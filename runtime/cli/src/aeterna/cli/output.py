"""Prints answers: for people, or as exactly one JSON document on stdout."""

from __future__ import annotations

import dataclasses
import json
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_CONTROLS: Final = {code: repr(chr(code))[1:-1] for code in (*range(0x20), *range(0x7F, 0xA0))}
"""What would end a row, or command the terminal, as a text of the graph may: written as Python writes it."""
_CONTROLS_BUT_LINES: Final = {code: shown for code, shown in _CONTROLS.items() if code != ord("\n")}


def answer(data: object, *, as_json: bool, human: Callable[[], None]) -> None:
    """Print an answer the way it was asked for."""
    if as_json:
        print_json(data)
    else:
        human()


def print_json(data: object) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(data, default=_plain, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table: ruled on a terminal, tab-separated for the next program in a pipe."""
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(cell.translate(_CONTROLS) for cell in row))
        return
    from rich import box  # noqa: PLC0415 - a tenth of a second that only a terminal needs
    from rich.console import Console  # noqa: PLC0415 - as above
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    ruled = Table(box=box.SIMPLE_HEAD)
    for heading in headings:
        ruled.add_column(heading, overflow="fold")  # half of an id is of no use
    for row in rows:
        ruled.add_row(*(Text(cell.translate(_CONTROLS_BUT_LINES)) for cell in row))
    Console().print(ruled)


def printable(line: str) -> str:
    """Return a line of somebody else's text as a terminal may be shown it."""
    return line.translate(_CONTROLS)


def error(problem: str, hint: str, *, color: bool | None = None) -> None:
    """Print an error the way git does: what is wrong, then what to do about it."""
    click.echo(f"{click.style('error:', fg='red', bold=True)} {problem}", err=True, color=color)
    if hint:
        click.echo(f"{click.style('hint:', fg='yellow')} {hint}", err=True, color=color)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    message = f"{type(value).__name__} has no JSON form"
    raise TypeError(message)
