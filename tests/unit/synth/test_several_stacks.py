"""What one stack of an app knows of another arrives through its state, and never as an address that is not there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from constructs import Construct

from aeterna.aws.l1.data_availability_zones import DataAwsAvailabilityZones
from aeterna.aws.l1.db_instance import AwsDbInstance
from aeterna.aws.l1.eks_cluster import AwsEksCluster
from aeterna.aws.l1.iam_policy import AwsIamPolicy
from aeterna.aws.l1.provider import AwsProvider
from aeterna.aws.l1.subnet import AwsSubnet
from aeterna.aws.l1.vpc import AwsVpc
from aeterna.aws.policy_document import Statement, document
from aeterna.synth.app import TerraformOutput, TerraformStack
from aeterna.synth.backends import keep_beside
from aeterna.synth.errors import SynthesisError, UnrepresentableValueError
from aeterna.synth.expressions import Fn, TerraformIterator, as_number
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.testing import app, synthesized

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.synth.app import App

PLACEHOLDER = re.compile(r"TfToken|-1\.\d+e\+\d+")


@pytest.fixture
def whole() -> App:
    return app()


@pytest.fixture
def network(whole: App) -> TerraformStack:
    return with_provider(whole, "network")


@pytest.fixture
def data(whole: App) -> TerraformStack:
    return with_provider(whole, "data")


def with_provider(whole: Construct, id_: str) -> TerraformStack:
    stack = TerraformStack(whole, id_)
    AwsProvider(stack, "aws", region="eu-west-1")
    keep_beside(stack)
    return stack


def vpc_of(stack: TerraformStack) -> AwsVpc:
    return AwsVpc(stack, "Vpc", cidr_block="10.0.0.0/16")


def cluster_of(stack: TerraformStack) -> AwsEksCluster:
    return AwsEksCluster(stack, "Cluster", name="prod", role_arn="arn:x", vpc_config={"subnet_ids": ["subnet-1"]})


def zones_of(stack: TerraformStack) -> DataAwsAvailabilityZones:
    return DataAwsAvailabilityZones(stack, "Zones", state="available")


def remote(output: str) -> str:
    """Return the expression that reads an output of the network's state."""
    return f"data.terraform_remote_state.cross-stack-reference-input-network.outputs.cross-stack-output-{output}"


def order(whole: App) -> dict[str, list[str]]:
    """Return which stacks each stack comes after, as the CDK's command line reads it."""
    manifest = json.loads(Path(whole.outdir, "manifest.json").read_text())
    return {name: stack["dependencies"] for name, stack in manifest["stacks"].items()}


