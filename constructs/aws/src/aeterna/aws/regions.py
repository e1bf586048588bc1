"""What a region of AWS is called, and which one a stack is for, so that a wrong one is refused before AWS is asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aeterna.aws.l1.provider import AwsProvider
from aeterna.contracts.errors import InvalidSpecError
from aeterna.synth.app import TerraformStack

if TYPE_CHECKING:
    from constructs import Construct

REGION = re.compile(
    r"(?:af|ap|ca|eu|il|me|mx|sa|us)-(?:central|north|northeast|northwest|east|south|southeast|southwest|west)-[1-9]"
)
"""The commercial partition. In China's and the US government's, services and trust stores have other names."""


def require_region(spec: str, field: str, region: str) -> None:
    """Refuse what cannot be a region of AWS, such as a zone or another cloud's region."""
    if not REGION.fullmatch(region):
        raise InvalidSpecError(spec, field, f"{region!r} is not a region of AWS", 'write one such as "eu-west-1"')


def region_of(scope: Construct) -> str | None:
    """Return the region that the scope's stack is applied to, or None where that is not known at synthesis.

    It is known where the stack has one provider of AWS, with the region as text.
    """
    providers = [each for each in TerraformStack.of(scope).node.find_all() if isinstance(each, AwsProvider)]
    if len(providers) != 1:
        return None
    region = providers[0].arguments.get("region")
    return region if isinstance(region, str) and REGION.fullmatch(region) else None
