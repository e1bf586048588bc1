"""The zones that a network spans: numbers, which mean another zone in every subscription."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aeterna.azure.l1.data_location import DataAzurermLocation
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.contracts.network import MOST_ZONES
from aeterna.synth.expressions import Fn, Token, as_list

if TYPE_CHECKING:
    from constructs import Construct

    from aeterna.azure.place import AzurePlace
    from aeterna.contracts.network import NetworkSpec


def logical_zones(scope: Construct, id_: str, spec: NetworkSpec, *, place: AzurePlace) -> tuple[Late, ...]:
    """Return the numbers by which this subscription asks for the zones.

    A zone that the spec pins is named as Azure names it for everyone ("westeurope-az1"). Raises `InvalidSpecError` for
    one of another region.
    """
    if not spec.zone_ids:
        return offered_zones(scope, id_, place=place, zones=spec.zones)
    for zone in spec.zone_ids:
        if not re.fullmatch(rf"{place.location}-az[1-9]", zone):
            remedy = f"write one such as '{place.location}-az1'"
            raise InvalidSpecError("NetworkSpec", "zone_ids", f"{zone!r} is no zone of {place.location}", remedy)
    location = DataAzurermLocation(scope, id_, location=place.location)
    physical = as_list(location.reference("zone_mappings[*].physical_zone"))
    numbers = Fn.zipmap(physical, as_list(location.reference("zone_mappings[*].logical_zone")))
    return tuple(Late(Token.as_string(Fn.lookup(numbers, zone))) for zone in spec.zone_ids)


def offered_zones(scope: Construct, id_: str, *, place: AzurePlace, zones: int = MOST_ZONES) -> tuple[Late, ...]:
    """Return the numbers of the first zones that the region offers; those without any are refused by name."""
    location = DataAzurermLocation(scope, id_, location=place.location)
    in_order = Fn.sort(as_list(location.reference("zone_mappings[*].logical_zone")))
    return tuple(Late(Token.as_string(Fn.element(in_order, index))) for index in range(zones))
