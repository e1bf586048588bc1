"""Proves that the offline engine refuses what a cloud would refuse: a check that cannot fail is no check."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fixtures.tofu_engine import Engine, Json, Workspace

pytestmark = [pytest.mark.needs("go"), pytest.mark.timeout(1800)]

SOUND: Json = {
    "terraform": {"required_version": ">= 1.12.1", "required_providers": {"aws": {"source": "hashicorp/aws"}}},
    "provider": {"aws": {"region": "eu-west-1"}},
    "data": {"aws_caller_identity": {"me": {}}},
    "resource": {
        "aws_kms_key": {"key": {"policy": "${data.aws_caller_identity.me.account_id}", "enable_key_rotation": True}},
        "aws_s3_bucket": {"bucket": {"bucket": "acme-lake"}},
        "aws_s3_bucket_versioning": {
            "versioning": {
                "bucket": "${aws_s3_bucket.bucket.id}",
                "versioning_configuration": {"status": "Enabled"},
            }
        },
    },
    "output": {"key": {"value": "${aws_kms_key.key.arn}"}},
}


def key(configuration: Json) -> Json:
    return configuration["resource"]["aws_kms_key"]["key"]


def versioning(configuration: Json) -> Json:
    return configuration["resource"]["aws_s3_bucket_versioning"]["versioning"]


@pytest.fixture(scope="module")
def workspace(tofu: Engine, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """One folder for all, because installing a provider takes longer than checking a configuration."""
    workspace = tofu.workspace(tmp_path_factory.mktemp("mistakes"), SOUND)
    workspace.init()
    return workspace


def test_a_sound_configuration_has_no_problems(tofu: Engine, workspace: Workspace) -> None:
    tofu.workspace(workspace.folder, SOUND)

    assert workspace.problems() == []


MISTAKES: dict[str, tuple[Callable[[Json], Any], str]] = {
    "an argument that the resource does not have": (
        lambda wrong: key(wrong).update(rotate=True),
        "Extraneous JSON object property",
    ),
    "an argument of another type": (
        lambda wrong: key(wrong).update(tags="production"),
        "Incorrect attribute value type",
    ),
    "a missing argument": (
        lambda wrong: versioning(wrong).pop("bucket"),
        "Missing required argument",
    ),
    "a required argument that is null": (
        lambda wrong: versioning(wrong).update(bucket=None),
        "Missing required argument",
    ),
    "a missing block": (
        lambda wrong: versioning(wrong).pop("versioning_configuration"),
        "Insufficient versioning_configuration blocks",
    ),
    "a block too many": (
        lambda wrong: versioning(wrong).update(versioning_configuration=[{"status": "Enabled"}] * 2),
        "Too many versioning_configuration blocks",
    ),
    "an argument that a block does not have": (
        lambda wrong: versioning(wrong)["versioning_configuration"].update(state="Enabled"),
        "Extraneous JSON object property",
    ),
    "a value that only the cloud may decide": (
        lambda wrong: key(wrong).update(arn="arn:aws:kms:eu-west-1:123456789012:key/mine"),
        "Value for unconfigurable attribute",
    ),
    "an attribute that the other resource does not have": (
        lambda wrong: versioning(wrong).update(bucket="${aws_s3_bucket.bucket.name}"),
        "Unsupported attribute",
    ),
    "a resource that nobody declared": (
        lambda wrong: versioning(wrong).update(bucket="${aws_s3_bucket.other.id}"),
        "Reference to undeclared resource",
    ),
    "a type of resource that the provider does not have": (
        lambda wrong: wrong["resource"].update(aws_quantum_key={"key": {}}),
        "Invalid resource type",
    ),
    "an argument that the provider does not have": (
        lambda wrong: wrong["provider"]["aws"].update(planet="mars"),
        "Extraneous JSON object property",
    ),
    "two resources that wait for each other": (
        lambda wrong: (
            key(wrong).update(policy="${aws_s3_bucket.bucket.id}"),
            wrong["resource"]["aws_s3_bucket"]["bucket"].update(bucket="${aws_kms_key.key.id}"),
        ),
        "Cycle",
    ),
}


@pytest.mark.parametrize(("mistake", "problem"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_an_error(
    tofu: Engine, workspace: Workspace, mistake: Callable[[Json], Any], problem: str
) -> None:
    wrong = copy.deepcopy(SOUND)
    mistake(wrong)
    tofu.workspace(workspace.folder, wrong)

    assert any(problem in found and found.startswith("error") for found in workspace.problems())


def test_a_provider_that_the_mirror_does_not_hold_cannot_be_installed(tofu: Engine, tmp_path: Path) -> None:
    """The engine asks no registry: what is not in the mirror does not exist."""
    unknown: Json = {"terraform": {"required_providers": {"moon": {"source": "hashicorp/moon"}}}}

    outcome = tofu.workspace(tmp_path, unknown).run("init", "-no-color", "-input=false")

    assert not outcome.succeeded
    assert "hashicorp/moon" in outcome.output
