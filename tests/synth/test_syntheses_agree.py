"""Two syntheses of the same program give the same bytes, whatever seed Python hashes with and wherever it is run."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from fixtures.fix_foundation import CLOUDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROGRAM = """
from aeterna.aws.l1.eks_cluster import AwsEksCluster
from aeterna.aws.l1.provider import AwsProvider
from aeterna.synth.app import App, TerraformStack
from aeterna.synth.backends import keep_beside

app = App()
stack = TerraformStack(app, "main")
keep_beside(stack)
AwsProvider(stack, "aws", region="eu-west-1")
AwsEksCluster(
    stack, "Cluster", name="prod", role_arn="arn:role",
    vpc_config={"subnet_ids": frozenset({"subnet-1", "subnet-2", "subnet-3", "subnet-4"})},
    enabled_cluster_log_types={"api", "audit", "authenticator", "scheduler"},
)
app.synth()
"""

FOUNDATION = """
import sys
from aeterna.contracts.foundation import FoundationSpec
from aeterna.contracts.sizes import Size
from aeterna.stacks.foundation import Foundation
from aeterna.synth.app import App
from aeterna.synth.registry import cloud

name, region, second = sys.argv[1:]
app = App()
spec = FoundationSpec(
    name="prod", region=region, recovery_region=second, owner="acme", size=Size.CRITICAL, tags={"b": "1", "a": "2"}
)
Foundation(app, "prod", cloud=cloud(name), spec=spec)
app.synth()
"""


FRESH = {"CDKTF_OUTDIR": "out", "PATH": "", "HOME": "/nonexistent"}


def run(folder: Path, seed: str, *command: str, environment: Mapping[str, str] = FRESH) -> Mapping[str, bytes]:
    """Run a program in a new folder, with nothing on PATH and no home, as on a fresh machine; return what it wrote."""
    folder.mkdir(parents=True)
    around = {**FRESH, **environment, "PYTHONHASHSEED": seed}
    subprocess.run([sys.executable, "-P", *command], check=True, cwd=folder, env=around, capture_output=True)
    written = sorted(path for path in folder.glob("out/stacks/**/*") if path.is_file())
    return {str(path.relative_to(folder / "out")): path.read_bytes() for path in written}


def test_the_order_of_a_set_does_not_reach_the_document(tmp_path: Path) -> None:
    first = run(tmp_path / "first", "1", "-c", PROGRAM)

    assert first == run(tmp_path / "second", "2", "-c", PROGRAM)
    assert first


@pytest.mark.parametrize("cloud", CLOUDS)
def test_two_syntheses_of_a_critical_foundation_are_the_same_bytes(cloud: str, tmp_path: Path) -> None:
    """In folders of another name and depth, with other seeds: a plan must show only what somebody changed."""
    from fixtures.foundations import REGIONS  # noqa: PLC0415 - starts node

    command = ("-c", FOUNDATION, cloud, *REGIONS[cloud])

    first = run(tmp_path / "here", "1", *command)

    assert first == run(tmp_path / "some" / "where" / "else", "2", *command)
    assert len([path for path in first if path.endswith("cdk.tf.json")]) == len(
        ("bootstrap", "network", "data", "recovery", "cluster")
    )


def test_two_syntheses_of_the_examples_are_the_same_bytes(tmp_path: Path) -> None:
    first = run(tmp_path / "first", "1", "-m", "aeterna.stacks")

    assert first == run(tmp_path / "a" / "second", "2", "-m", "aeterna.stacks")
    assert first
