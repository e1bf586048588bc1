"""Chooses the provider for a part of a stack: another region or account, for constructs that name no provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.synth.aspects import Aspect, attach
from aeterna.synth.binding import DataSource, Resource

if TYPE_CHECKING:
    from constructs import Construct, IConstruct

    from aeterna.synth.app import TerraformProvider


def use_provider(scope: Construct, provider: TerraformProvider) -> None:
    """Have everything of AWS at and below the scope made by this provider, unless it names one of its own.

    What reads the account and the region belongs to each construct, so their names and ARNs become that provider's.
    """
    attach(scope, _Provider(provider))


class _Provider(Aspect):
    """Sets the provider of each resource and data source of the provider's own kind."""

    def __init__(self, provider: TerraformProvider) -> None:
        self._provider = provider
        self._prefix = f"{provider.terraform_resource_type}_"

    def apply(self, node: IConstruct) -> None:
        """Set it on one construct."""
        if not isinstance(node, Resource | DataSource) or node.provider is not None:
            return
        if node.terraform_resource_type.startswith(self._prefix):
            node.provider = self._provider
