"""What may open a connection inside a network: nothing from outside, and every refusal is logged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.gcp.l1.compute_firewall import GoogleComputeFirewall
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.contracts.network import NetworkSpec
    from aeterna.gcp.l1.compute_network import GoogleComputeNetwork

AFTER_EVERY_OTHER = 65534
"""The lowest priority that a rule of one's own can have; the network's implied rules, which log nothing, are below."""


@names_itself
class Firewall(Construct):
    """Refuses every connection that no other rule allows, and logs it.

    GKE adds the rules that its nodes, pods and control plane need. The network's implied rule refuses the same, but
    without a trace.
    """

    def __init__(self, scope: Construct, id_: str, spec: NetworkSpec, *, network: GoogleComputeNetwork) -> None:
        super().__init__(scope, id_)
        GoogleComputeFirewall(
            self,
            "Refused",
            name=f"{spec.name}-refused",
            description="Refuses and logs what no other rule allows",
            network=network.id,
            direction="INGRESS",
            priority=AFTER_EVERY_OTHER,
            source_ranges=["0.0.0.0/0"],
            deny=[{"protocol": "all"}],
            log_config={"metadata": "INCLUDE_ALL_METADATA"},
        )
