"""Azure's regions: which have several zones, and which region Azure itself copies each to."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from aeterna.contracts.errors import InvalidSpecError

if TYPE_CHECKING:
    from collections.abc import Mapping

PAIRS: Mapping[str, str | None] = MappingProxyType(
    {
        "australiaeast": "australiasoutheast",
        "austriaeast": None,
        "belgiumcentral": None,
        "brazilsouth": "southcentralus",
        "canadacentral": "canadaeast",
        "centralindia": "southindia",
        "centralus": "eastus2",
        "chilecentral": None,
        "denmarkeast": None,
        "eastasia": "southeastasia",
        "eastus": "westus",
        "eastus2": "centralus",
        "francecentral": "francesouth",
        "germanywestcentral": "germanynorth",
        "indonesiacentral": None,
        "israelcentral": None,
        "italynorth": None,
        "japaneast": "japanwest",
        # Azure pairs it with japaneast, but copies no account from its zones there ("Regions that support GZRS").
        "japanwest": None,
        "koreacentral": "koreasouth",
        "malaysiawest": None,
        "mexicocentral": None,
        "newzealandnorth": None,
        "northeurope": "westeurope",
        "norwayeast": "norwaywest",
        "polandcentral": None,
        "qatarcentral": None,
        "southafricanorth": "southafricawest",
        "southcentralus": "northcentralus",
        "southeastasia": "eastasia",
        "spaincentral": None,
        "swedencentral": "swedensouth",
        "switzerlandnorth": "switzerlandwest",
        "uaenorth": "uaecentral",
        "uksouth": "ukwest",
        "westeurope": "northeurope",
        "westus2": "westcentralus",
        "westus3": "eastus",
    }
)
"""Regions with availability zones, and the region that Azure's own copies go to, if it has one
(Azure documentation, "List of Azure regions" and "Azure paired regions"). Public Azure only."""

WITHOUT_ZONES = frozenset(
    {
        "australiacentral",
        "australiacentral2",
        "australiasoutheast",
        "brazilsoutheast",
        "canadaeast",
        "francesouth",
        "germanynorth",
        "jioindiacentral",
        "jioindiawest",
        "koreasouth",
        "northcentralus",
        "norwaywest",
        "southafricawest",
        "southindia",
        "swedensouth",
        "switzerlandwest",
        "uaecentral",
        "ukwest",
        "westcentralus",
        "westindia",
        "westus",
    }
)
"""Regions of one zone: nothing in them survives the loss of a zone."""

WITHOUT_ZONAL_EGRESS = frozenset({"indonesiacentral", "qatarcentral"})
"""Regions with zones, and without the NAT gateway that stands in all of them (Azure documentation, "Azure NAT Gateway
SKUs", of July 2026)."""


def require_region(spec: str, field: str, region: str) -> None:
    """Refuse what is no region of Azure with several zones, such as a display name or another cloud's region."""
    if region in WITHOUT_ZONES:
        problem = f"{region!r} has no availability zones, so that nothing in it survives the loss of one"
        raise InvalidSpecError(spec, field, problem, "use a region that has them, such as 'westeurope'")
    if region not in PAIRS:
        problem = f"{region!r} is not a region of Azure"
        raise InvalidSpecError(spec, field, problem, "write the name that Azure's tools print, such as 'westeurope'")


def require_pair(spec: str, field: str, region: str, remedy: str) -> str:
    """Return the region that Azure itself copies to, or refuse a region that it copies nowhere."""
    pair = PAIRS.get(region)
    if pair is None:
        raise InvalidSpecError(spec, field, f"Azure pairs {region!r} with no second region", remedy)
    return pair
