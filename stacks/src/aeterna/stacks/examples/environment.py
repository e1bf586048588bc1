"""A whole environment on one cloud: five small stacks, each with a state of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.aws.cloud import AWS
from aeterna.contracts.foundation import FoundationSpec
from aeterna.stacks.foundation import Foundation

if TYPE_CHECKING:
    from constructs import Construct


def environment(app: Construct) -> Foundation:
    """Compose an environment with every default. Add ``state=StateSpec(...)`` before applying it in earnest."""
    spec = FoundationSpec(name="prod", region="eu-west-1", owner="acme")
    return Foundation(app, "prod-eu", cloud=AWS, spec=spec)
