"""What a file within a bundle may be called, whoever brings it: a folder, a signed document or a push."""

from __future__ import annotations

import re
from typing import Final

from aeterna.cedar.errors import BundleInvalidError

_MAX_CHARS: Final = 255
_SHOWN_CHARS: Final = 80
# A part begins with no dot: neither `.`, nor `..`, nor what a file system hides. No backslash, no control characters.
_PATH: Final = re.compile(r"[A-Za-z0-9_@+=-][A-Za-z0-9_@+=.,~-]*(/[A-Za-z0-9_@+=-][A-Za-z0-9_@+=.,~-]*)*")


def checked_path(path: str) -> str:
    """Return the path, or raise `BundleInvalidError` for one that could lead out of the bundle or confuse a reader."""
    if len(path) > _MAX_CHARS or not _PATH.fullmatch(path):
        shown = ascii(path[:_SHOWN_CHARS])
        raise BundleInvalidError(shown, "is no path within a bundle: letters, digits, -_@+=.,~ in parts with / between")
    return path
