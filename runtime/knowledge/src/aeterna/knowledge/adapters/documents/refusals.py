"""Why a file is not read, as the readers of its kinds say it."""

from __future__ import annotations


class RefusedError(ValueError):
    """The file is not read; the message is the reason, a clause as in "is a PDF file"."""
