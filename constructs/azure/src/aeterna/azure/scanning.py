"""Scanning of every image in a subscription's registries, by Microsoft Defender: a setting of the subscription."""

from __future__ import annotations

from constructs import Construct

from aeterna.azure.l1.security_center_subscription_pricing import AzurermSecurityCenterSubscriptionPricing

IMAGES = "ContainerRegistriesVulnerabilityAssessments"


class ImageScanning(Construct):
    """Buys Microsoft Defender for Containers, which scans images when they are pushed and while they are in use.

    There is one such setting a subscription, and it is billed for all of its clusters and registries: make it once, in
    the stack that owns the subscription's settings.
    """

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        AzurermSecurityCenterSubscriptionPricing(
            self, "Resource", tier="Standard", resource_type="Containers", extension=[{"name": IMAGES}]
        )
