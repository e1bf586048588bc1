"""What a registry of images is on AWS, read from what Terraform would be given."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from aeterna.aws.registry import EcrRegistry
from aeterna.contracts.registry import IMAGES, RegistrySpec
from aeterna.synth.app import TerraformOutput
from fixtures.customer_stack import CustomerStack
from fixtures.iam_documents import statements

if TYPE_CHECKING:
    from aeterna.synth.testing import Document


def registry_of(spec: RegistrySpec) -> Document:
    stack = CustomerStack()
    registry = EcrRegistry(stack, "Registry", spec, key=stack.key)
    TerraformOutput(stack, "url", value=registry.outputs.url)
    return stack.document()


@pytest.fixture(scope="module")
def synthesis() -> Document:
    return registry_of(RegistrySpec(name="acme-prod"))


def test_every_image_of_the_runtime_has_a_repository_below_the_name(synthesis: Document) -> None:
    names = {repository["name"] for repository in synthesis.resources("aws_ecr_repository").values()}

    assert names == {f"acme-prod/{image}" for image in IMAGES}
    assert {"acme-prod/graph-api", "acme-prod/opal"} <= names


def test_a_tag_stays_where_it_was_pushed_and_what_is_pushed_is_scanned_and_encrypted(synthesis: Document) -> None:
    (key,) = synthesis.resources("aws_kms_key")
    for repository in synthesis.resources("aws_ecr_repository").values():
        assert repository["image_tag_mutability"] == "IMMUTABLE"
        assert repository["image_scanning_configuration"] == {"scan_on_push": True}
        assert repository["encryption_configuration"] == [
            {"encryption_type": "KMS", "kms_key": f"${{aws_kms_key.{key}.arn}}"}
        ]


def test_no_other_account_gets_in_whatever_somebody_allows_later(synthesis: Document) -> None:
    policies = list(statements(synthesis, of="aws_ecr_repository_policy"))

    assert len(policies) == len(IMAGES)
    for policy in policies:
        assert policy.statement["Effect"] == "Deny"
        assert policy.statement["Principal"] == "*"
        assert policy.conditions["StringNotEquals"]["aws:PrincipalAccount"][0].endswith(".account_id>")
        assert policy.conditions["Bool"] == {"aws:PrincipalIsAWSService": ["false"]}


def test_only_what_no_tag_names_is_forgotten(synthesis: Document) -> None:
    """A rule on tagged images would one day remove the one that is running."""
    for lifecycle in synthesis.resources("aws_ecr_lifecycle_policy").values():
        (rule,) = json.loads(lifecycle["policy"])["rules"]
        assert rule["selection"]["tagStatus"] == "untagged"
        assert rule["selection"]["countNumber"] == 14


def test_the_address_is_that_of_a_repository_without_the_image(synthesis: Document) -> None:
    url = synthesis.outputs()["url"]["value"]

    assert re.fullmatch(r'\$\{trimsuffix\(aws_ecr_repository\.[\w-]+\.repository_url, "/graph-api"\)\}', url)


def test_a_registry_that_holds_images_is_not_deleted_unless_asked(synthesis: Document) -> None:
    scratch = registry_of(RegistrySpec(name="scratch", images=("one",), protected=False))

    assert {each["force_delete"] for each in synthesis.resources("aws_ecr_repository").values()} == {False}
    assert scratch.only("aws_ecr_repository")["force_delete"] is True
    assert not scratch.only("aws_ecr_repository").get("lifecycle")
