"""What a region of Google Cloud is called, so that a mistyped one is refused before anything asks Google."""

from __future__ import annotations

import re

from aeterna.contracts.errors import InvalidSpecError

REGION = re.compile(
    r"(?:africa|asia|australia|europe|me|northamerica|southamerica|us)"
    r"-(?:central|north|northeast|northwest|east|south|southeast|southwest|west)[1-9][0-9]?"
)
ZONE_LETTER = re.compile(r"[a-z]")


def require_region(spec: str, field: str, region: str) -> None:
    """Refuse what cannot be a region of Google Cloud, such as a zone, a multi-region or another cloud's region."""
    if not REGION.fullmatch(region):
        raise InvalidSpecError(
            spec, field, f"{region!r} is not a region of Google Cloud", 'write one such as "europe-west4"'
        )


def require_zone(spec: str, field: str, zone: str, *, region: str) -> None:
    """Refuse what cannot be a zone of the region."""
    leading, _, letter = zone.rpartition("-")
    if leading != region or not ZONE_LETTER.fullmatch(letter):
        raise InvalidSpecError(spec, field, f"{zone!r} is not a zone of {region}", f'write one such as "{region}-a"')
