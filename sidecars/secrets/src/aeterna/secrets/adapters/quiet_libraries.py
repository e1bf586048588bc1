"""Silences the libraries that write to their logs what they send and are sent: signatures, tokens and values."""

from __future__ import annotations

import logging
from typing import Final

_TALKATIVE: Final = ("botocore", "azure", "msal", "google.auth", "urllib3", "requests", "httpcore", "httpx", "hvac")


def quieten() -> None:
    """Let none of them write anything, whatever level the process logs at; we say ourselves what failed."""
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL + 1)
        # Their own children too: one whose level was set earlier would not ask.
        logger.handlers = [logging.NullHandler()]
        logger.propagate = False
