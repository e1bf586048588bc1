"""What the specs of network, keys, cluster, identity, state and foundation promise and refuse, without any cloud."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError, fields, is_dataclass
from datetime import timedelta
from typing import Any

import pytest

from aeterna.contracts.alerts import AlertsSpec
from aeterna.contracts.backup import BackupSpec
from aeterna.contracts.cluster import ClusterOutputs, ClusterSpec, NodePoolSpec
from aeterna.contracts.database import DatabaseSpec
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.foundation import FoundationOutputs, FoundationSpec
from aeterna.contracts.identity import IdentityOutputs, IdentitySpec
from aeterna.contracts.keys import KeyOutputs, KeySpec
from aeterna.contracts.network import Egress, NetworkOutputs, NetworkSpec
from aeterna.contracts.registry import RegistrySpec
from aeterna.contracts.sizes import SIZES, Part, Size
from aeterna.contracts.state import StateSpec, StateStoreSpec

SPECS: dict[str, tuple[type, dict[str, Any]]] = {
    "network": (NetworkSpec, {"name": "prod"}),
    "key": (KeySpec, {"purpose": "threads"}),
    "cluster": (ClusterSpec, {"name": "prod"}),
    "pool": (NodePoolSpec, {"name": "general"}),
    "identity": (IdentitySpec, {"name": "api", "namespace": "aeterna", "service_account": "api"}),
    "state": (StateSpec, {"bucket": "acme-states"}),
    "registry": (RegistrySpec, {"name": "images"}),
    "backup": (BackupSpec, {"name": "vault"}),
    "alerts": (AlertsSpec, {"name": "prod"}),
    "state store": (StateStoreSpec, {"name": "acme-states"}),
    "foundation": (FoundationSpec, {"name": "prod", "region": "eu-west-1", "owner": "acme"}),
}

WITHIN_A_RANGE = {"foundation": ["cluster", "database", "cache", "bucket", "catalog", "registry", "backup"]}
"""Explained together, as ``network`` … ``alerts``."""

CONSTANTS = {"bool", "str"}
"""What the cloud's choice alone decides: the cloud's own name, and whether its cache speaks the cluster protocol."""

ALARMS = AlertsSpec(name="prod")

REFUSED: list[tuple[str, str, str, dict[str, Any]]] = [
    ("one zone for what must survive a zone", "network", "zones", {"zones": 1}),
    ("more zones than the block is carved for", "network", "zones", {"zones": 4}),
    ("fewer zone ids than zones", "network", "zone_ids", {"zone_ids": ("a",)}),
    ("a zone named twice", "network", "zone_ids", {"zone_ids": ("a", "a", "b")}),
    ("a block that overlaps a peer", "network", "cidr", {"connected": ("10.0.128.0/20",)}),
    ("a peer that is no block", "network", "connected", {"connected": ("office",)}),
    ("a public block", "network", "cidr", {"cidr": "52.0.0.0/16"}),
    ("a block too small to carve", "network", "cidr", {"cidr": "10.0.0.0/24"}),
    ("a block larger than a network may be", "network", "cidr", {"cidr": "10.0.0.0/8"}),
    ("a name in capitals", "network", "name", {"name": "Prod"}),
    (
        "a sealed network whose nodes could not join",
        "network",
        "private_endpoints",
        {"egress": Egress.NONE, "private_endpoints": False},
    ),
    ("a purpose with a space", "key", "purpose", {"purpose": "agent threads"}),
    ("rotation every month, which no service offers", "key", "rotation", {"rotation": timedelta(days=30)}),
    ("rotation every ten years", "key", "rotation", {"rotation": timedelta(days=3650)}),
    ("a deletion that cannot be undone", "key", "grace", {"grace": timedelta(days=1)}),
    ("the same administrator twice", "key", "administrators", {"administrators": ("a", "a")}),
    ("a patch version, which the service chooses", "cluster", "version", {"version": "1.35.2"}),
    ("no nodes at all", "cluster", "pools", {"pools": ()}),
    ("two pools of one name", "cluster", "pools", {"pools": (NodePoolSpec(name="a"), NodePoolSpec(name="a"))}),
    ("services in public space", "cluster", "service_cidr", {"service_cidr": "1.2.0.0/16"}),
    ("services in a block too small", "cluster", "service_cidr", {"service_cidr": "172.20.0.0/28"}),
    ("clients from the internet", "cluster", "api_clients", {"api_clients": ("0.0.0.0/0",)}),
    ("the deployer named again", "cluster", "administrators", {"deployer": "arn", "administrators": ("arn",)}),
    ("a pool that shrinks below nothing", "pool", "fewest", {"fewest": 0}),
    ("a pool whose most is below its fewest", "pool", "most", {"fewest": 5, "most": 4}),
    ("a disk that holds no image", "pool", "disk_gib", {"disk_gib": 8}),
    ("a pool name that leaves the cluster's no room", "pool", "name", {"name": "a" * 13}),
    ("a pattern instead of a namespace", "identity", "namespace", {"namespace": "*"}),
    ("a pattern instead of a service account", "identity", "service_account", {"service_account": "api-*"}),
    ("a namespace in capitals", "identity", "namespace", {"namespace": "Aeterna"}),
    ("a state bucket that is no bucket", "state", "bucket", {"bucket": "My_States"}),
    ("a state path that starts at the root", "state", "path", {"path": "/states"}),
    ("a state in no region", "state", "region", {"region": "EU West"}),
    ("a registry that holds nothing", "registry", "images", {"images": ()}),
    ("an image named twice", "registry", "images", {"images": ("api", "api")}),
    ("an image in capitals", "registry", "images", {"images": ("API",)}),
    ("untagged images kept for ever", "registry", "untagged_days", {"untagged_days": 0}),
    ("backups at hours that drift through the day", "backup", "every_hours", {"every_hours": 5}),
    ("backups that are not kept", "backup", "keep_days", {"keep_days": 0}),
    ("a backup at an hour that no day has", "backup", "hour", {"hour": 24}),
    ("an alarm to no address", "alerts", "emails", {"emails": ("ops",)}),
    ("an alarm twice to one address", "alerts", "emails", {"emails": ("ops@acme.example", "ops@acme.example")}),
    ("an alarm that always rings", "alerts", "busy_percent", {"busy_percent": 10}),
    ("an alarm that rings too late", "alerts", "full_percent", {"full_percent": 100}),
    ("states that cannot be brought back", "state store", "noncurrent_days", {"noncurrent_days": 1}),
    ("states in no bucket's name", "state store", "name", {"name": "States"}),
    ("a critical environment without a second region", "foundation", "recovery_region", {"size": Size.CRITICAL}),
    (
        "copies in the region that is lost",
        "foundation",
        "recovery_region",
        {"size": Size.CRITICAL, "recovery_region": "eu-west-1"},
    ),
    ("a second region that nothing is copied to", "foundation", "recovery_region", {"recovery_region": "eu-west-2"}),
    (
        "a network in a second region that is not there",
        "foundation",
        "recovery_network",
        {"recovery_network": NetworkSpec(name="second", cidr="10.9.0.0/16")},
    ),
    (
        "two regions' networks in one block",
        "foundation",
        "recovery_network",
        {
            "size": Size.CRITICAL,
            "recovery_region": "eu-central-1",
            "recovery_network": NetworkSpec(name="second", cidr="10.0.0.0/16"),
        },
    ),
    (
        "the spec of a part that is off",
        "foundation",
        "backup",
        {"parts": frozenset({Part.ALERTS}), "backup": BackupSpec(name="vault")},
    ),
    ("the spec of a part that the size leaves out", "foundation", "alerts", {"size": Size.DEV, "alerts": ALARMS}),
    ("a size that there is not", "foundation", "size", {"size": "huge"}),
    ("a part that there is not", "foundation", "parts", {"parts": frozenset({"bakcup"})}),
    ("an environment too long for its suffixes", "foundation", "name", {"name": "a" * 17}),
    ("an owner that is no name", "foundation", "owner", {"owner": "ACME Inc."}),
    ("a region that no cloud has", "foundation", "region", {"region": "Europe (Ireland)"}),
    ("a namespace that Kubernetes refuses", "foundation", "namespace", {"namespace": "aeterna.prod"}),
    (
        "services that overlap the network",
        "foundation",
        "cluster",
        {"cluster": ClusterSpec(name="prod", service_cidr="10.0.192.0/20")},
    ),
    (
        "services that overlap a peer",
        "foundation",
        "cluster",
        {"network": NetworkSpec(name="prod", connected=("172.20.5.0/24",))},
    ),
]


@pytest.mark.parametrize(("reason", "spec", "field", "changes"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_spec_that_cannot_work_is_refused(reason: str, spec: str, field: str, changes: dict[str, Any]) -> None:
    """Every refusal names the class and the field, and says what to change."""
    kind, needed = SPECS[spec]

    with pytest.raises(InvalidSpecError) as refused:
        kind(**(needed | changes))

    assert (refused.value.spec, refused.value.field) == (kind.__name__, field)
    assert refused.value.remedy


@pytest.mark.parametrize("spec", SPECS)
def test_a_spec_is_frozen_named_by_keyword_and_explains_every_field(spec: str) -> None:
    kind, needed = SPECS[spec]
    made = kind(**needed)

    with pytest.raises(FrozenInstanceError):
        setattr(made, next(iter(needed)), "changed")
    with pytest.raises(TypeError):
        kind(*needed.values())
    explained = kind.__doc__ or ""
    assert [field.name for field in fields(kind) if f"``{field.name}``" not in explained] == WITHIN_A_RANGE.get(
        spec, []
    )


@pytest.mark.parametrize(
    "outputs",
    [NetworkOutputs, KeyOutputs, ClusterOutputs, IdentityOutputs, FoundationOutputs],
    ids=lambda o: o.__name__,
)
def test_outputs_are_frozen_data_and_hold_nothing_but_late_values(outputs: type) -> None:
    assert is_dataclass(outputs)
    kinds = {str(field.type) for field in fields(outputs)}

    assert all("Late" in kind or "Outputs" in kind or kind in CONSTANTS for kind in kinds)


def test_the_defaults_of_a_foundation_take_its_name_and_stay_unique_in_the_world() -> None:
    spec = FoundationSpec(name="prod", region="eu-west-1", owner="acme")

    assert spec.network_spec().name == spec.cluster_spec().name == "prod"
    assert spec.bucket_spec().name == "acme-prod-eu-west-1-graph"


def test_a_part_given_to_a_foundation_replaces_its_default() -> None:
    own = DatabaseSpec(name="conversations", vcpus=8, memory_gib=32)

    assert FoundationSpec(name="prod", region="eu-west-1", owner="acme", database=own).database_spec() is own


def test_the_longest_names_of_a_foundation_fit_the_limits_of_its_parts() -> None:
    spec = FoundationSpec(name="e" * 16, region="ap-southeast-4", owner="o" * 16)

    assert len(spec.bucket_spec().name) <= 63
    assert len(spec.cache_spec().name) <= 40


def test_contracts_start_no_node_and_import_nothing_but_the_standard_library() -> None:
    """A service and a pipeline read contracts too; neither has an engine."""
    probe = (
        "import sys; import aeterna.contracts.foundation; "
        "print(sorted({name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", probe], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.strip("[]\n").replace("'", "").split(", "))

    assert not {"cdktf", "cdktn", "jsii", "constructs", "pydantic"} & loaded


@pytest.mark.parametrize("size", Size)
def test_every_size_makes_specs_that_no_contract_refuses(size: Size) -> None:
    second = "eu-central-1" if SIZES[size].second_region else None

    spec = FoundationSpec(name="prod", region="eu-west-1", owner="acme", size=size, recovery_region=second)

    parts = (spec.network_spec(), spec.cluster_spec(), spec.database_spec(), spec.cache_spec(), spec.bucket_spec())
    assert all(part.name.startswith(("prod", "acme-prod")) for part in parts)


def test_only_an_environment_for_trying_out_can_be_destroyed_at_once() -> None:
    assert [size for size in Size if not SIZES[size].protected] == [Size.DEV]


def test_an_optional_part_can_be_switched_on_below_its_size() -> None:
    spec = FoundationSpec(
        name="dev", region="eu-west-1", owner="acme", size=Size.DEV, parts=frozenset({Part.ALERTS}), alerts=ALARMS
    )

    assert spec.present == {Part.ALERTS}


def test_the_copy_of_a_bucket_is_named_after_its_own_region() -> None:
    spec = FoundationSpec(
        name="prod", region="eu-west-1", owner="acme", size=Size.CRITICAL, recovery_region="eu-central-1"
    )

    assert spec.recovery_bucket_spec().name == "acme-prod-eu-central-1-graph"


def test_the_first_stack_makes_the_bucket_that_the_states_are_kept_in() -> None:
    """Two names for one thing would leave the states in a bucket that nobody looks after."""
    spec = FoundationSpec(name="prod", region="eu-west-1", owner="acme", state=StateSpec(bucket="acme-states"))

    assert spec.state_store_spec().name == "acme-states"