USES: dict[str, Callable[[TerraformStack, TerraformStack], object]] = {
    "an attribute": lambda there, here: AwsSubnet(here, "S", vpc_id=vpc_of(there).id),
    "a nested attribute": lambda there, here: AwsSubnet(
        here, "S", vpc_id=cluster_of(there).vpc_config[0].cluster_security_group_id
    ),
    "a nested attribute in a list": lambda there, here: AwsEksCluster(
        here,
        "C",
        name="c",
        role_arn="r",
        vpc_config={
            "subnet_ids": [],
            "security_group_ids": [cluster_of(there).vpc_config[0].cluster_security_group_id],
        },
    ),
    "a list": lambda there, here: AwsEksCluster(
        here, "C", name="c", role_arn="r", vpc_config={"subnet_ids": zones_of(there).names}
    ),
    "a map": lambda there, here: AwsSubnet(here, "S", vpc_id="v", tags=vpc_of(there).tags_all),
    "a number": lambda there, here: AwsDbInstance(
        here, "D", instance_class="x", port=AwsDbInstance(there, "D", instance_class="x").port
    ),
    "a nested number": lambda there, here: AwsDbInstance(
        here, "D", instance_class="x", port=as_number(cluster_of(there).vpc_config[0].number)
    ),
    "a boolean": lambda there, here: AwsSubnet(
        here, "S", vpc_id="v", map_public_ip_on_launch=cluster_of(there).deletion_protection
    ),
    "text inside a string": lambda there, here: AwsSubnet(here, "S", vpc_id=f"<{vpc_of(there).id}>"),
    "a policy": lambda there, here: AwsIamPolicy(
        here,
        "P",
        policy=document([Statement(sid="A", actions=("s3:GetObject",), resources=(f"{vpc_of(there).arn}/*",))]),
    ),
    "an argument of a function": lambda there, here: AwsSubnet(here, "S", vpc_id=Fn.join(",", zones_of(there).names)),
    "what a resource is repeated over": lambda there, here: AwsSubnet(
        here, "S", vpc_id="v", for_each=TerraformIterator.from_list(zones_of(there).names)
    ),
    "an override": lambda there, here: AwsSubnet(here, "S", vpc_id="v").add_override("x.y", vpc_of(there).id),
    "an output": lambda there, here: TerraformOutput(here, "o", value={"deep": [vpc_of(there).id]}),
    "a provider": lambda there, here: AwsProvider(here, "other", region=f"{vpc_of(there).id}", alias="other"),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_what_another_stack_knows_is_read_from_its_state(
    whole: App, network: TerraformStack, data: TerraformStack, use: Callable[[TerraformStack, TerraformStack], object]
) -> None:
    use(network, data)

    written = synthesized(data).text

    assert remote("") in written
    assert "network.outputs" in written
    assert not PLACEHOLDER.search(written)
    assert "${aws_" not in written.replace("${data.", "")
    assert order(whole) == {"network": [], "data": ["network"]}


def test_the_other_stack_tells_exactly_what_is_read(network: TerraformStack, data: TerraformStack) -> None:
    issuer = str(cluster_of(network).identity[0].oidc[0].issuer)
    AwsSubnet(data, "Subnet", vpc_id=issuer)

    synthesized(data)

    assert synthesized(network).outputs() == {
        "cross-stack-output-aws_eks_clusterClusteridentity0oidc0issuer": {
            "sensitive": True,
            "value": "${aws_eks_cluster.Cluster.identity[0].oidc[0].issuer}",
        }
    }


def test_a_resource_that_depends_on_another_stack_comes_after_the_whole_stack(
    whole: App, network: TerraformStack, data: TerraformStack
) -> None:
    """The address is not in this state; the engine would write it, and Terraform refuse it."""
    AwsSubnet(data, "Subnet", vpc_id="v", depends_on=[vpc_of(network), vpc_of(data)])

    document = synthesized(data)

    assert document.only("aws_subnet")["depends_on"] == ["aws_vpc.Vpc"]
    assert document.data("terraform_remote_state") == {}
    assert order(whole) == {"network": [], "data": ["network"]}


def test_an_output_that_depends_on_another_stack_copies_nothing_of_it(
    network: TerraformStack, data: TerraformStack
) -> None:
    """The engine would put the whole resource, whatever it holds, into an output of the other state."""
    TerraformOutput(data, "done", value="yes", depends_on=[vpc_of(network)])

    assert not synthesized(data).outputs()["done"].get("depends_on")
    assert synthesized(network).outputs() == {}


def test_stacks_cannot_wait_for_each_other(network: TerraformStack, data: TerraformStack) -> None:
    AwsSubnet(data, "Subnet", vpc_id="v", depends_on=[vpc_of(network)])
    later = vpc_of(data)

    with pytest.raises(SynthesisError, match="data"):
        AwsSubnet(network, "Subnet", vpc_id="v", depends_on=[later])


def test_two_stacks_are_not_written_over_each_other(whole: App, network: TerraformStack) -> None:
    """The engine allows one id below two constructs, and writes both stacks into one folder."""
    vpc_of(network)
    with_provider(Construct(whole, "Staging"), "network")

    with pytest.raises(SynthesisError, match="network and Staging/network"):
        synthesized(network)


def test_a_provider_of_another_stack_is_refused(network: TerraformStack, data: TerraformStack) -> None:
    """Its alias means nothing here: the engine would write it, and OpenTofu ask for a provider that nobody made."""
    recovery = AwsProvider(network, "recovery", region="eu-central-1", alias="recovery")

    with pytest.raises(UnrepresentableValueError, match=r"aws_vpc\.Vpc\.provider.*'network'"):
        AwsVpc(data, "Vpc", cidr_block="10.0.0.0/16", provider=recovery)


def test_a_trigger_of_another_stack_is_refused(network: TerraformStack, data: TerraformStack) -> None:
    trigger = cluster_of(network).vpc_config[0].vpc_id

    with pytest.raises(UnrepresentableValueError, match="replace_triggered_by"):
        AwsVpc(data, "Vpc", cidr_block="10.0.0.0/16", lifecycle=Lifecycle(replace_triggered_by=[trigger]))


def test_a_state_beside_its_siblings_is_named_the_same_by_its_owner_and_its_readers(
    network: TerraformStack, data: TerraformStack
) -> None:
    AwsSubnet(data, "Subnet", vpc_id=vpc_of(network).id)

    (read,) = synthesized(data).data("terraform_remote_state").values()

    assert (
        read["config"] == synthesized(network).json["terraform"]["backend"]["local"] == {"path": "../network.tfstate"}
    )


def test_a_state_beside_its_siblings_tells_nothing_of_this_machine(data: TerraformStack) -> None:
    """Two checkouts in different folders give the same bytes."""
    vpc_of(data)

    assert str(Path.cwd()) not in synthesized(data).text
