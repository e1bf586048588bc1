"""A private way to Google's own services: one address inside the network, and the names that lead to it."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.gcp.l1.compute_global_address import GoogleComputeGlobalAddress
from aeterna.gcp.l1.compute_global_forwarding_rule import GoogleComputeGlobalForwardingRule
from aeterna.gcp.l1.dns_managed_zone import GoogleDnsManagedZone
from aeterna.gcp.l1.dns_record_set import GoogleDnsRecordSet
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.contracts.network import NetworkSpec
    from aeterna.gcp.subnet import Subnet
    from aeterna.synth._cdk import ITerraformDependable

DOMAINS = ("gcr.io", "gke.goog", "googleapis.com", "pkg.dev")
"""Where Google's services answer: its APIs, the control planes of clusters, and registries of images."""

LONGEST_ENDPOINT_NAME = 20
DIGEST_LENGTH = 6
TTL = 300


@names_itself
class PrivateEndpoint(Construct):
    """A Private Service Connect endpoint for every service of Google's, with a private zone for each domain.

    `ready` is what a node has to wait for: before it, the names lead outside.
    """

    def __init__(self, scope: Construct, id_: str, spec: NetworkSpec, *, subnet: Subnet) -> None:
        super().__init__(scope, id_)
        address = GoogleComputeGlobalAddress(
            self,
            "Address",
            name=f"{spec.name}-google-apis",
            address_type="INTERNAL",
            purpose="PRIVATE_SERVICE_CONNECT",
            network=subnet.network.id,
            address=str(subnet.ranges.endpoint),
        )
        endpoint = GoogleComputeGlobalForwardingRule(
            self,
            "Resource",
            name=endpoint_name(spec.name),
            target="all-apis",
            network=subnet.network.id,
            ip_address=address.id,
            # An endpoint of this kind balances nothing, and the argument's default would say that it does.
            load_balancing_scheme="",
            no_automate_dns_zone=True,
        )
        ready: list[ITerraformDependable] = [endpoint]
        for domain in DOMAINS:
            ready.extend(self._names(domain, spec, subnet=subnet, address=address.address))
        self.ready = tuple(ready)

    def _names(
        self, domain: str, spec: NetworkSpec, *, subnet: Subnet, address: str
    ) -> tuple[ITerraformDependable, ...]:
        """Lead a domain and every name in it to the address."""
        zone = GoogleDnsManagedZone(
            self,
            f"Zone-{domain}",
            name=f"{spec.name}-{domain.replace('.', '-')}",
            description="Leads to the private way to Google's services",
            dns_name=f"{domain}.",
            visibility="private",
            private_visibility_config={"networks": [{"network_url": subnet.network.id}]},
            depends_on=[subnet.place.service("dns")],
        )
        apex = GoogleDnsRecordSet(
            self,
            f"Apex-{domain}",
            managed_zone=zone.name,
            name=zone.dns_name,
            type="A",
            ttl=TTL,
            rrdatas=[address],
        )
        below = GoogleDnsRecordSet(
            self,
            f"Names-{domain}",
            managed_zone=zone.name,
            name=f"*.{zone.dns_name}",
            type="CNAME",
            ttl=TTL,
            rrdatas=[zone.dns_name],
        )
        return (apex, below)


def endpoint_name(network: str) -> str:
    """Return a name of letters and digits alone, at most 20 long, that another network's endpoint does not have.

    Google takes no other for an endpoint of this kind (VPC documentation, "Access Google APIs through endpoints").
    """
    digest = sha256(network.encode()).hexdigest()[:DIGEST_LENGTH]
    readable = network.replace("-", "")[: LONGEST_ENDPOINT_NAME - DIGEST_LENGTH]
    return f"{readable}{digest}"
