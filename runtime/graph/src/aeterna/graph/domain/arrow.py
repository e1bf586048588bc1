"""The part of Arrow that the graph uses, with types: pyarrow itself ships none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import pyarrow  # noqa: ICN001 - `pa` is the typed name below
import pyarrow.compute

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

# Any: pyarrow has no types, and neither has what it makes. That is declared as a Table or a Column where these say
# enough of it, and as Arrow where more of an array, a table or a batch is needed.
pa: Any = pyarrow
pc: Any = pyarrow.compute
Arrow: TypeAlias = Any


class Column(Protocol):
    """A column of a table."""

    def __len__(self) -> int:
        """Return how many values it has."""
        ...

    @property
    def chunks(self) -> Sequence[object]:
        """The parts in which the column is stored."""
        ...

    def to_pylist(self) -> list[Any]:
        """Return the values as Python's own; Any: the column knows their type, Python does not."""
        ...

    def to_numpy(self) -> npt.NDArray[Any]:
        """Return the values as an array; Any: as above."""
        ...

    def filter(self, mask: Column) -> Column:
        """Return the values where the mask is true."""
        ...


class Table(Protocol):
    """Columns of equal length."""

    @property
    def num_rows(self) -> int:
        """How many rows it has."""
        ...

    def __getitem__(self, name: str) -> Column:
        """Return the column of that name."""
        ...

    def filter(self, mask: object) -> Table:
        """Return the rows where the mask or expression is true."""
        ...

    def take(self, positions: npt.NDArray[np.int64]) -> Table:
        """Return the rows at the positions, in their order."""
        ...

    def slice(self, offset: int, length: int) -> Table:
        """Return the rows from ``offset`` on, ``length`` of them or as many as there are."""
        ...

    def select(self, names: Sequence[str]) -> Table:
        """Return some of the columns."""
        ...


def mask(values: npt.NDArray[np.bool_]) -> Column:
    """Return the array as a column."""
    return pa.array(values)


def where(column: str, value: str) -> object:
    """Return the expression by which `Table.filter` keeps the rows that have the value."""
    return pc.field(column) == value


def untyped(value: object) -> Any:  # noqa: ANN401 - the one door out of a library whose own types end at Arrow
    """Return the value for a call whose declared types name the untyped pyarrow."""
    return value
