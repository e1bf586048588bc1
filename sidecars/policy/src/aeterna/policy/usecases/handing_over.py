"""Handing over: where one process checks a bundle and decides by it too, it is compiled once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aeterna.cedar.domain.bundle import Bundle
    from aeterna.cedar.ports import Compiler, Engine


class HandingOver:
    """A `Compiler` that gives an engine to the next one who asks for the same bundle, and then forgets it."""

    def __init__(self, compiler: Compiler) -> None:
        self._compiler = compiler
        self._lock = threading.Lock()
        self._made: tuple[str, Engine] | None = None

    def compile(self, bundle: Bundle) -> Engine:
        """Return the engine, or raise `BundleInvalidError`."""
        digest = bundle.digest()
        with self._lock:
            made, self._made = self._made, None
        if made is not None and made[0] == digest:
            return made[1]
        engine = self._compiler.compile(bundle)
        with self._lock:
            self._made = (digest, engine)
        return engine
