"""The Kubernetes cluster on AWS: EKS with a private API, workload identity, and the customer's key on all it stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.aws.access import ClusterAccess
from aeterna.aws.account import Account
from aeterna.aws.addons import AFTER_NODES, BEFORE_NODES, AddonRoles, Addons
from aeterna.aws.autoscaler import AutoscalerIdentity
from aeterna.aws.l1.data_eks_cluster import DataAwsEksCluster
from aeterna.aws.l1.eks_cluster import AwsEksCluster
from aeterna.aws.l1.iam_openid_connect_provider import AwsIamOpenidConnectProvider
from aeterna.aws.l1.vpc_security_group_ingress_rule import AwsVpcSecurityGroupIngressRule
from aeterna.aws.log_group import LogGroup
from aeterna.aws.nodes import NodePool
from aeterna.aws.policy_document import Statement
from aeterna.aws.roles import Role
from aeterna.aws.trust import from_instances, from_service
from aeterna.contracts.addresses import parse_block, require_disjoint
from aeterna.contracts.cluster import ClusterOutputs, TaintEffect
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.contracts.naming import require_name
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.aws.keys import AwsKey
    from aeterna.aws.l1.eks_addon import AwsEksAddon
    from aeterna.aws.network import AwsNetwork
    from aeterna.contracts.cluster import ClusterSpec, NodePoolSpec
    from aeterna.synth._cdk import ITerraformDependable

KUBERNETES_VERSION = "1.35"
"""The version of a cluster whose spec names none. EKS supports it until March 2027 without the extended fee."""

CONTROL_PLANE_LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")
LONGEST_CLUSTER_NAME = 23
"""What the shortest limit, that of a node group's name, leaves beside the longest name of a pool."""

IDENTITY_AGENT = "169.254.170.23/32"
"""Where the pod identity agent of each node answers."""

HTTPS = 443
DELETE_TIMEOUT = "20m"


@names_itself
class EksCluster(Construct):
    """An EKS cluster that can be reached only from inside the network.

    Nodes carry the cluster's primary security group, `client_security_group_id`: that is what a database or a cache
    lets in. `ready` is what anything deployed into the cluster has to wait for.
    """

    def __init__(self, scope: Construct, id_: str, spec: ClusterSpec, *, network: AwsNetwork, key: AwsKey) -> None:
        super().__init__(scope, id_)
        require_name("ClusterSpec", "name", spec.name, longest=LONGEST_CLUSTER_NAME)
        _refuse_overlap(spec, network)
        _require_open_pool(spec)
        self.name = spec.name
        self.account = Account(self, "Account")
        self._oidc_provider_arn: str | None = None
        plane = self._control_plane(spec, network, key)
        self._plane: AwsEksCluster | DataAwsEksCluster = plane
        self.scaling_groups: dict[str, str] = {}
        access = ClusterAccess(self, "Access", spec, plane=plane, account=self.account)
        for number, block in enumerate(spec.api_clients, start=1):
            AwsVpcSecurityGroupIngressRule(
                self,
                f"ApiClient{number}",
                security_group_id=self.client_security_group_id,
                description="Kubernetes API",
                cidr_ipv4=block,
                ip_protocol="tcp",
                from_port=HTTPS,
                to_port=HTTPS,
            )
        AutoscalerIdentity(self, "Autoscaler", plane=plane, account=self.account)
        addons = self._data_plane(spec, plane, network, key)
        self.ready: tuple[ITerraformDependable, ...] = (*access.associations, *addons)
        self.outputs = _outputs(plane)

    @classmethod
    def existing(cls, scope: Construct, id_: str, *, name: str, oidc_provider_arn: str | None = None) -> EksCluster:
        """Take a cluster that the customer already has; it is only looked up.

        It needs the add-on ``eks-pod-identity-agent`` for identities of the default kind. For those that show tokens,
        ``oidc_provider_arn`` names IAM's trust in the cluster's issuer; left out, that trust is made.
        """
        return _ExistingCluster(scope, id_, name=name, oidc_provider_arn=oidc_provider_arn)

    @property
    def arn(self) -> str:
        """Return the cluster's ARN."""
        return self._plane.arn

    @property
    def client_security_group_id(self) -> str:
        """Return the primary security group: the one that EKS makes and every node and control plane carries."""
        return str(self._plane.vpc_config[0].cluster_security_group_id)

    @property
    def oidc_provider_arn(self) -> str:
        """Return the ARN of IAM's trust in the cluster's own issuer, which only roles for tokens need; made once."""
        if self._oidc_provider_arn is None:
            provider = AwsIamOpenidConnectProvider(
                self,
                "Issuer",
                url=self.outputs.issuer,
                client_id_list=["sts.amazonaws.com"],
                tags={"Name": self.name},
            )
            self._oidc_provider_arn = provider.arn
        return self._oidc_provider_arn

    def _control_plane(self, spec: ClusterSpec, network: AwsNetwork, key: AwsKey) -> AwsEksCluster:
        role = Role(
            self,
            "Role",
            named=("ClusterSpec", "name", spec.name),
            suffix="cluster",
            trust=from_service(
                "eks.amazonaws.com", account=self.account, source=self.account.arn("eks", f"cluster/{spec.name}")
            ),
        )
        role.attach({"ClusterPolicy": self.account.managed_policy("AmazonEKSClusterPolicy")})
        role.allow(
            "Secrets",
            Statement(
                sid="EncryptSecrets",
                actions=("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:ListGrants"),
                resources=(key.arn,),
            ),
        )
        logs = LogGroup(self, "Logs", name=f"/aws/eks/{spec.name}/cluster", days=spec.log_days, key=key)
        return AwsEksCluster(
            self,
            "Resource",
            name=spec.name,
            version=spec.version or KUBERNETES_VERSION,
            role_arn=role.arn,
            bootstrap_self_managed_addons=False,
            access_config={"authentication_mode": "API", "bootstrap_cluster_creator_admin_permissions": False},
            vpc_config={
                "subnet_ids": network.private_subnet_ids,
                "endpoint_private_access": True,
                "endpoint_public_access": False,
            },
            kubernetes_network_config={"service_ipv4_cidr": spec.service_cidr, "ip_family": "ipv4"},
            encryption_config={"resources": ["secrets"], "provider": {"key_arn": key.arn}},
            enabled_cluster_log_types=CONTROL_PLANE_LOGS,
            upgrade_policy={"support_type": "STANDARD"},
            zonal_shift_config={"enabled": True},
            deletion_protection=spec.protected,
            timeouts={"delete": DELETE_TIMEOUT},
            tags={"Name": spec.name},
            depends_on=[*role.policies, logs.group],
            lifecycle=Lifecycle(prevent_destroy=protected(self, wanted=spec.protected)),
        )

    def _data_plane(
        self, spec: ClusterSpec, plane: AwsEksCluster, network: AwsNetwork, key: AwsKey
    ) -> list[AwsEksAddon]:
        identities = AddonRoles(self, "AddonRoles", plane=plane, account=self.account, key=key).identities
        before = Addons(self, "AddonsBeforeNodes", plane=plane, identities=identities)
        before.install(BEFORE_NODES, after=())
        role = self._node_role(spec)
        key.allow_autoscaling()
        needed = (*before.installed, *role.policies, *network.ready)
        pools = [
            NodePool(self, f"Pool-{pool.name}", pool, plane=plane, key=key).launch(
                role=role, subnet_ids=network.private_subnet_ids, after=needed
            )
            for pool in spec.pools
        ]
        for spec_, pool in zip(spec.pools, pools, strict=True):
            self.scaling_groups[spec_.name] = str(pool.resources[0].autoscaling_groups[0].name)
        after = Addons(self, "AddonsAfterNodes", plane=plane, identities=identities)
        after.install(AFTER_NODES, after=pools)
        return [*before.installed, *after.installed]

    def _node_role(self, spec: ClusterSpec) -> Role:
        role = Role(self, "NodeRole", named=("ClusterSpec", "name", spec.name), suffix="node", trust=from_instances())
        role.attach(
            {
                "Join": self.account.managed_policy("AmazonEKSWorkerNodePolicy"),
                "Pull": self.account.managed_policy("AmazonEC2ContainerRegistryPullOnly"),
            }
        )
        return role


