"""What a region of AWS is called, so that a mistyped one is refused before anything asks AWS."""

from __future__ import annotations

import re

from aeterna.contracts.errors import InvalidSpecError

REGION = re.compile(
    r"(?:af|ap|ca|eu|il|me|mx|sa|us)-(?:central|north|northeast|northwest|east|south|southeast|southwest|west)-[1-9]"
)
"""The commercial partition. In China's and the US government's, services and trust stores have other names."""


def require_region(spec: str, field: str, region: str) -> None:
    """Refuse what cannot be a region of AWS, such as a zone or another cloud's region."""
    if not REGION.fullmatch(region):
        raise InvalidSpecError(spec, field, f"{region!r} is not a region of AWS", 'write one such as "eu-west-1"')
