"""What a key of the customer's is on AWS, read from what Terraform would be given."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aeterna.aws.keys import AwsKey
from aeterna.aws.l1.kms_key import AwsKmsKey
from aeterna.aws.l1.provider import AwsProvider
from aeterna.aws.log_group import LogGroup
from aeterna.aws.policy_document import Principal, Statement
from aeterna.aws.policy_document import document as rendered
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.keys import KeySpec
from aeterna.synth import testing
from aeterna.synth.app import TerraformOutput, TerraformStack
from aeterna.synth.overrides import inside
from aeterna.synth.testing import Document, synthesized
from fixtures.iam_documents import Found, parsed, statements


def own_stack() -> TerraformStack:
    stack = TerraformStack(testing.app(), "keys")
    AwsProvider(stack, "aws", region="eu-west-1")
    return stack


def granted(document: Document) -> dict[str, Found]:
    return {found.statement["Sid"]: found for found in statements(document, of="aws_kms_key")}


def test_a_key_turns_over_every_year_and_can_be_brought_back_for_a_month() -> None:
    stack = own_stack()
    AwsKey(stack, "Key", KeySpec(purpose="threads"))

    key = synthesized(stack).only("aws_kms_key")

    assert (key["enable_key_rotation"], key["rotation_period_in_days"]) == (True, 365)
    assert key["deletion_window_in_days"] == 30
    assert key["lifecycle"] == {"prevent_destroy": True}


def test_a_key_is_found_by_its_environment_and_purpose() -> None:
    stack = own_stack()
    AwsKey(stack, "Key", KeySpec(purpose="threads", environment="prod", rotation=timedelta(days=90)))

    assert synthesized(stack).only("aws_kms_alias")["name"] == "alias/prod/threads"


def test_the_account_always_stays_administrator_so_that_nobody_is_locked_out() -> None:
    stack = own_stack()
    AwsKey(stack, "Key", KeySpec(purpose="threads", administrators=("arn:aws:iam::111122223333:role/security",)))

    sids = granted(synthesized(stack))

    (root,) = sids["AccountAdministers"].statement["Principal"]["AWS"]
    assert root.endswith(":root")
    assert sids["AccountAdministers"].actions == ["kms:*"]


def test_named_administrators_may_manage_the_key_and_not_use_it() -> None:
    stack = own_stack()
    AwsKey(stack, "Key", KeySpec(purpose="threads", administrators=("arn:aws:iam::111122223333:role/security",)))

    administer = granted(synthesized(stack))["Administer"]

    assert administer.statement["Principal"] == {"AWS": ["arn:aws:iam::111122223333:role/security"]}
    assert {"kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"} <= set(administer.actions)
    assert not {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:*"} & set(administer.actions)


def test_the_log_service_may_use_the_key_for_the_named_log_groups_alone() -> None:
    stack = own_stack()
    key = AwsKey(stack, "Key", KeySpec(purpose="logs"))
    for name in ("/aws/one", "/aws/two"):
        LogGroup(stack, f"Logs{name[-3:]}", name=name, days=30, key=key)

    logs = granted(synthesized(stack))["EncryptLogs"]

    (service,) = logs.statement["Principal"]["Service"]
    arns = logs.conditions["ArnEquals"]["kms:EncryptionContext:aws:logs:arn"]
    assert service.startswith("logs.<")
    assert [arn.rpartition(":log-group:")[2] for arn in arns] == ["/aws/one", "/aws/two"]


def test_what_is_allowed_twice_is_written_once() -> None:
    stack = own_stack()
    key = AwsKey(stack, "Key", KeySpec(purpose="cluster"))
    key.allow_autoscaling()
    key.allow_autoscaling()
    key.allow_logs("/aws/one")
    key.allow_logs("/aws/one")

    assert len(granted(synthesized(stack))) == 4


def test_an_identity_uses_the_key_through_a_service_and_not_directly() -> None:
    stack = own_stack()
    key = AwsKey(stack, "Key", KeySpec(purpose="graph"))
    TerraformOutput(stack, "usage", value=rendered([key.usage("UseKey", via="s3")]))

    (usage,) = parsed(synthesized(stack).outputs()["usage"]["value"])["Statement"]

    (service,) = usage["Condition"]["StringEquals"]["kms:ViaService"]
    assert (service[:4], service.rpartition(">")[2]) == ("s3.<", ".amazonaws.com")
    assert usage["Resource"] != ["*"]


def test_an_environment_whose_aliases_would_look_like_those_of_aws_is_refused() -> None:
    with pytest.raises(InvalidSpecError, match="use another name"):
        AwsKey(own_stack(), "Key", KeySpec(purpose="graph", environment="aws"))


def test_a_statement_without_a_principal_has_no_place_in_a_keys_policy() -> None:
    key = AwsKey(own_stack(), "Key", KeySpec(purpose="graph"))

    with pytest.raises(InvalidSpecError, match="name who is meant"):
        key.allow(Statement(sid="Anyone", actions=("kms:Decrypt",), resources=("*",)))


def test_a_customer_adds_a_statement_of_their_own() -> None:
    stack = own_stack()
    key = AwsKey(stack, "Key", KeySpec(purpose="graph"))
    auditor = Principal(kind="AWS", identifiers=("arn:aws:iam::111122223333:role/audit",))
    key.allow(Statement(sid="Audit", actions=("kms:DescribeKey",), resources=("*",), principals=(auditor,)))

    assert granted(synthesized(stack))["Audit"].actions == ["kms:DescribeKey"]


def test_an_existing_keys_policy_is_left_alone_and_what_it_must_allow_is_told() -> None:
    stack = own_stack()
    key = AwsKey.existing(stack, "Key", key_arn="arn:aws:kms:eu-west-1:111122223333:key/1")
    LogGroup(stack, "Logs", name="/aws/one", days=30, key=key)

    document = synthesized(stack)

    assert document.resources("aws_kms_key") == {}
    assert document.only("aws_cloudwatch_log_group")["kms_key_id"].startswith("${data.aws_kms_key.")
    assert [statement.sid for statement in key.required_statements] == ["EncryptLogs"]


def test_any_default_can_be_changed_at_the_resource_inside() -> None:
    stack = own_stack()
    key = AwsKey(stack, "Key", KeySpec(purpose="graph"))
    inside(key, AwsKmsKey).replace("multi_region", value=True)

    assert synthesized(stack).only("aws_kms_key")["multi_region"] is True
