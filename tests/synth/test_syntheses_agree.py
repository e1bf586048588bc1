"""Two syntheses of the same program give the same bytes, whatever seed Python hashes with."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
from aeterna.aws.l1.eks_cluster import AwsEksCluster
from aeterna.aws.l1.provider import AwsProvider
from aeterna.synth.app import App, TerraformStack

app = App()
stack = TerraformStack(app, "main")
AwsProvider(stack, "aws", region="eu-west-1")
AwsEksCluster(
    stack, "Cluster", name="prod", role_arn="arn:role",
    vpc_config={"subnet_ids": frozenset({"subnet-1", "subnet-2", "subnet-3", "subnet-4"})},
    enabled_cluster_log_types={"api", "audit", "authenticator", "scheduler"},
)
app.synth()
"""


def synthesis(folder: Path, seed: str) -> bytes:
    """Synthesize below the same working directory, whose path the engine's local backend writes down."""
    folder.mkdir()
    environment = {**os.environ, "PYTHONHASHSEED": seed, "CDKTF_OUTDIR": str(folder)}
    subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM], check=True, cwd=folder.parent, env=environment, capture_output=True
    )
    return (folder / "stacks" / "main" / "cdk.tf.json").read_bytes()


def test_the_order_of_a_set_does_not_reach_the_document(tmp_path: Path) -> None:
    assert synthesis(tmp_path / "first", "1") == synthesis(tmp_path / "second", "2")
