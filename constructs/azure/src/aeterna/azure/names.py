"""Names that Azure takes and keeps unique in the world, made from longer ones, the same every time."""

from __future__ import annotations

import re
from hashlib import sha256

from aeterna.contracts.errors import InvalidSpecError

ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
LONGEST_ACCOUNT = 24
LONGEST_VAULT = 24
DIGEST = 8
"""Hexadecimal digits of a digest in a name: two of a million names share them with a chance of about one in 8,000."""


def digest(*parts: str) -> str:
    """Return the short digest of what has to be told apart."""
    return sha256("/".join(parts).encode()).hexdigest()[:DIGEST]


def account_name(name: str) -> str:
    """Return the name of a storage account: at most 24 lower-case letters and digits, unique in all of Azure.

    A name that is one already stays, so that what a deployed account tells can be given again. Any other keeps its
    beginning, and a digest of the whole sets it apart from those that begin alike.
    """
    if ACCOUNT.fullmatch(name):
        return name
    return plain(name)[: LONGEST_ACCOUNT - DIGEST] + digest(name)


def plain(name: str) -> str:
    """Return the name without its hyphens, for services that take letters and digits only."""
    return name.replace("-", "")


def shortened(name: str, *, longest: int) -> str:
    """Return the beginning of a name that does not end in a hyphen: Azure takes none at the end, nor two in a row."""
    return name[:longest].rstrip("-")


def require_longest(spec: str, field: str, name: str, *, longest: int, service: str) -> str:
    """Return the name if the service takes one as long, or refuse it."""
    if len(name) > longest:
        problem = f"{name!r} has {len(name)} characters and {service} takes {longest}"
        raise InvalidSpecError(spec, field, problem, f"shorten it by {len(name) - longest}")
    return name
