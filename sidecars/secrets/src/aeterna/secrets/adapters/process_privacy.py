"""Keeps the memory of this process from others of its user, and from the disk (prctl(2), PR_SET_DUMPABLE)."""

from __future__ import annotations

import ctypes
import resource
import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4
_NO_CORE: Final = (0, 0)


def keep_private() -> None:
    """Write no core, and let nobody attach or read ``/proc/<pid>/mem`` and ``environ`` without the right to trace.

    An application that is signalled runs as the same user and sees the same processes: it could read the login at the
    source otherwise, and with it every secret that the source lets the pod read.
    """
    resource.setrlimit(resource.RLIMIT_CORE, _NO_CORE)
    if sys.platform == "linux":
        # Best effort: a kernel that refuses leaves what any process has, and there is nothing to do about it here.
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