@names_itself
class _ExistingCluster(EksCluster):
    """A cluster that is only looked up."""

    def __init__(self, scope: Construct, id_: str, *, name: str, oidc_provider_arn: str | None) -> None:
        Construct.__init__(self, scope, id_)
        self.name = name
        self.account = Account(self, "Account")
        self._oidc_provider_arn = oidc_provider_arn
        self.scaling_groups = {}
        self._plane = DataAwsEksCluster(self, "Resource", name=name)
        self.ready = ()
        self.outputs = _outputs(self._plane)


def _outputs(plane: AwsEksCluster | DataAwsEksCluster) -> ClusterOutputs:
    return ClusterOutputs(
        name=Late(plane.name),
        endpoint=Late(plane.endpoint),
        certificate_authority=Late(str(plane.certificate_authority[0].data)),
        issuer=Late(str(plane.identity[0].oidc[0].issuer)),
        version=Late(plane.version),
        login=(
            *(Late(word) for word in ("aws", "eks", "get-token", "--cluster-name", plane.name)),
            *(Late("--region"), Late(plane.region)),
        ),
        identity_blocks=(Late(IDENTITY_AGENT),),
    )


def _require_open_pool(spec: ClusterSpec) -> None:
    """Refuse a cluster whose add-ons could be placed nowhere: they would time out, and nothing would resolve a name."""
    if not any(_is_open(pool) for pool in spec.pools):
        problem = "every pool keeps off pods that do not tolerate its taints, and the add-ons' pods do not"
        raise InvalidSpecError("ClusterSpec", "pools", problem, "leave one pool untainted, or only PREFER_NO_SCHEDULE")


def _is_open(pool: NodePoolSpec) -> bool:
    return all(taint.effect is TaintEffect.PREFER_NO_SCHEDULE for taint in pool.taints)


def _refuse_overlap(spec: ClusterSpec, network: AwsNetwork) -> None:
    if network.block is not None:
        services = parse_block("ClusterSpec", "service_cidr", spec.service_cidr)
        require_disjoint("ClusterSpec", "service_cidr", services, network.block, "the network of the nodes")
