"""What a region of AWS is called, so that a mistyped one is refused before anything asks AWS."""

from __future__ import annotations

import re

from aeterna.contracts.errors import InvalidSpecError

REGION = re.compile(
    r"(?:af|ap|ca|eu|il|me|mx|sa|us|us-gov)-(?:central|north|northeast|northwest|east|south|southeast|southwest|west)-[1-9]"
)
"""The commercial and the US government partitions; China's names its services differently and is not supported."""


def require_region(spec: str, field: str, region: str) -> None:
    """Refuse what cannot be a region of AWS, such as a zone or another cloud's region."""
    if not REGION.fullmatch(region):
        raise InvalidSpecError(spec, field, f"{region!r} is not a region of AWS", 'write one such as "eu-west-1"')
