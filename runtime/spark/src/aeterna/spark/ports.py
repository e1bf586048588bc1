"""The part of Spark that the job uses, with types: pyspark is not in the environment that checks them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GroupedMap: TypeAlias = Callable[[Any], Any]  # one Arrow table to another; Any: pyarrow ships no types


class Writer(Protocol):
    """What writes a frame into a table."""

    def options(self, **options: str) -> Writer:
        """Set options of the write."""
        ...

    def overwritePartitions(self) -> None:  # noqa: N802 - Spark's own name
        """Replace the partitions that the frame has rows of."""
        ...


class Grouped(Protocol):
    """A frame by the value of a column."""

    def applyInArrow(self, function: GroupedMap, schema: str) -> Frame:  # noqa: N802 - Spark's own name
        """Map each group's Arrow table to another."""
        ...


class Frame(Protocol):
    """The part of Spark's DataFrame that the job uses."""

    def collect(self) -> Sequence[Mapping[str, Any]]:
        """Return the rows; Any: the statement knows their types."""
        ...

    def unionByName(self, other: Frame) -> Frame:  # noqa: N802 - Spark's own name
        """Return the rows of both."""
        ...

    def groupBy(self, *columns: str) -> Grouped:  # noqa: N802 - Spark's own name
        """Return the rows by the values of columns."""
        ...

    def writeTo(self, table: str) -> Writer:  # noqa: N802 - Spark's own name
        """Return what writes the rows into a table."""
        ...


class Spark(Protocol):
    """The part of a Spark session that the job uses."""

    def stamp(self, table: str, seq: int, head: int, summary: Mapping[str, str]) -> None:
        """Put an empty snapshot with the summary on top of ``table``.

        Raise `CommitLostError` when a row with a higher seq was added since the snapshot ``head``.
        """
        ...

    def sql(self, statement: str) -> Frame:
        """Run or plan a statement; raise `CommitLostError` when its commit lost against another one."""
        ...
