"""Private ways to AWS's own services: without them, nodes of a private cluster could not even join it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.aws.l1.security_group import AwsSecurityGroup
from aeterna.aws.l1.vpc_endpoint import AwsVpcEndpoint
from aeterna.aws.l1.vpc_security_group_ingress_rule import AwsVpcSecurityGroupIngressRule
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.aws.zones import PrivateZones
    from aeterna.contracts.network import NetworkSpec

ENDPOINT_SERVICES = (
    "autoscaling",
    "ec2",
    "ecr.api",
    "ecr.dkr",
    "eks",
    "eks-auth",
    "elasticloadbalancing",
    "glue",
    "kms",
    "logs",
    "secretsmanager",
    "ssm",
    "sts",
)
"""What private clusters and the runtime call (EKS User Guide, "Deploy private clusters with limited internet access").

``eks-auth`` serves Pod Identity, ``glue`` the Iceberg catalog.
"""

GATEWAY_SERVICES = ("dynamodb", "s3")
"""Reached through routes, at no charge. Image layers come from S3."""

HTTPS = 443


@names_itself
class PrivateEndpoints(Construct):
    """Interface endpoints in every zone, with private DNS, open to the network alone, and the gateway endpoints."""

    def __init__(
        self, scope: Construct, id_: str, spec: NetworkSpec, *, private: PrivateZones, services: Sequence[str]
    ) -> None:
        super().__init__(scope, id_)
        vpc = private.vpc
        group = AwsSecurityGroup(
            self,
            "SecurityGroup",
            # EC2 refuses a name that begins with "sg-", which a network's own name may.
            name_prefix=f"aeterna-{spec.name}-endpoints-",
            description="Private endpoints of AWS services",
            vpc_id=vpc.id,
            tags={"Name": f"{spec.name}-endpoints"},
        )
        from_network = AwsVpcSecurityGroupIngressRule(
            self,
            "FromNetwork",
            security_group_id=group.id,
            description="HTTPS from the network",
            cidr_ipv4=vpc.cidr_block,
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
        )
        interfaces = [
            AwsVpcEndpoint(
                self,
                service,
                vpc_id=vpc.id,
                vpc_endpoint_type="Interface",
                service_name=f"com.amazonaws.{vpc.region}.{service}",
                subnet_ids=[subnet.id for subnet in private.subnets],
                security_group_ids=[group.id],
                private_dns_enabled=True,
                tags={"Name": f"{spec.name}-{service}"},
            )
            for service in services
        ]
        gateways = [
            AwsVpcEndpoint(
                self,
                service,
                vpc_id=vpc.id,
                vpc_endpoint_type="Gateway",
                service_name=f"com.amazonaws.{vpc.region}.{service}",
                route_table_ids=[table.id for table in private.tables],
                tags={"Name": f"{spec.name}-{service}"},
            )
            for service in GATEWAY_SERVICES
        ]
        self.ways = (from_network, *interfaces, *gateways)
