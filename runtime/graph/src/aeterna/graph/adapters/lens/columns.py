"""Arrays that grow at their end while earlier readers keep what they see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

Scalar = TypeVar("Scalar", bound=np.generic)


class Column(Generic[Scalar]):
    """The memory behind a growing array. One thread grows; views taken earlier never see what came later."""

    def __init__(self, dtype: npt.DTypeLike, missing: int) -> None:
        """``missing`` stands where nothing was said."""
        self._missing = missing
        self._values: npt.NDArray[Scalar] = np.empty(0, dtype=dtype)

    def extended(self, view: npt.NDArray[Scalar], values: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """Return the view's values and then ``values``, in the same memory where it has room.

        The caller says from where: what an abandoned change left behind is written over.
        """
        at, size = len(view), len(view) + len(values)
        if view.base is not self._values or size > len(self._values):
            grown = np.empty(max(1024, size, at * 3 // 2), dtype=self._values.dtype)
            grown[:at] = view
            self._values = grown
        self._values[at:size] = values
        return self._values[:size]

    def changed(
        self, view: npt.NDArray[Scalar], size: int, places: npt.NDArray[np.int32], values: npt.NDArray[Scalar] | Scalar
    ) -> npt.NDArray[Scalar]:
        """Return the view with ``size`` values, those at the places changed."""
        added = np.full(size - len(view), self._missing, dtype=self._values.dtype)
        # Only what readers may see has to be copied before it changes.
        if len(places) == 0 or int(places.min()) >= len(view):
            longer = self.extended(view, added)
        else:
            longer = np.concatenate([view, added])
        longer[places] = values
        return longer
