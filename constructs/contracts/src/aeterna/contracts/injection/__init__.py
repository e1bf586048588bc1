"""What sidecars are in a pod: one definition, for the constructs at synthesis and the injector at admission."""

from aeterna.contracts.injection import names
from aeterna.contracts.injection.installation import Installation, Resources, read_installation
from aeterna.contracts.injection.merging import merged
from aeterna.contracts.injection.parts import PodParts, parts, tenant_of
from aeterna.contracts.injection.pod import Exemption, annotations_of, exemption_of
from aeterna.contracts.injection.wish import Requests, Wish, wish

__all__ = [
    "Exemption",
    "Installation",
    "PodParts",
    "Requests",
    "Resources",
    "Wish",
    "annotations_of",
    "exemption_of",
    "merged",
    "names",
    "parts",
    "read_installation",
    "tenant_of",
    "wish",
]
